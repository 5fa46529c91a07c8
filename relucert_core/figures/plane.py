"""The plane of a network with two inputs as a plotly figure: class areas, polyhedra, boundary, data.

The figure knows nothing of the point u: what follows the pointer is drawn over it by the browser. A browser draws
ten long paths quickly and a thousand short ones slowly: polygons are joined into a few traces with gaps (the `mode`
"none", as plotly makes a path of every piece of a line), and edges into long lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from relucert_core.figures.theme import GREEN, PURPLE, SKY_BLUE, VERMILION, YELLOW, Theme, blank_figure
from relucert_core.planar.polylines import polylines
from relucert_core.planar.slopes import local_slopes

if TYPE_CHECKING:
    from relucert_core.planar.complex import PlanarComplex

BY_LAYER, BY_REGION, BY_SLOPE = "layer", "region", "slope"
COLOURINGS = {BY_LAYER: "by layer of the neuron", BY_REGION: "by region", BY_SLOPE: "by local slope"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagon", "bowtie")
_SHADES = 8
_GOLDEN = 0.6180339887498949
_TINT = {"light": 0.2, "dark": 0.26}


def plane_figure(
    plane: PlanarComplex,
    theme: Theme,
    *,
    layers: frozenset[str],
    colouring: str = BY_LAYER,
    data: tuple[np.ndarray, np.ndarray] | None = None,
    view: tuple[float, float, float, float] | None = None,
) -> go.Figure:
    """The plane with the `layers` "classes", "polyhedra", "decision" and "data".

    colouring: how polyhedra are told apart, a key of COLOURINGS. data: points (N, 2) and labels (N,). view: the
    visible rectangle x0, x1, y0, y1; by default the box.
    """
    figure = blank_figure(theme, None)
    fills = "polyhedra" in layers and colouring != BY_LAYER
    if "classes" in layers and not (fills and colouring == BY_SLOPE):
        figure.add_traces(class_areas(plane, theme))
    if fills:
        figure.add_traces(shaded_regions(plane, theme, region_shades(plane, colouring), colouring))
    if "polyhedra" in layers:
        figure.add_traces(edge_lines(plane, theme, by_layer=colouring == BY_LAYER))
    if "decision" in layers:
        figure.add_traces(decision_lines(plane, theme))
    if data is not None and "data" in layers:
        figure.add_traces(data_points(*data, theme))
    _frame(figure, plane.box.ravel().tolist(), view)
    return figure


def layer_colour(layer: int, theme: Theme) -> str:
    """The colour of the edges that hidden layer `layer`, from 0, draws."""
    return (theme.text, PURPLE, VERMILION, SKY_BLUE if theme.name == "light" else GREEN, GREEN, YELLOW)[layer % 6]


def class_areas(plane: PlanarComplex, theme: Theme) -> list[go.Scatter]:
    """One tinted trace for each class that wins somewhere in the box."""
    decision = plane.decision
    return [
        _filled(
            joined(decision.vertices, decision.corners, decision.sizes, decision.classes == k),
            theme.shades(theme.class_colour(int(k)), _TINT[theme.name]),
            f"class {k}",
        )
        for k in np.unique(decision.classes)
    ]


def region_shades(plane: PlanarComplex, colouring: str) -> np.ndarray:
    """A shade from 0 to 7 for each region: any number that differs from its neighbours', or one that grows with slope.

    The slope is that of the lead of the best class over the second at the middle of the region.
    """
    if colouring == BY_REGION:
        return (np.arange(len(plane)) * _GOLDEN % 1 * _SHADES).astype(int)
    steep, (low, high) = local_slopes(plane), slope_ends(plane)
    if high <= 0:
        return np.zeros(len(plane), int)
    share = np.log(np.maximum(steep, low) / low) / max(np.log(high / low), 1e-9)
    return np.clip(share * _SHADES, 0, _SHADES - 1).astype(int)


def slope_ends(plane: PlanarComplex) -> tuple[float, float]:
    """The slopes at the ends of the colour scale: all but the flattest and the steepest two in a hundred regions."""
    steep = local_slopes(plane)
    positive = steep[steep > 0]
    low, high = np.quantile(positive, [0.02, 0.98]) if len(positive) else (0.0, 0.0)
    return float(low), float(high)


def slope_shades(theme: Theme) -> list[str]:
    """The colours of the scale, from flat to steep."""
    return [theme.shades(theme.lower, 0.06 + 0.74 * shade / (_SHADES - 1)) for shade in range(_SHADES)]


def shaded_regions(plane: PlanarComplex, theme: Theme, shades: np.ndarray, colouring: str) -> list[go.Scatter]:
    """The regions in at most eight traces, by shade; steep is dark (on a dark page: bright)."""
    traces = []
    for shade in np.unique(shades):
        if colouring == BY_SLOPE:
            colour = slope_shades(theme)[int(shade)]
        else:
            colour = theme.shades(theme.text, 0.02 + 0.24 * shade / (_SHADES - 1))
        traces.append(_filled(joined(plane.vertices, plane.corners, plane.sizes, shades == shade), colour, "polyhedra"))
    return traces


def edge_lines(plane: PlanarComplex, theme: Theme, *, by_layer: bool) -> list[go.Scatter]:
    """The edges of the polyhedra, thin, one trace a layer or one for all; without the rim of the box."""
    edges = plane.edges
    ends = plane.vertices[edges.ends]
    if not by_layer:
        return [_lines(ends[edges.neurons[:, 0] >= 0], theme.face, 0.4 * theme.line, "faces")]
    return [
        _lines(
            ends[edges.neurons[:, 0] == layer],
            layer_colour(layer, theme),
            theme.line * (0.55 if len(ends) < 4000 else 0.35),
            f"faces of layer {layer + 1}",
            0.8,
        )
        for layer in range(len(plane.bits))
    ]


def decision_lines(plane: PlanarComplex, theme: Theme) -> list[go.Scatter]:
    """The decision boundary, bold, with a rim that sets it off."""
    segments = plane.decision_segments
    rim = _lines(segments, theme.background, 2.6 * theme.line, "boundary")
    return [rim, _lines(segments, theme.boundary, 1.5 * theme.line, "boundary")]


def data_points(points: np.ndarray, labels: np.ndarray, theme: Theme) -> list[go.Scatter]:
    """The data, one trace a class, told apart by symbol and colour."""
    size = 5.5 if len(points) > 250 else 7
    return [
        go.Scatter(
            x=points[labels == k, 0].astype(np.float32),
            y=points[labels == k, 1].astype(np.float32),
            mode="markers",
            marker={
                "symbol": SYMBOLS[int(k) % len(SYMBOLS)],
                "size": size * (1.4 if theme.font >= 20 else 1),
                "color": theme.class_colour(int(k)),
                "line": {"width": 0.8, "color": theme.background},
            },
            name=f"data of class {k}",
            hoverinfo="skip",
        )
        for k in np.unique(labels)
    ]


def joined(vertices: np.ndarray, corners: np.ndarray, sizes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The chosen polygons, closed, one after the other with NaN gaps: (n, 2) float32."""
    lengths = sizes[chosen]
    picked = corners[np.repeat(chosen, sizes)]
    out = np.full((int(lengths.sum()) + 2 * len(lengths), 2), np.nan, np.float32)
    begins = np.cumsum(lengths) - lengths
    shift = np.repeat(np.arange(len(lengths)), lengths) * 2
    out[np.arange(len(picked)) + shift] = vertices[picked]
    out[begins + lengths + 2 * np.arange(len(lengths))] = vertices[picked[begins]]
    return out


def _filled(points: np.ndarray, colour: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="none", fill="toself", fillcolor=colour, hoverinfo="skip", name=name
    )


def _lines(ends: np.ndarray, colour: str, width: float, name: str, opacity: float = 1.0) -> go.Scatter:
    points = polylines(ends).astype(np.float32)
    return go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="lines", line={"color": colour, "width": width}, opacity=opacity,
        hoverinfo="skip", name=name,
    )  # fmt: skip


def _frame(figure: go.Figure, box: list[float], view: tuple[float, float, float, float] | None) -> None:
    x0, x1, y0, y1 = view or box
    size = figure.layout.template.layout.font.size
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain", "ticks": "outside", "ticklen": 4, "nticks": 6}
    figure.update_layout(
        xaxis={**axis, "range": [x0, x1], "minallowed": -10, "maxallowed": 10},
        yaxis={**axis, "range": [y0, y1], "minallowed": -10, "maxallowed": 10, "scaleanchor": "x"},
        dragmode="pan",
        hovermode="closest",
        clickanywhere=True,
        margin={"l": int(2.9 * size), "r": 8, "t": 8, "b": int(2.1 * size)},
    )
