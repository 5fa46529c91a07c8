"""Answers in words that a student understands. No Streamlit, no computation."""

from __future__ import annotations

import math

from relucert_core.certificates.result import DEGENERATE, OVERFLOW, POOL_TIE, TIE, WRONG
from relucert_core.words import NORM_NAMES, down, number, up

_NO_RADIUS = {
    TIE: "Two {answers} tie for the first place here, so the safe radius is 0.",
    WRONG: "The network does not give the wanted {answer} here, so the safe radius is 0.",
    DEGENERATE: "The {thing} lies on a face of its region, or so near that rounding leaves it open: "
    "the safe radius is 0.",
    POOL_TIE: "Equal numbers tie inside a pooling window, which is a face: the safe radius is 0.",
    OVERFLOW: "The numbers grew too large for float64 here, so the safe radius is 0.",
}


def no_radius(status: str, *, thing: str, answer: str, answers: str) -> str:
    """Why a certificate's radius is 0, in one sentence: `thing` was certified, `answer` is what a network gives."""
    words = _NO_RADIUS.get(status, "The proof gives no radius here ({status}).")
    return words.format(thing=thing, answer=answer, answers=answers, status=status)


def meaning(radius: float, norm: float, pixels: int = 784) -> str:
    """What a radius means for a picture, as a clause that starts with the number."""
    size = f"{down(radius)} in {NORM_NAMES[norm]}"
    if radius <= 0:
        return f"{size} is no change at all"
    if radius == math.inf:
        return "nothing limits it: every picture is read the same"
    if norm == math.inf:
        return f"{size} is every pixel changed at once by up to {_percent(radius)} of the way from black to white"
    if radius <= 1:
        return f"{size} is one pixel changed by about {_percent(radius)} of the way from black to white"
    if norm == 1:
        return f"{size} is as much as {radius:.1f} pixels changed from black to white"
    share = radius / math.sqrt(pixels)
    return f"{size} is as much as every pixel changed by {_percent(share)} of the way from black to white"


def _percent(share: float) -> str:
    return f"{number(100 * share, 2 if share >= 0.01 else 1)} %"


def headline(reads: str, radius: float, distance: float, norm: float, *, exact: bool = False, truth: str = "") -> str:
    """The one line: "Reads 7. Safe to 0.0012; fooled at 0.80 (L2)."; truth: what a misread digit is, else empty."""
    name = NORM_NAMES[norm]
    start = f"Reads **{reads}**" + (f"; it is a {truth}" if truth else "")
    if exact:
        return f"{start}. Safe to **{down(radius)}**, and no farther: exact ({name})."
    fooled = f"fooled at **{up(distance)}**" if distance < math.inf else "no attack found"
    return f"{start}. Safe to **{down(radius)}**; {fooled} ({name})."
