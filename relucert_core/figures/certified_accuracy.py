"""Certified accuracy against the radius: the share of images that a method proves right within it."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from relucert_core.experiments.records import LOWER, Series
from relucert_core.experiments.summaries import AccuracyCurve
from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.methods import label, legend, looks
from relucert_core.figures.theme import Theme, figure_of


def certified_accuracy(curves: Sequence[AccuracyCurve], theme: Theme, norm: str = "L2", height: int = 450) -> go.Figure:
    """A falling line for each method: blue what is proved, vermilion what the attacks leave."""
    stand_ins = [Series(c.method, c.title, c.kind, (), (), ()) for c in curves]
    styles = looks(stand_ins, theme)
    axis = DistanceAxis.for_values(radius for curve in curves for radius in curve.radii)
    traces = [
        {
            "type": "scatter",
            "name": label(curve.title, curve.kind),
            "x": [axis.place(radius) for radius in curve.radii],
            "y": [100 * share for share in curve.shares],
            "mode": "lines",
            "line": {
                "color": styles[curve.method].colour,
                "dash": styles[curve.method].dash,
                "shape": "vh" if curve.kind == LOWER else "hv",
                "width": theme.line * (1.2 if curve.kind == LOWER else 0.9),
            },
            "hovertemplate": f"{curve.title}: %{{y:.1f}} % at %{{customdata:.3g}}<extra></extra>",
            "customdata": list(curve.radii),
        }
        for curve in curves
    ]
    across = axis.layout(theme, f"radius ({norm}, log scale)")
    return figure_of(
        theme,
        traces,
        height,
        showlegend=True,
        legend=legend(theme),
        margin={"l": 8, "r": 8, "t": 8, "b": 4 * theme.font},
        xaxis=across
        | {"range": [axis.low, axis.high], "tickvals": across["tickvals"][1:-1], "ticktext": across["ticktext"][1:-1]},
        yaxis={
            "range": [0, 102],
            "tickvals": [0, 25, 50, 75, 100],
            "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
            "title": {"text": "images still right", "font": {"color": theme.text, "size": theme.font}},
            "fixedrange": True,
            "automargin": True,
            "zeroline": False,
        },
    )
