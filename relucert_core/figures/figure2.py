"""Figure 2: lower and upper bounds image by image, on a logarithmic axis with rails for 0 and infinity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from relucert_core.experiments.records import Panel, Series
from relucert_core.experiments.summaries import overtaken
from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.methods import label, legend, looks
from relucert_core.figures.theme import Theme, figure_of
from relucert_core.words import bound

_OVERTAKEN = ", a cheaper method proves as much"


def figure2_axis(panels: Sequence[Panel], methods: Sequence[str]) -> DistanceAxis:
    """One axis for several panels, so that they compare at a glance."""
    return DistanceAxis.for_values(v for p in panels for s in _chosen(p, methods) for v in s.values)


def figure2(
    panel: Panel,
    methods: Sequence[str],
    order: Sequence[int] | None,
    axis: DistanceAxis,
    theme: Theme,
    norm: str = "L2",
    height: int = 450,
) -> go.Figure:
    """A mark for each image and method, with the image's index as its `customdata`.

    `order`: the images' rows from left to right; None: each method by itself.

    Open marks on the lower rail are radii of 0, on the upper rail attacks that found nothing. A method that was run on
    some of the images has marks for these alone; a small dot in place of the mark says that a cheaper method proves as
    much there.
    """
    series = _chosen(panel, methods)
    styles = looks(series, theme)
    traces = [_trace(one, order, panel, axis, styles[one.method], theme) for one in series]
    count = len(panel.images)
    return figure_of(
        theme,
        traces,
        height,
        showlegend=True,
        legend=legend(theme) | {"itemsizing": "constant"},
        shapes=rails(axis, theme),
        margin={"l": 8, "r": 2 * theme.font, "t": 8, "b": 4 * theme.font},
        xaxis=_images_axis(count, order, theme),
        yaxis=axis.layout(theme, f"distance ({norm}, log scale)") | {"automargin": True},
    )


def rails(axis: DistanceAxis, theme: Theme) -> list[dict[str, Any]]:
    """The bands behind 0 and infinity of a vertical axis, as plotly shapes."""
    swapped = {"x0": "y0", "x1": "y1", "y0": "x0", "y1": "x1"}
    bands = []
    for band in axis.rails(theme):
        turned = {swapped.get(key, key): value for key, value in band.items()}
        bands.append(turned | {"xref": "paper", "yref": "y"})
    return bands


def _chosen(panel: Panel, methods: Sequence[str]) -> list[Series]:
    found = [panel.find(method) for method in methods]
    return [series for series in found if series is not None]


def _trace(
    series: Series, order: Sequence[int] | None, panel: Panel, axis: DistanceAxis, look: Any, theme: Theme
) -> dict[str, Any]:
    rows = sorted(series.rows, key=lambda i: series.values[i]) if order is None else order
    asked, dotted = set(series.rows), overtaken(panel, series)
    marks = [(place, i) for place, i in enumerate(rows, start=1) if i in asked]
    marks.sort(key=lambda mark: mark[1] in dotted)  # the legend shows the first one's symbol
    return {
        "type": "scatter",
        "name": label(series.title, series.kind),
        "x": [place for place, _ in marks],
        "y": [axis.place(series.values[i]) for _, i in marks],
        "mode": "markers",
        "marker": {
            "symbol": ["circle" if i in dotted else look.symbol for _, i in marks] if dotted else look.symbol,
            "size": theme.font * (0.5 if len(rows) <= 60 else 0.4),
            "color": look.colour,
            "line": {"width": 1.2 if look.symbol.endswith("-open") else 0},
        },
        "customdata": [panel.images[i] for _, i in marks],
        "text": [
            f"image {panel.images[i]}: {_words(series.values[i], series.kind)}{_OVERTAKEN if i in dotted else ''}"
            for _, i in marks
        ],
        "hovertemplate": "%{text}<extra>" + series.title + "</extra>",
    }


def _words(value: float, kind: str) -> str:
    return "nothing found" if math.isinf(value) else bound(value, kind, 3)


def _images_axis(count: int, order: Sequence[int] | None, theme: Theme) -> dict[str, Any]:
    title = (
        f"{count} test images, each method sorted by itself"
        if order is None
        else f"{count} test images, by safe radius"
    )
    marks = [1, count] if count > 1 else [1]
    return {
        "range": [0, count + 1],
        "tickvals": marks,
        "ticktext": ["smallest", "largest"][: len(marks)],
        "tickangle": 0,
        "title": {"text": title, "font": {"color": theme.text, "size": theme.font}},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
