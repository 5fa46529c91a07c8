"""Text that strangers wrote, shown as text: links, files and networks can bring anything, and pages render Markdown."""

from __future__ import annotations

import re

import streamlit as st

_BREAK = "\u2060"  # a word joiner: it can't be seen, and ends what would be taken for an address or a directive
_LONGEST = 300


def plain(text: object, longest: int = _LONGEST) -> str:
    """Markdown that shows `text` letter by letter: no markup, no link, no picture, no formula, on one line."""
    words = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    words = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", words)
    words = re.sub(r"(\\[:@])", rf"\1{_BREAK}", words)
    return re.sub(r"(?i)(www)", rf"\1{_BREAK}", words)


def say_problem(error: object) -> None:
    """An error's sentence in its box; whatever a visitor gave stands in it as text."""
    st.error(plain(error))
