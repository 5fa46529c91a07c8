"""The legend of a plane: a sample and a word for everything that the figure and the browser's overlay draw on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relucert_core.figures.plane import BY_LAYER, BY_SLOPE, SYMBOLS, layer_colour, slope_ends, slope_shades
from relucert_core.figures.theme import PURPLE, Theme
from relucert_core.words import down, up

if TYPE_CHECKING:
    from relucert_core.planar.complex import PlanarComplex

_TINT = 0.3
_MANY = 6  # classes that are named one by one


def plane_legend(
    plane: PlanarComplex, theme: Theme, *, layers: frozenset[str], colouring: str, data: np.ndarray | None
) -> list[dict[str, Any]]:
    """The items in reading order, ready for JSON.

    Each has `mark` ("area", "line", "circle", "dot", "attack" or "scale"), `colour` and `text`; `layer` names the layer
    of the overlay that must show something for it. data: the labels (N,) of the points, or None where none are drawn.
    """
    items = _classes(plane, theme, layers, colouring, data) + _faces(plane, theme, layers, colouring)
    if "decision" in layers:
        items.append(_line(theme.boundary, "decision boundary", 1.5 * theme.line))
    return items + [item for item in _overlay(theme) if item["layer"] in layers]


def _classes(
    plane: PlanarComplex, theme: Theme, layers: frozenset[str], colouring: str, data: np.ndarray | None
) -> list[dict[str, Any]]:
    areas = "classes" in layers and not ("polyhedra" in layers and colouring == BY_SLOPE)
    seen = set(plane.decision.classes.tolist()) if areas else set()
    marked = set(data.tolist()) if data is not None and "data" in layers else set()
    items = []
    for k in sorted(seen | marked)[:_MANY]:
        item: dict[str, Any] = {
            "mark": "area" if k in seen else "",
            "colour": theme.class_colour(int(k)),
            "tint": _TINT,
        }
        if k in marked:
            item["symbol"] = SYMBOLS[int(k) % len(SYMBOLS)]
        items.append(item | {"text": f"class {k}"})
    return items


def _faces(plane: PlanarComplex, theme: Theme, layers: frozenset[str], colouring: str) -> list[dict[str, Any]]:
    if "polyhedra" not in layers:
        return []
    if colouring == BY_LAYER:
        return [_line(layer_colour(i, theme), f"faces of layer {i + 1}", 1.6) for i in range(len(plane.bits))]
    lines = [_line(theme.face, "faces", 1.6)]
    if colouring == BY_SLOPE:
        low, high = slope_ends(plane)
        text = f"local slope, from {down(low)} to {up(high)}"
        lines.append({"mark": "scale", "colour": theme.lower, "colours": slope_shades(theme), "text": text})
    return lines


def _overlay(theme: Theme) -> Sequence[dict[str, Any]]:
    dashes = {"exact": "4 3", "boundary": "5 2 1 2", "extension": "1 4"}
    return (
        {"mark": "dot", "colour": theme.text, "text": "u", "layer": "region"},
        {
            "mark": "area",
            "colour": theme.region,
            "tint": _TINT,
            "rim": theme.text,
            "text": "u's region",
            "layer": "region",
        },
        _line(PURPLE, "what limits the circle", 2.6 * theme.line) | {"layer": "region"},
        {"mark": "circle", "colour": theme.lower, "tint": 0.22, "text": "safe circle (certified)", "layer": "circle"},
        {"mark": "circle", "colour": theme.exact, "dash": dashes["exact"], "text": "true distance", "layer": "exact"},
        _line(theme.boundary, "linear extension", theme.line) | {"dash": dashes["extension"], "layer": "extension"},
        {"mark": "circle", "colour": theme.lower, "dash": dashes["boundary"], "text": "Theorem 4", "layer": "boundary"},
        {"mark": "attack", "colour": theme.upper, "text": "attack and its way", "layer": "attacks"},
    )


def _line(colour: str, text: str, width: float) -> dict[str, Any]:
    return {"mark": "line", "colour": colour, "text": text, "width": width}
