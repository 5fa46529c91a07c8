"""Certified accuracy against the radius: the share of images that a method proves right within it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from relucert_core.experiments.records import LOWER, Series
from relucert_core.experiments.summaries import AccuracyCurve
from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.methods import Look, label, legend, looks
from relucert_core.figures.theme import Theme, figure_of


def certified_accuracy(curves: Sequence[AccuracyCurve], theme: Theme, norm: str = "L2", height: int = 450) -> go.Figure:
    """A falling line for each method: blue what is proved, vermilion what the attacks leave."""
    styles = looks([Series(c.method, c.title, c.kind, (), (), ()) for c in curves], theme)
    axis = DistanceAxis.for_values(radius for curve in curves for radius in curve.radii)
    across = axis.layout(theme, f"radius ({norm}, log scale)")
    inner = {"tickvals": across["tickvals"][1:-1], "ticktext": across["ticktext"][1:-1]}
    return figure_of(
        theme,
        [_line(curve, axis, styles[curve.method], theme) for curve in curves],
        height,
        showlegend=True,
        legend=legend(theme),
        margin={"l": 8, "r": 8, "t": 8, "b": 4 * theme.font},
        xaxis=across | {"range": [axis.low, axis.high]} | inner,
        yaxis=_share_axis(theme),
    )


def _line(curve: AccuracyCurve, axis: DistanceAxis, look: Look, theme: Theme) -> dict[str, Any]:
    """The curve of one method; a step falls behind the radius that is still proved."""
    proved = curve.kind == LOWER
    return {
        "type": "scatter",
        "name": label(curve.title, curve.kind),
        "x": [axis.place(radius) for radius in curve.radii],
        "y": [100 * share for share in curve.shares],
        "mode": "lines",
        "line": {
            "color": look.colour,
            "dash": look.dash,
            "shape": "vh" if proved else "hv",
            "width": theme.line * (1.2 if proved else 0.9),
        },
        "hovertemplate": f"{curve.title}: %{{y:.1f}} % at %{{customdata:.3g}}<extra></extra>",
        "customdata": list(curve.radii),
    }


def _share_axis(theme: Theme) -> dict[str, Any]:
    marks = (0, 25, 50, 75, 100)
    return {
        "range": [0, 102],
        "tickvals": list(marks),
        "ticktext": [f"{mark} %" for mark in marks],
        "title": {"text": "images still right", "font": {"color": theme.text, "size": theme.font}},
        "fixedrange": True,
        "automargin": True,
        "zeroline": False,
    }
