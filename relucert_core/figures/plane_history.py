"""Figures about training: radii and accuracy over time, and the share of points that are safe up to a radius."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from relucert_core.figures.theme import Theme, blank_figure, template

_DASHES = ("solid", "dash", "dot", "dashdot")


def history_figure(history: Mapping[str, Sequence[float]], theme: Theme, mark: int | None = None) -> go.Figure:
    """The medians of the safe radii and of the exact distances, and the accuracy, by epoch.

    history: columns "epoch", "safe", "exact", "accuracy". mark: the epoch that is on the screen.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    epochs = list(history["epoch"])
    for name, key, colour, symbol in (
        ("median safe radius", "safe", theme.lower, "triangle-right"),
        ("median true distance", "exact", theme.exact, "diamond"),
    ):
        figure.add_trace(_curve(epochs, list(history[key]), name, colour, symbol, theme), row=1, col=1)
    accuracy = [100 * a for a in history["accuracy"]]
    figure.add_trace(_curve(epochs, accuracy, "accuracy in %", theme.estimate, "circle", theme), row=2, col=1)
    figure.update_layout(template=template(theme), height=330, dragmode=False)
    figure.update_layout(margin={"l": 62, "r": 12, "t": 28, "b": 56})
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_yaxes(rangemode="tozero", fixedrange=True)
    figure.update_yaxes(range=[0, 105], nticks=3, row=2, col=1)
    figure.update_xaxes(fixedrange=True)
    figure.update_xaxes(title="epoch", row=2, col=1)
    if mark is not None:
        figure.add_vline(x=mark, line={"color": theme.text, "width": 1, "dash": "dot"})
    return figure


def radii_figure(radii: Mapping[str, tuple[np.ndarray, np.ndarray]], theme: Theme) -> go.Figure:
    """For each way of training the share of points that are safe up to a radius, and that are right up to a distance.

    radii: name -> (safe radii (N,), exact distances (N,)), 0 where the network is wrong.
    """
    figure = blank_figure(theme, 340)
    for i, (name, (safe, exact)) in enumerate(radii.items()):
        dash = _DASHES[i % len(_DASHES)]
        figure.add_trace(_shares(safe, f"{name}: safe", theme.lower, dash, theme))
        figure.add_trace(_shares(exact, f"{name}: true", theme.exact, dash, theme))
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_layout(margin={"l": 70, "r": 12, "t": 28, "b": 56})
    figure.update_xaxes(title="radius (L2)", rangemode="tozero", fixedrange=True)
    figure.update_yaxes(title="% of test points", range=[0, 102], fixedrange=True)
    return figure


def planes_figure(planes: Sequence[go.Figure], titles: Sequence[str], theme: Theme) -> go.Figure:
    """Several planes side by side, each with its title."""
    figure = make_subplots(rows=1, cols=len(planes), subplot_titles=list(titles), horizontal_spacing=0.02)
    for column, plane in enumerate(planes, start=1):
        for trace in plane.data:
            figure.add_trace(trace, row=1, col=column)
        x, y = plane.layout.xaxis.range, plane.layout.yaxis.range
        number = "" if column == 1 else str(column)
        figure.update_xaxes(range=x, visible=False, fixedrange=True, row=1, col=column)
        figure.update_yaxes(range=y, visible=False, fixedrange=True, scaleanchor=f"x{number}", row=1, col=column)
    figure.update_layout(template=template(theme), height=300, showlegend=False, dragmode=False)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 28, "b": 4})
    return figure


def _curve(x: list[float], y: list[float], name: str, colour: str, symbol: str, theme: Theme) -> go.Scatter:
    line, marker = {"color": colour, "width": theme.line}, {"symbol": symbol, "size": 7, "color": colour}
    return go.Scatter(x=x, y=y, name=name, mode="lines+markers", line=line, marker=marker)


def _shares(values: np.ndarray, name: str, colour: str, dash: str, theme: Theme) -> go.Scatter:
    ordered = np.sort(values[np.isfinite(values)])
    share = 100 * (1 - np.arange(len(ordered)) / max(len(values), 1))
    return go.Scatter(
        x=np.concatenate([[0.0], ordered]), y=np.concatenate([[share[0] if len(share) else 0.0], share]), name=name,
        mode="lines", line={"color": colour, "dash": dash, "width": theme.line, "shape": "vh"},
    )  # fmt: skip
