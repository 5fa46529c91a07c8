"""Numbers, times and norms in words, for all that prints them: lines, tables, figures, pages. Rounding for print only.

No torch and no NumPy: pages show words before the engine is loaded.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

NORM_NAMES = {2.0: "L2", math.inf: "Linf", 1.0: "L1"}  # in the order that menus list them
NORM_CHOICES = {name: norm for norm, name in NORM_NAMES.items()}
NONE = "–"  # an empty cell of a table; a hyphen alone begins a list where cells are Markdown
_ROUNDING = {"lower bound": ROUND_FLOOR, "exact": ROUND_FLOOR, "upper bound": ROUND_CEILING}
_PLAIN = range(-6, 5)  # decimal exponents that are written out


def norm_name(norm: float) -> str:
    """L1, L2 or Linf, as pages, tables and records print it."""
    return NORM_NAMES[norm]


def norm_in_code(norm: float) -> str:
    """The norm as an argument in a line of Python: 2, 1 or "inf"."""
    return '"inf"' if norm == math.inf else f"{norm:.0f}"


def norm_in_tex(name: str) -> str:
    r"""A norm's name for LaTeX: $\ell_2$ for L2; other words as they are."""
    return {"L1": r"$\ell_1$", "L2": r"$\ell_2$", "Linf": r"$\ell_\infty$"}.get(name, name)


def number(
    value: float, digits: int = 2, rounding: str = ROUND_HALF_EVEN, *, power: str = " × 10^", unknown: str = "?"
) -> str:
    """A number to so many significant digits: plain where that is short, else with a power of ten.

    rounding: one of `decimal`'s, applied to the number's exact value. power="e": in a form that float() reads back.
    unknown: what stands for NaN.
    """
    if math.isnan(value):
        return unknown
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    exact = Decimal(value)
    exponent = exact.adjusted()
    rounded = exact.quantize(Decimal(1).scaleb(exponent - digits + 1), rounding=rounding)
    if exponent in _PLAIN:
        return f"{rounded:f}" if exponent < digits else f"{int(rounded)}"
    return f"{rounded.scaleb(-exponent):f}{power}{exponent}"


def down(value: float, digits: int = 3, *, power: str = " × 10^") -> str:
    """As `number`, but cut off downward: what is printed of a guarantee must not exceed it."""
    return number(value, digits, ROUND_FLOOR, power=power)


def up(value: float, digits: int = 3, *, power: str = " × 10^") -> str:
    """As `number`, but rounded upward: for the distance of an adversarial point."""
    return number(value, digits, ROUND_CEILING, power=power)


def bound(value: float, kind: str, digits: int = 3, *, power: str = " × 10^", unknown: str = "?") -> str:
    """As `number`, rounded to the safe side: down for a lower bound or an exact radius, up for an upper bound."""
    return number(value, digits, _ROUNDING.get(kind, ROUND_HALF_EVEN), power=power, unknown=unknown)


def bound_in_tex(value: float, kind: str = "", digits: int = 3) -> str:
    r"""As `bound`, for LaTeX: 1.2 \cdot 10^{-7} in dollars where a power of ten is needed, -- for NaN."""
    text = bound(value, kind, digits, power="e", unknown="--").replace("∞", r"\infty")
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"
    return f"${text}$" if "\\" in text else text


def duration(seconds: float) -> str:
    """A time for reading, to two or three digits: 0.4 ms, 25 ms, 2.5 s, 45 s, 12 min."""
    if seconds >= 600:
        return f"{seconds / 60:.0f} min"
    if seconds >= 20:
        return f"{seconds:.0f} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = max(1000 * seconds, 0.1)
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
