"""A search over time: the lower bound rises, the upper bound falls, and what lies between them is not known yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.theme import Theme, figure_of
from relucert_core.words import down, duration, up

if TYPE_CHECKING:
    from relucert_core.experiments.search_run import Reading, SearchRun

FIRST_SECONDS = 1e-3  # the left end of the time axis at the latest
_HAIR = 0.03  # decades: smaller moves of a bound are not drawn in the grey of the gap
_TIGHT = 0.2  # of the axis: labels of bounds nearer than this are pushed apart
_ROOM = 0.36  # of the time axis, right of the last reading


def search_trace(
    run: SearchRun,
    theme: Theme,
    *,
    names: tuple[str, str, str],
    axis_title: str,
    makers: Mapping[str, str] | None = None,
    height: int = 360,
    seconds: float = 0.0,
) -> go.Figure:
    """Both bounds against time, both axes logarithmic, with a rail for 0 and one for infinity.

    names: the labels of the lower bound, the upper bound and the exact value, numbers and all. makers: the titles of
    the methods that make bounds; a dot stands where another one takes over. seconds: how long the time axis is at
    least.
    """
    readings, last = run.readings, run.readings[-1]
    axis = DistanceAxis.for_values(v for r in (readings[0], last) for v in (r.lower, r.upper))
    end = max(last.seconds, seconds, 10 * FIRST_SECONDS)
    start = min(max(readings[0].seconds, FIRST_SECONDS), end / 10)
    ends = (math.log10(start), math.log10(end))
    reach = (ends[0], ends[1] + _ROOM * (ends[1] - ends[0]))
    times = [max(math.log10(max(r.seconds, start)), ends[0]) for r in readings]
    lows, highs = [axis.place(r.lower) for r in readings], [axis.place(r.upper) for r in readings]
    above = [_hover(f"fooled at {up(r.upper, 4)}", r, r.upper_by, makers or {}) for r in readings]
    under = [_hover(f"safe to {down(r.lower, 4)}", r, r.lower_by, makers or {}) for r in readings]
    traces = [
        _line(times, highs, theme.upper, "dash", theme, above),
        _line(times, lows, theme.lower, "solid", theme, under),
        _takeovers(times, highs, [r.upper_by for r in readings], theme.upper, theme, above),
        _takeovers(times, lows, [r.lower_by for r in readings], theme.lower, theme, under),
    ]
    traces += _ends(run, times[-1], lows[-1], highs[-1], theme)
    return figure_of(
        theme,
        traces,
        height,
        shapes=_rails(axis, theme) + _gap(times, lows, highs, theme),
        annotations=_notes(run, axis, times[-1], reach, names, theme),
        margin={"l": 4.8 * theme.font, "r": 10, "t": 8, "b": 3.4 * theme.font},
        xaxis=_time_axis(reach, theme),
        yaxis=axis.layout(theme, axis_title),
    )


def _hover(words: str, reading: Reading, maker: str, makers: Mapping[str, str]) -> str:
    by = f"<br>by: {makers.get(maker, maker)}" if maker else ""
    return f"{words} after {duration(reading.seconds)}, {reading.regions:,} worked through{by}"


def _takeovers(
    x: list[float], y: list[float], makers: list[str], colour: str, theme: Theme, words: list[str]
) -> dict[str, Any]:
    """A dot on a bound's line wherever another method takes over."""
    places = [i for i, maker in enumerate(makers) if maker and maker != (makers[i - 1] if i else "")]
    return {
        "type": "scatter",
        "x": [x[i] for i in places],
        "y": [y[i] for i in places],
        "mode": "markers",
        "marker": {"symbol": "circle", "size": 0.6 * theme.font, "color": colour},
        "text": [words[i] for i in places],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _line(x: list[float], y: list[float], colour: str, dash: str, theme: Theme, words: list[str]) -> dict[str, Any]:
    """One bound as stairs: between two readings the older one holds."""
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": colour, "width": 1.5 * theme.line, "shape": "hv", "dash": dash},
        "text": words,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _ends(run: SearchRun, x: float, low: float, high: float, theme: Theme) -> list[dict[str, Any]]:
    """The marks at the right end: a triangle for the lower bound, a cross for the upper one, or a diamond for both."""
    if run.exact:
        marks = [("diamond", low, theme.exact)]
    else:
        marks = [("triangle-right", low, theme.lower), ("x", high, theme.upper)]
    return [
        {
            "type": "scatter",
            "x": [x],
            "y": [y],
            "mode": "markers",
            "marker": {"symbol": symbol, "size": 1.1 * theme.font, "color": colour},
            "hoverinfo": "skip",
        }
        for symbol, y, colour in marks
    ]


def _gap(x: list[float], lows: list[float], highs: list[float], theme: Theme) -> list[dict[str, Any]]:
    """The unknown gap as a few grey rectangles: a new one where a bound has moved by more than a hair."""
    cuts = [0]
    for i in range(1, len(x)):
        moved = max(abs(lows[i] - lows[cuts[-1]]), abs(highs[i] - highs[cuts[-1]]))
        if moved > _HAIR:
            cuts.append(i)
    cuts.append(len(x) - 1)
    return [
        {
            "type": "rect",
            "x0": x[a],
            "x1": x[b],
            "y0": lows[a],
            "y1": highs[a],
            "fillcolor": theme.shades(theme.unknown, 0.45),
            "line": {"width": 0},
            "layer": "below",
        }
        for a, b in pairwise(cuts)
        if x[b] > x[a]
    ]


def _rails(axis: DistanceAxis, theme: Theme) -> list[dict[str, Any]]:
    """The rails of the distances, lying: the axis runs upward here."""
    turned = {"xref": "yref", "yref": "xref", "x0": "y0", "x1": "y1", "y0": "x0", "y1": "x1"}
    rails = [{turned.get(key, key): value for key, value in rail.items()} for rail in axis.rails(theme)]
    return [rail | {"yref": "y", "xref": "paper"} for rail in rails]


def _notes(
    run: SearchRun, axis: DistanceAxis, x: float, reach: tuple[float, float], names: tuple[str, str, str], theme: Theme
) -> list[dict[str, Any]]:
    """The names of the bounds at their ends, and a word on the gap."""
    low, high = axis.place(run.lower), axis.place(run.upper)
    if run.exact:
        return [_note(x, low, names[2], 0.0)]
    share = (high - low) / (axis.ends[1] - axis.ends[0])
    apart = 0.0 if share > _TIGHT else 1.5 * theme.font
    notes = [_note(x, low, names[0], -apart), _note(x, high, names[1], apart)]
    if share > _TIGHT:
        notes.append({"x": (reach[0] + x) / 2, "y": (low + high) / 2, "text": "unknown", "showarrow": False})
    return notes


def _note(x: float, y: float, words: str, shift: float) -> dict[str, Any]:
    return {"x": x, "y": y, "text": words, "showarrow": False, "xanchor": "left", "xshift": 14, "yshift": shift}


def _time_axis(reach: tuple[float, float], theme: Theme) -> dict[str, Any]:
    """Seconds on a linear axis of logarithms."""
    decades_from, decades_to = math.floor(reach[0]), math.ceil(reach[1]) + 1
    decades = [n for n in range(decades_from, decades_to) if reach[0] <= n <= reach[1]]
    ticks = [(float(n), _seconds(10.0**n)) for n in decades]
    if len(decades) < 3:
        ticks = [(n + math.log10(k), _seconds(k * 10.0**n)) for n in range(decades_from, decades_to) for k in (1, 2, 5)]
        ticks = [tick for tick in ticks if reach[0] <= tick[0] <= reach[1]]
    return {
        "range": list(reach),
        "tickvals": [value for value, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "title": {"text": "time (log scale)", "font": {"color": theme.text, "size": theme.font}},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "outside",
        "tickcolor": theme.grid,
    }


def _seconds(value: float) -> str:
    """A mark of the axis: 1, 2 or 5 times a power of ten."""
    return f"{value:.3g} s" if value >= 0.1 else f"{1000 * value:.3g} ms"
