"""The logarithmic axis of distances, with a rail of its own at each end: one for 0, one for infinity."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from relucert_core.figures.theme import Theme

_RAIL = 0.9  # decades between the last tick and the middle of a rail: room for two labels side by side on a phone
_HALF = 0.3  # half a rail's width, in decades


@dataclass(frozen=True)
class DistanceAxis:
    """Decades 10^low to 10^high, drawn on a linear axis of logarithms so that 0 and infinity find a place."""

    low: int
    high: int

    @classmethod
    def for_values(cls, values: Iterable[float]) -> DistanceAxis:
        """The axis that holds all positive finite `values`, at least two decades long."""
        logs = [math.log10(v) for v in values if 0 < v < math.inf]
        low = math.floor(min(logs, default=-2.0) - 0.15)
        return cls(low, max(math.ceil(max(logs, default=0.0) + 0.15), low + 2))

    @property
    def zero(self) -> float:
        """Where 0 is drawn."""
        return self.low - _RAIL

    @property
    def infinity(self) -> float:
        """Where infinity is drawn."""
        return self.high + _RAIL

    @property
    def ends(self) -> tuple[float, float]:
        """Left and right end of the drawing, rails included."""
        return self.zero - _HALF, self.infinity + _HALF

    def place(self, value: float) -> float:
        """The coordinate of a distance."""
        if value <= 0:
            return self.zero
        if value == math.inf:
            return self.infinity
        return min(max(math.log10(value), float(self.low)), float(self.high))

    def share(self, value: float) -> float:
        """How far from left (0) to right (1) a distance is drawn: tells labels which way to lean."""
        left, right = self.ends
        return (self.place(value) - left) / (right - left)

    def layout(self, theme: Theme, title: str) -> dict[str, Any]:
        """The plotly settings of the axis."""
        step = max(1, math.ceil((self.high - self.low) / 4))
        decades = list(range(self.low, self.high + 1, step))
        return {
            "range": list(self.ends),
            "tickvals": [self.zero, *decades, self.infinity],
            "ticktext": ["0", *(_decade(n) for n in decades), "∞"],
            "title": {"text": title, "font": {"color": theme.text, "size": theme.font}},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "ticks": "outside",
            "tickcolor": theme.grid,
            "tickangle": 0,
        }

    def rails(self, theme: Theme) -> list[dict[str, Any]]:
        """The two grey bands behind 0 and infinity, as plotly shapes."""
        return [
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": centre - _HALF,
                "x1": centre + _HALF,
                "y0": 0,
                "y1": 1,
                "fillcolor": theme.panel,
                "line": {"width": 0},
                "layer": "below",
            }
            for centre in (self.zero, self.infinity)
        ]


def _decade(n: int) -> str:
    return f"{10.0**n:g}" if -4 <= n <= 4 else f"10<sup>{n}</sup>"
