"""The look of every figure: one colour-blind-safe palette (Okabe and Ito), light and dark, desk and lecture hall.

Lower bounds are blue and point right, upper bounds are vermilion crosses, exact values are green diamonds, estimates
are grey circles: on every page, and told apart by shape and label as well as by colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

BLACK, ORANGE, SKY_BLUE, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
OKABE_ITO = (BLUE, ORANGE, GREEN, PURPLE, SKY_BLUE, VERMILION, YELLOW, BLACK)


@dataclass(frozen=True)
class Theme:
    """Colours and sizes of one look.

    text, background, panel (quiet areas), grid: the page. lower, upper, exact, estimate, unknown: the kinds of numbers.
    low, middle, high: the ends and the centre of the diverging scale. boundary, face, region: lines and the current
    region of planar pictures. classes: one colour a class, then around again. font: pixels. line: pixels.
    """

    name: str
    text: str
    background: str
    panel: str
    grid: str
    lower: str
    upper: str
    exact: str
    estimate: str
    unknown: str
    low: str
    middle: str
    high: str
    boundary: str
    face: str
    region: str
    classes: tuple[str, ...]
    font: int = 14
    line: float = 2.0

    @property
    def diverging(self) -> list[tuple[float, str]]:
        """The plotly colour scale from `low` over `middle` (no difference) to `high`."""
        return [(0.0, self.low), (0.5, self.middle), (1.0, self.high)]

    def class_colour(self, index: int) -> str:
        """The colour of class `index`."""
        return self.classes[index % len(self.classes)]

    def shades(self, colour: str, opacity: float) -> str:
        """`colour` (#rrggbb) as an rgba() string of the given opacity."""
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity})"


LIGHT = Theme(
    name="light",
    text="#1f2430",
    background="#ffffff",
    panel="#f2f4f8",
    grid="#d5dae3",
    lower=BLUE,
    upper=VERMILION,
    exact=GREEN,
    estimate="#6b7280",
    unknown="#c4cad4",
    low=BLUE,
    middle="#ffffff",
    high=ORANGE,
    boundary="#1f2430",
    face="#9aa3b2",
    region=YELLOW,
    classes=OKABE_ITO[:7],
)
DARK = Theme(
    name="dark",
    text="#e9edf3",
    background="#0f131a",
    panel="#1a2029",
    grid="#38414f",
    lower=SKY_BLUE,
    upper="#F07A2A",
    exact="#2FC79A",
    estimate="#a3adbb",
    unknown="#4a5464",
    low=SKY_BLUE,
    middle="#0f131a",
    high=ORANGE,
    boundary="#ffffff",
    face="#6d7888",
    region=YELLOW,
    classes=(SKY_BLUE, ORANGE, GREEN, PURPLE, BLUE, VERMILION, YELLOW),
)


def find_theme(name: str | None, present: bool = False) -> Theme:
    """The theme "light" or "dark" (anything else is light); `present` makes text 20 px and lines 3 px or more."""
    theme = DARK if name == "dark" else LIGHT
    return replace(theme, font=20, line=3.5) if present else theme


@lru_cache(maxsize=8)
def template(theme: Theme) -> go.layout.Template:
    """The plotly template of a theme: set it as `layout.template` of a figure."""
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "zerolinecolor": theme.grid,
        "tickfont": {"color": theme.text},
        "title": {"font": {"color": theme.text}},
    }
    return go.layout.Template(
        layout={
            "font": {"color": theme.text, "size": theme.font, "family": "Source Sans, Source Sans Pro, sans-serif"},
            "paper_bgcolor": theme.background,
            "plot_bgcolor": theme.background,
            "colorway": list(theme.classes),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "hoverlabel": {"bgcolor": theme.panel, "font": {"color": theme.text, "size": theme.font}},
            "legend": {"bgcolor": "rgba(0,0,0,0)", "font": {"color": theme.text}},
        }
    )


def figure_of(theme: Theme, traces: Sequence[dict[str, Any]], height: int | None, **layout: Any) -> go.Figure:
    """A figure in the theme's look from plain dictionaries, made in one go: many small updates cost far more."""
    base = {"template": template(theme), "height": height, "showlegend": False, "dragmode": False}
    return go.Figure({"data": list(traces), "layout": base | layout})


def blank_figure(theme: Theme, height: int | None) -> go.Figure:
    """An empty figure in the theme's look; legends and modes of dragging are switched on where they are wanted."""
    return figure_of(theme, [], height)
