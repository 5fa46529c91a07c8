"""The lesson's picture: what belongs to the network, as plain data for the browser, which draws what moves with u.

The letters of the neurons and the places of all words are chosen here; every number comes from the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from relucert_core.figures.plane import layer_colour
from relucert_core.figures.theme import BLACK, Theme
from relucert_core.planar.preview import bent_lines, preview_data

if TYPE_CHECKING:
    from relucert_core.experiments.lesson_mix import Mix
    from relucert_core.planar.complex import PlanarComplex

LAYER_NAMES = ("first", "second")
_TINT = {"light": 0.2, "dark": 0.3}
_SIGNS_AT = 0.86  # of a line, seen from its letter: there + and - stand on its two sides


def lesson_scene(
    plane: PlanarComplex,
    lower: PlanarComplex,
    mix: Mix,
    names: str,
    theme: Theme,
    *,
    show: Sequence[str] = (),
    title: str = "",
) -> dict[str, Any]:
    """What the browser needs for one step: the two networks, the lines, the class areas, the look and what to `show`.

    plane, lower: the subdivisions by the network and by the network without its last layer. mix: any record of
    Theorem 4 on the latter (its eight lines are the same at every point). names: one letter for each hidden neuron.
    It holds nothing that depends on the point, so that it is not sent again while the point moves.
    """
    return {
        "geometry": preview_data(plane),
        "lower": preview_data(lower),
        "box": plane.box.ravel().tolist(),
        "cells": _cells(plane),
        "names": _class_names(plane),
        "decision": _rounded(plane.decision_segments),
        "lowerDecision": _rounded(lower.decision_segments),
        "bent": _lines(plane, names),
        "patterns": _patterns(mix),
        "look": look(theme),
        "show": list(show),
        "title": title,
    }


def look(theme: Theme) -> dict[str, Any]:
    """Colours and sizes; in a lecture hall no line is thinner than 3 px and no letter smaller than 20 px."""
    projected = theme.font >= 20
    return {
        "text": theme.text,
        "background": theme.background,
        "grid": theme.grid,
        "face": theme.face,
        "region": theme.region,
        "lower": theme.lower,
        "exact": theme.exact,
        "first": layer_colour(0, theme),
        "second": layer_colour(1, theme),
        "onColour": {"first": theme.background, "second": BLACK},
        "classes": [theme.class_colour(k) for k in range(7)],
        "tint": _TINT[theme.name],
        "font": theme.font,
        "thin": 3.0 if projected else 1.6,
        "bold": 4.5 if projected else 2.8,
    }


def _rounded(points: np.ndarray) -> list[Any]:
    return np.round(points, 4).tolist()  # for drawing only


def _cells(plane: PlanarComplex) -> list[dict[str, Any]]:
    decision = plane.decision
    ends = np.cumsum(decision.sizes)
    corners = [decision.vertices[decision.corners[end - size : end]] for end, size in zip(ends, decision.sizes)]
    return [{"kind": int(k), "points": _rounded(p)} for k, p in zip(decision.classes, corners)]


def _class_names(plane: PlanarComplex) -> list[dict[str, Any]]:
    """A place for the name of each class, well inside its largest area."""
    found = []
    for k in np.unique(plane.decision.classes):
        area = shapely.union_all(plane.cell_polygons[plane.decision.classes == k])
        largest = max(shapely.get_parts(area), key=lambda part: part.area)
        spot = shapely.maximum_inscribed_circle(largest, tolerance=0.05).coords[0]
        found.append({"text": f"class {k}", "place": [round(c, 3) for c in spot]})
    return found


def _lines(plane: PlanarComplex, names: str) -> list[dict[str, Any]]:
    """Each hidden neuron's line inside the box as segments, with the places of its letter and of + and -."""
    ends, places = bent_lines(plane)
    first = plane.network.widths[0]
    found = []
    for i, name in enumerate(names):
        layer, neuron = (0, i) if i < first else (1, i - first)
        own = ends[(places == (layer, neuron)).all(1)]
        if not len(own):
            continue
        badge, far = _on_the_rim(own.reshape(-1, 2), plane.box)
        line = {"name": name, "layer": LAYER_NAMES[layer], "neuron": neuron, "ends": _rounded(own)}
        line |= {"badge": _rounded(badge), "middle": _rounded(badge + _SIGNS_AT * (far - badge))}
        found.append(line | {"row": plane.network.weights[0][neuron].tolist() if layer == 0 else []})
    return found


def _on_the_rim(points: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two corners of a line that lie nearest to the box's rim on either side: its letter's and the other."""
    room = np.minimum(points - box[:, 0], box[:, 1] - points).min(1)
    badge = points[np.lexsort((points[:, 1], points[:, 0], np.round(room, 9)))[0]]
    return badge, points[np.argmax(np.linalg.norm(points - badge, axis=1))]


def _patterns(mix: Mix) -> list[dict[str, Any]]:
    """The lines of all patterns, whichever class wins at the record's point."""
    sign = 1.0 if mix.prediction == 0 else -1.0
    ordered = sorted(mix.patterns, key=lambda one: one.pattern)
    return [
        {
            "name": one.line.name,
            "row": (sign * one.line.row + 0.0).tolist(),
            "offset": sign * one.line.offset + 0.0,
            "real": one.real,
        }
        for one in ordered
    ]
