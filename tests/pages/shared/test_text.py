"""What strangers wrote is shown letter by letter."""

from __future__ import annotations

import re

import pytest

from pages.shared.text import plain

NASTY = [
    "![a](http://127.0.0.1/x.png)", "[click](https://evil.example)", "https://evil.example/a?b=c", "www.evil.example",
    "<img src=x onerror=alert(1)>", "$\\frac{1}{2}$", ":red[danger]", ":material/home:", ":smile:", "me@evil.example",
    "# title", "- item", "`code`", "a\n\n# b", "| a | b |\n|---|---|", "~~gone~~", "&lt;b&gt;", "\\![a](b)", "--- ---",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_no_markup_survives(text):
    shown = plain(text)
    assert "\n" not in shown
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)  # without what is escaped
    assert not re.search(r"[!-/:-@\[-`{-~]", bare), "every sign of markup is escaped"
    read = re.sub(r"\\(.)", r"\1", shown)  # what a reader of the Markdown sees
    assert not re.search(r"https?://|www\.|:\w+:|:\w+\[|\w@\w", read), "nothing turns into an address or a directive"
    assert read.replace("\u2060", "") == " ".join(text.split())


def test_long_text_is_cut():
    assert len(plain("a" * 10_000)) <= 300
