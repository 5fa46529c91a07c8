"""One neuron as a relation: the two lines of z (z - a) = 0, the ReLU on them, and what averages of its points fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from relucert_core.figures.theme import Theme, figure_of

if TYPE_CHECKING:
    from relucert_core.experiments.lesson_relation import OpenNeuron


def relation_figure(neuron: OpenNeuron, theme: Theme, height: int = 300) -> go.Figure:
    """z against a, from the least to the largest a of the ball; the triangle is there when the sign is undecided."""
    low, high = neuron.low, neuron.high
    traces: list[dict[str, Any]] = []
    if neuron.open:
        triangle = {"x": [low, 0.0, high, low], "y": [0.0, 0.0, high, 0.0]}
        fill = {"fill": "toself", "fillcolor": theme.shades(theme.unknown, 0.5), "line": {"width": 0}}
        traces.append(_line("allowed on average", triangle) | fill)
    least, most = min(low, 0.0), max(high, 0.0)
    thin = {"color": theme.text, "width": theme.line, "dash": "dot"}
    traces += [
        _line("z = 0", {"x": [least, most], "y": [0.0, 0.0]}) | {"line": thin},
        _line("z = a", {"x": [least, most], "y": [least, most]}) | {"line": thin},
        _line("the neuron", _relu(low, high)) | {"line": {"color": theme.lower, "width": 2 * theme.line}},
        {
            "type": "scatter",
            "name": "u",
            "x": [neuron.value],
            "y": [max(neuron.value, 0.0)],
            "mode": "markers",
            "marker": {"size": theme.font, "color": theme.text},
            "hovertemplate": "at u: a = %{x:.3g}, z = %{y:.3g}<extra></extra>",
        },
    ]
    room = 0.08 * (most - least)
    return figure_of(
        theme,
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 8, "b": 3.2 * theme.font},
        xaxis=_axis(f"input a of neuron {neuron.name}", theme) | {"range": [least - room, most + room]},
        yaxis=_axis("output z", theme) | {"range": [-0.35 * (most - least), most + room], "automargin": True},
    )


def _relu(low: float, high: float) -> dict[str, list[float]]:
    """The ReLU's graph from `low` to `high`."""
    x = [low, *([0.0] if low < 0 < high else []), high]
    return {"x": x, "y": [max(a, 0.0) for a in x]}


def _line(name: str, ends: dict[str, list[float]]) -> dict[str, Any]:
    return {"type": "scatter", "name": name, "mode": "lines", "hoverinfo": "skip", **ends}


def _axis(title: str, theme: Theme) -> dict[str, Any]:
    return {
        "title": {"text": title, "font": {"color": theme.text, "size": theme.font}},
        "zeroline": False,
        "fixedrange": True,
        "nticks": 6,
    }
