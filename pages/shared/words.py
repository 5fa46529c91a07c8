"""Numbers and answers in words that a student understands. No Streamlit, no computation but rounding for print."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relucert_core.certificates.result import Certificate, Limit

NORM_NAMES = {2.0: "L2", math.inf: "Linf", 1.0: "L1"}
NORM_CHOICES = {name: norm for norm, name in NORM_NAMES.items()}
NORM_HELP = {
    2.0: "L2: the square root of the sum of all squared changes of pixels",
    math.inf: "Linf: the largest change of any pixel",
    1.0: "L1: the sum of the changes of all pixels",
}
_STATUS = {
    "tie for the first place": "Two answers tie for the first place here, so the safe radius is 0.",
    "wrong prediction": "The network does not give the wanted answer here, so the safe radius is 0.",
    "degenerate": "The digit lies on a face of its region, or so near that rounding leaves it open: the radius is 0.",
    "overflow": "The numbers grew too large for float64 here, so the safe radius is 0.",
}


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


def milliseconds(seconds: float) -> str:
    """A time for reading."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(seconds * 1000, 0.1):.1f} ms"


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


def promise(reads: str, radius: float, norm: float, status: str) -> str:
    """What is proved, in one or two sentences."""
    if radius <= 0:
        reason = _STATUS.get(status, f"The proof gives no radius here ({status}).")
        return f"{reason} Nothing is guaranteed for this digit."
    if radius == math.inf:
        return f"Proved: no change of any size makes this network read anything but {reads}."
    clause = meaning(radius, norm)
    return f"Proved: whatever the attack, no smaller change makes the network read anything but {reads}. {clause}."


def limited_by(certificate: Certificate, names: tuple[str, ...]) -> str:
    """What stops the ball of a certificate from growing, in one sentence."""
    limit = certificate.limit
    if limit is None:
        return "Nothing limits the ball."
    if limit.kind == "class":
        return (
            f"Limited by the boundary to **{names[limit.rival or 0]}**: inside the region, nothing else is nearer. "
            "This is case (a) of the picture on the first page."
        )
    return (
        f"Limited by {place(limit)}: on that face of the region the neuron switches, and beyond it the linear map is "
        "another one. This is case (b) of the picture on the first page: the boundary itself is farther away."
    )


def place(limit: Limit) -> str:
    """ "neuron 7 of layer 1", counted as the engine counts: layers from 1, neurons from 0."""
    return f"**neuron {limit.neuron} of layer {limit.layer}**"


def unknown_gap(lower: float, upper: float) -> str:
    """The sentence about what nobody knows yet."""
    if upper == math.inf:
        return "How far the nearest other answer really is, is unknown."
    if lower <= 0:
        return f"Between 0 and {up(upper)} nothing is known."
    return f"Between {down(lower)} and {up(upper)} nothing is known yet: the true distance lies somewhere there."
