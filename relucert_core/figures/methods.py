"""How each method looks in the charts of experiments: kinds keep their hues, methods differ by shape and dash.

Lower bounds are blue and point right, if only by a corner; upper bounds are vermilion crosses, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relucert_core.experiments.records import LOWER, Series
from relucert_core.figures.theme import Theme

_SHADES = (1.0, 0.8, 0.65, 1.0, 0.8, 0.65)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = {
    LOWER: ("triangle-right", "triangle-right-open", "triangle-right", "diamond", "diamond-open"),
    "upper bound": ("x", "cross", "x-open", "cross-open"),
}


@dataclass(frozen=True)
class Look:
    """Colour, marker and dash of one method."""

    colour: str
    symbol: str
    dash: str


def label(title: str, kind: str) -> str:
    """The name of a method in a legend: attacks are called so, everything else is proved."""
    return title if kind == LOWER else f"{title} (attack)"


def legend(theme: Theme) -> dict[str, Any]:
    """The settings of a legend above the plot: two columns on a phone, more where there is room."""
    font = theme.font if theme.font >= 20 else theme.font - 2
    place = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"}
    return place | {"font": {"size": font}, "entrywidth": 8.4 * font, "entrywidthmode": "pixels"}


def looks(series: Sequence[Series], theme: Theme) -> dict[str, Look]:
    """One look for each method, different within its kind; the order of `series` decides."""
    found: dict[str, Look] = {}
    seen: dict[str, int] = {}
    for one in series:
        place = seen.get(one.kind, 0)
        seen[one.kind] = place + 1
        base = theme.lower if one.kind == LOWER else theme.upper
        symbols = _SYMBOLS[one.kind]
        colour = theme.shades(base, _SHADES[place % len(_SHADES)])
        found[one.method] = Look(colour, symbols[place % len(symbols)], _DASHES[place % len(_DASHES)])
    return found
