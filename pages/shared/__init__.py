"""What the pages share: shell, cached engine calls, state in the URL, words, browser components."""
