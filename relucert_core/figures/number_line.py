"""Lower and upper bounds of one point on one line, and the unknown gap between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.theme import Theme, figure_of

LOWER, UPPER, ESTIMATE = "lower", "upper", "estimate"
_SYMBOLS = {LOWER: "triangle-right", UPPER: "x", ESTIMATE: "circle-open"}


@dataclass(frozen=True)
class Mark:
    """One number on the line: what it is called, its value (0 and inf included), its kind and whether it is named.

    kind: "lower" (a guarantee), "upper" (an adversarial point's distance) or "estimate" (no bound). `text` is the
    number as words print it.
    """

    title: str
    value: float
    kind: str
    text: str
    named: bool = False


def number_line(
    marks: Sequence[Mark],
    theme: Theme,
    axis_title: str,
    height: int = 190,
    *,
    norm: float | None = None,
    flat: bool = False,
) -> go.Figure:
    """The safe part, the unknown gap and the fooled part as one bar, every bound as a mark on it, some with names.

    norm: of distances between pictures, whose axis is then the same for all of them (unless a bound lies beyond it).
    flat: the parts are plain rectangles without hatching, as files for print have them.
    """
    axis = _axis(marks, norm)
    traces, notes = _bars(marks, axis, theme)
    areas = [_rectangle(bar) for bar in traces] if flat else []
    traces = [] if flat else traces
    for kind in (LOWER, UPPER, ESTIMATE):
        traces += _marks([m for m in marks if m.kind == kind], axis, theme)
    shapes = axis.rails(theme) + areas
    for kinds, side in (((LOWER, ESTIMATE), -1), ((UPPER,), 1)):
        for row, mark in enumerate(m for m in marks if m.named and m.kind in kinds):
            stem, note = _label(mark, axis, theme, side * (0.85 + 0.62 * row))
            shapes.append(stem)
            notes.append(note)
    return figure_of(
        theme,
        traces,
        height,
        barmode="overlay",
        shapes=shapes,
        annotations=notes,
        margin=_margin(theme),
        xaxis=axis.layout(theme, axis_title),
        yaxis={"visible": False, "range": [-1.9, 1.35], "fixedrange": True},
    )


def bounds_chart(marks: Sequence[Mark], theme: Theme, axis_title: str, *, norm: float | None = None) -> go.Figure:
    """The same numbers, one row each: lower bounds reach from the left, upper bounds from the right."""
    axis = _axis(marks, norm)
    return figure_of(
        theme,
        [_row(mark, row, axis, theme) for row, mark in enumerate(marks)],
        int(5 * theme.font + 2.9 * theme.font * len(marks)),
        shapes=axis.rails(theme),
        annotations=[_row_label(mark, row) for row, mark in enumerate(marks)],
        margin=_margin(theme),
        xaxis=axis.layout(theme, axis_title),
        yaxis={"visible": False, "range": [-len(marks) + 0.4, 0.8], "fixedrange": True},
    )


def _axis(marks: Sequence[Mark], norm: float | None) -> DistanceAxis:
    """The axis that holds the marks, and for pictures what the bounds of most of them span."""
    return DistanceAxis.for_values([*(m.value for m in marks), *_USUAL.get(norm, ())])


_USUAL: dict[float | None, tuple[float, ...]] = {2.0: (2e-4, 5.0), math.inf: (2e-5, 0.5), 1.0: (2e-3, 50.0)}


def _margin(theme: Theme) -> dict[str, int]:
    return {"l": 10, "r": 10, "t": 4, "b": 4 * theme.font}


def _row(mark: Mark, row: int, axis: DistanceAxis, theme: Theme) -> dict[str, Any]:
    """One method's line, from the end that it speaks of to its number."""
    start = {LOWER: axis.ends[0], UPPER: axis.ends[1]}.get(mark.kind, axis.place(mark.value))
    return {
        "type": "scatter",
        "x": [start, axis.place(mark.value)],
        "y": [-row, -row],
        "mode": "lines+markers",
        "line": {"color": theme.shades(_colour(mark, theme), 0.45), "width": 2 * theme.line},
        "marker": _marker(mark.kind, theme) | {"opacity": [0, 1]},
        "text": [f"{mark.title}: {mark.text}"] * 2,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _row_label(mark: Mark, row: int) -> dict[str, Any]:
    text = f"{mark.title} <b>{mark.text}</b>"
    return {"x": 0, "xref": "paper", "xanchor": "left", "y": -row + 0.44, "text": text, "showarrow": False}


def _bars(marks: Sequence[Mark], axis: DistanceAxis, theme: Theme) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The three parts of the bar, from the best lower bound to the best upper one, and the word on the gap."""
    left, right = axis.ends
    safe = axis.place(max((m.value for m in marks if m.kind == LOWER), default=0.0))
    fooled = max(axis.place(min((m.value for m in marks if m.kind == UPPER), default=math.inf)), safe)
    parts = (
        (left, safe, theme.shades(theme.lower, 0.85), ""),
        (safe, fooled, theme.shades(theme.unknown, 0.8), "/"),
        (fooled, right, theme.shades(theme.upper, 0.55), "x"),
    )
    bars = [_bar(*part, theme) for part in parts]
    if fooled - safe <= 0.18 * (right - left):
        return bars, []
    word = {"x": (safe + fooled) / 2, "y": 0, "text": "unknown", "showarrow": False, "bgcolor": theme.background}
    return bars, [word | {"borderpad": 3}]


def _bar(start: float, end: float, colour: str, pattern: str, theme: Theme) -> dict[str, Any]:
    hatch = {"shape": pattern, "fgcolor": theme.background, "fillmode": "overlay", "size": 8, "solidity": 0.15}
    return {
        "type": "bar",
        "x": [end - start],
        "base": [start],
        "y": [0],
        "orientation": "h",
        "width": 0.5,
        "marker": {"color": colour, "line": {"width": 0}, "pattern": hatch},
        "hoverinfo": "skip",
    }


def _rectangle(bar: dict[str, Any]) -> dict[str, Any]:
    """A part of the bar as a shape."""
    (start,), (length,), half = bar["base"], bar["x"], bar["width"] / 2
    return {
        "type": "rect",
        "x0": start,
        "x1": start + length,
        "y0": -half,
        "y1": half,
        "fillcolor": bar["marker"]["color"],
        "line": {"width": 0},
        "layer": "below",
    }


def _marks(marks: Sequence[Mark], axis: DistanceAxis, theme: Theme) -> list[dict[str, Any]]:
    """The marks of one kind, as one trace."""
    if not marks:
        return []
    return [
        {
            "type": "scatter",
            "x": [axis.place(m.value) for m in marks],
            "y": [0] * len(marks),
            "mode": "markers",
            "marker": _marker(marks[0].kind, theme),
            "text": [f"{m.title}: {m.text}" for m in marks],
            "hovertemplate": "%{text}<extra></extra>",
        }
    ]


def _label(mark: Mark, axis: DistanceAxis, theme: Theme, height: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A thin stem from the bar and the name and number at its end, leaning inwards near an end of the axis."""
    share, x = axis.share(mark.value), axis.place(mark.value)
    leans_right = share < 0.5
    stem = {"type": "line", "x0": x, "x1": x, "y0": math.copysign(0.25, height), "y1": height}
    note = {
        "x": x,
        "y": height,
        "text": f"<b>{mark.text}</b> {mark.title}",
        "showarrow": False,
        "xanchor": "left" if leans_right else "right",
        "xshift": 5 if leans_right else -5,
        "yanchor": "middle",
        "font": {"color": theme.text, "size": theme.font},
        "bgcolor": theme.shades(theme.background, 0.8),
    }
    return stem | {"line": {"color": _colour(mark, theme), "width": 1.5}}, note


def _colour(mark: Mark, theme: Theme) -> str:
    return {LOWER: theme.lower, UPPER: theme.upper}.get(mark.kind, theme.estimate)


def _marker(kind: str, theme: Theme) -> dict[str, Any]:
    colour = {LOWER: theme.lower, UPPER: theme.upper}.get(kind, theme.estimate)
    rim = {"color": colour, "width": 2.5} if kind == ESTIMATE else {"color": theme.background, "width": 1.5}
    return {
        "symbol": _SYMBOLS[kind],
        "size": theme.font * (1.15 if kind == LOWER else 0.95),
        "color": colour,
        "line": rim,
    }
