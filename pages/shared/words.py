"""Numbers and answers in words that a student understands. No Streamlit, no computation but rounding for print."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

NORM_NAMES = {2.0: "L2", math.inf: "Linf", 1.0: "L1"}
NORM_CHOICES = {name: norm for norm, name in NORM_NAMES.items()}


def number(value: float, digits: int = 2, rounding: str = ROUND_HALF_EVEN) -> str:
    """A distance for reading: 2 significant digits, plain where that is short, else a power of ten."""
    if value == math.inf:
        return "∞"
    if value == 0 or math.isnan(value):
        return "0" if value == 0 else "?"
    exact = Decimal(value)
    exponent = exact.adjusted()
    rounded = exact.quantize(Decimal(1).scaleb(exponent - digits + 1), rounding=rounding)
    if -6 <= exponent < 5:
        return f"{rounded:f}" if exponent < digits else f"{int(rounded)}"
    return f"{rounded.scaleb(-exponent):f} × 10^{exponent}"


def down(value: float, digits: int = 2) -> str:
    """As `number`, but cut off downward: what is printed of a guarantee must not exceed it."""
    return number(value, digits, ROUND_FLOOR)


def up(value: float, digits: int = 2) -> str:
    """As `number`, but rounded upward: for the distance of an adversarial point."""
    return number(value, digits, ROUND_CEILING)


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


def headline(reads: str, radius: float, distance: float, norm: float, *, exact: bool = False) -> str:
    """The one line: "Reads 7. Safe to 0.0012; fooled at 0.80 (L2)."."""
    name = NORM_NAMES[norm]
    if exact:
        return f"Reads **{reads}**. Safe to **{down(radius)}**, and no farther: exact ({name})."
    fooled = f"fooled at **{up(distance)}**" if distance < math.inf else "no attack found"
    return f"Reads **{reads}**. Safe to **{down(radius)}**; {fooled} ({name})."
