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
    """What a radius means for a picture, as a clause that starts with the number; shares are those of that number."""
    size = f"{down(radius)} in {NORM_NAMES[norm]}"
    radius = float(down(radius, power="e")) if 0 < radius < math.inf else radius
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


def shown_share(share: float) -> str:
    """A part of a whole that is no bound, in per cent, to two digits."""
    return f"{number(100 * share, 2)} %"


def _percent(share: float) -> str:
    return f"{number(100 * share, 3)} %"


def headline(
    reads: str,
    lower: float,
    upper: float,
    norm: float,
    *,
    exact: bool = False,
    truth: str = "",
    toy: bool = False,
    looking: bool = False,
) -> str:
    """The one line of every page: "Reads 7. Safe to 0.120; fooled at 0.801 (L2).".

    lower, upper: the best proved radius, and the distance of the nearest point known that is read differently. exact:
    they are one number, which is then said once. truth: what a misread digit is, else empty. toy: a class is read.
    looking: no attack has ended yet.
    """
    name = NORM_NAMES[norm]
    start = f"Class **{reads.removeprefix('class ')}** here" if toy else f"Reads **{reads}**"
    start += f"; it is a {truth}" if truth else ""
    if lower == math.inf:
        return f"{start}. No change of any size is read differently: proved ({name})."
    if exact:
        return f"{start}. Safe to **{down(lower)}**, and no farther: exact ({name})."
    none = "still looking for an attack" if looking else "no attack found"
    fooled = f"fooled at **{up(upper)}**" if upper < math.inf else none
    return f"{start}. Safe to **{down(lower)}**; {fooled} ({name})."


def distance(lower: float, upper: float, *, exact: bool) -> str:
    """The distance of the nearest point known that is read differently, as every page has it.

    An exact distance is the number that the headline says; it is not rounded a second time, to the other side.
    """
    return down(lower) if exact else up(upper)


def network_words(name: str, architecture: tuple[int, ...], accuracy: float, title: str) -> str:
    """A network in words, as its menus have it: "two layers, 1024 and 512 neurons, 98.1 %"."""
    layers = architecture[1:-1]
    count = _COUNTS.get(len(layers), str(len(layers)))
    shape = f"{count} layer{'s' if len(layers) > 1 else ''}, "
    if name.endswith("-conv"):
        shape = f"a convolution, {layers[0]:,} neurons, "
    elif len(set(layers)) == 1:
        shape += f"{layers[0]} neurons" + (" each" if len(layers) > 1 else "")
    else:
        shape += ", ".join(map(str, layers[:-1])) + f" and {layers[-1]} neurons"
    special = "greater or less than 5: " if "greater" in title else ""
    trained = ", regularised" if "regulariser" in title else ""
    return f"{special}{shape.removesuffix(', ')}{trained}, {100 * accuracy:.1f} %"


_COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
