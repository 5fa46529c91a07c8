"""Table 1 as two charts: the run time of each method (the paper's beside ours), and the radius that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from relucert_core.experiments.records import Panel, Record
from relucert_core.experiments.summaries import Spread, Summary, summarise
from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.theme import Theme, figure_of
from relucert_core.words import down, duration

HERE, PAPER = "here", "the paper's"
_ROW = 26  # pixels
_LEGEND = 3  # lines above the rows, in both charts, so that their rows stand at the same heights


def times_chart(record: Record, theme: Theme) -> go.Figure:
    """Seconds an image, log scale: filled circles here (with the quartiles), open diamonds in the paper."""
    rows = _rows(record.panels)
    axis = DistanceAxis.for_values(
        v for _, s in rows if s for v in (*_ends(s.seconds), s.paper_seconds or s.seconds.median)
    )
    ours = _points(rows, lambda s: s.seconds.median, axis, duration)
    paper = _points(rows, lambda s: s.paper_seconds, axis, duration)
    traces = [
        *_whiskers(rows, lambda s: s.seconds, axis, theme.text, theme),
        _marks(PAPER, paper, "diamond-open", theme.estimate, theme),
        _marks(HERE, ours, "circle", theme.exact, theme),
    ]
    return _chart(rows, traces, _decades(axis.layout(theme, "seconds an image (log scale)"), axis), theme, legend=True)


def radii_chart(record: Record, theme: Theme) -> go.Figure:
    """The median certified radius of each method with its quartiles, row by row beside `times_chart`.

    The rows of a network whose radii mean nothing, since its weights are random, say so and stay empty.
    """
    rows = _rows(record.panels, radii=True)
    axis = DistanceAxis.for_values(v for _, s in rows if s for v in _ends(s.values))
    traces = [
        *_whiskers(rows, lambda s: s.values, axis, theme.lower, theme),
        _marks("radius", _points(rows, lambda s: s.values.median, axis, _radius), "triangle-right", theme.lower, theme),
    ]
    across = axis.layout(theme, f"certified radius ({record.norm}, log scale)")
    notes = [_note(-row, theme) for row, (title, _) in enumerate(rows) if title in _without_radii(record.panels)]
    return _chart(rows, traces, across, theme, legend=False, shapes=axis.rails(theme), annotations=notes)


Rows = list[tuple[str, Summary | None]]


def _rows(panels: Sequence[Panel], *, radii: bool = False) -> Rows:
    """A heading a network, then a row a method, from the top; with `radii` no summary where they mean nothing."""
    rows: Rows = []
    for panel in panels:
        rows.append((_heading(panel), None))
        shown = panel.radii or not radii
        rows += [(series.title, summarise(series) if shown else None) for series in panel.series if series.values]
    return rows


def _heading(panel: Panel) -> str:
    return f"<b>{panel.title}</b>"


def _without_radii(panels: Sequence[Panel]) -> list[str]:
    return [_heading(panel) for panel in panels if not panel.radii]


def _note(y: int, theme: Theme) -> dict[str, Any]:
    """What stands in the row of a network that is here for its times alone."""
    return {
        "x": 0.5,
        "xref": "paper",
        "y": y,
        "text": "random weights: time only",
        "showarrow": False,
        "font": {"color": theme.text, "size": theme.font},
    }


def _points(
    rows: Rows, number: Callable[[Summary], float | None], axis: DistanceAxis, words: Callable[[float], str]
) -> list[tuple[float, int, str]]:
    found = []
    for row, (title, summary) in enumerate(rows):
        value = None if summary is None else number(summary)
        if value is not None:
            found.append((axis.place(value), -row, f"{title}: {words(value)}"))
    return found


def _radius(value: float) -> str:
    return down(value, 3)


def _ends(spread: Spread) -> tuple[float, float]:
    return spread.low, spread.high


def _whiskers(
    rows: Rows, spread: Callable[[Summary], Spread], axis: DistanceAxis, colour: str, theme: Theme
) -> list[dict[str, Any]]:
    """The line from the lower to the upper quartile of each row."""
    lines = []
    for row, (_, summary) in enumerate(rows):
        if summary is not None:
            low, high = _ends(spread(summary))
            lines.append(
                {
                    "type": "scatter",
                    "x": [axis.place(low), axis.place(high)],
                    "y": [-row, -row],
                    "mode": "lines",
                    "line": {"color": theme.shades(colour, 0.45), "width": 2 * theme.line},
                    "showlegend": False,
                    "hoverinfo": "skip",
                }
            )
    return lines


def _marks(name: str, points: list[tuple[float, int, str]], symbol: str, colour: str, theme: Theme) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "x": [x for x, _, _ in points],
        "y": [y for _, y, _ in points],
        "mode": "markers",
        "marker": {"symbol": symbol, "size": 0.85 * theme.font, "color": colour, "line": {"width": 2, "color": colour}},
        "text": [words for _, _, words in points],
        "hovertemplate": "%{text}<extra>" + name + "</extra>",
    }


def _decades(layout: dict[str, Any], axis: DistanceAxis) -> dict[str, Any]:
    """An axis without the rails: times are neither 0 nor infinite."""
    trimmed = {"tickvals": layout["tickvals"][1:-1], "ticktext": layout["ticktext"][1:-1]}
    return layout | trimmed | {"range": [axis.low, axis.high], "showgrid": True}


def _chart(
    rows: Rows, traces: list[dict[str, Any]], across: dict[str, Any], theme: Theme, *, legend: bool, **layout: Any
) -> go.Figure:
    return figure_of(
        theme,
        traces,
        int(_ROW * len(rows) + (_LEGEND + 4) * theme.font),
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": _LEGEND * theme.font, "b": 4 * theme.font},
        xaxis=across,
        yaxis={
            "range": [-len(rows) + 0.4, 0.6],
            "tickvals": [-row for row in range(len(rows))],
            "ticktext": [title for title, _ in rows],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        **layout,
    )
