"""A progress bar in plain text, on stderr."""

from __future__ import annotations

import sys
import time

_BAR = 30


class ProgressBar:
    """A line on stderr that is written over: a bar, per cent, the time left and some words."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.shown = False

    def show(self, done: float, words: str, seconds_left: float | None = None) -> None:
        """`done` in 0..1; the time left is estimated from it, unless it is known better."""
        spent = time.monotonic() - self.start
        left = spent * (1 - done) / done if done > 0 else 0.0
        left = left if seconds_left is None else seconds_left
        filled = round(_BAR * done)
        line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * done:5.1f} %  {left:4.0f} s left  {words}"
        print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)
        self.shown = True

    def close(self) -> None:
        """End the line."""
        if self.shown:
            print(file=sys.stderr)
