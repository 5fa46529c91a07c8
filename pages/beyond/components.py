"""The browser components of the page "Beyond": the slice with its pointer, and the morph from digit to adversary."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.shared.component import BrowserComponent, sent_point, sent_whole
from relucert_core.figures.slice import (
    DASHES,
    EDGE_OPACITY,
    Circle,
    Spot,
    class_tint,
    edge_width,
    kind_colour,
    viewer_data,
)
from relucert_core.figures.theme import Theme

if TYPE_CHECKING:
    from relucert_core.experiments.explored import Explored
    from relucert_core.experiments.slices import SlicePlane, SliceView

_SLICE = BrowserComponent(
    "slice_viewer", __file__, html='<div class="slice"></div>', css="slice_viewer.css", js=["slice_viewer.js"]
)
_MORPH = BrowserComponent("morph", __file__, html='<div class="morph"></div>', css="morph.css", js=["morph.js"])
_FAMILY = "Source Sans, Source Sans Pro, sans-serif"


def slice_viewer(
    key: str,
    view: SliceView,
    theme: Theme,
    *,
    plane: SlicePlane | None,
    circles: Sequence[Circle],
    spots: Sequence[Spot],
    names: Sequence[str],
    home: str,
    grow: dict[str, Any] | None,
    tallest: int,
    clickable: bool,
    aside: bool,
    zoom: tuple[int, int],
    on_zoom: Callable[[], None],
    on_spot: Callable[[], None],
) -> None:
    """Show a slice. `plane`: for networks of 784 inputs, so that digits can be shown. `home`: what is at the centre.

    zoom: the place of the present zoom, and how many there are. grow: see `growth`. aside: with the digit under the
    pointer and the legend. clickable: a click reports where it was, see `spot_of`.
    """
    data = viewer_data(view, theme, plane)
    data |= {
        "circles": [
            {
                "radius": c.radius,
                "colour": kind_colour(theme, c.kind),
                "words": c.words,
                "dash": list(DASHES[c.kind]),
            }
            for c in circles
        ],
        "spots": [{"s": p.s, "t": p.t, "words": p.words} for p in spots],
        "names": list(names),
        "home": home,
        "grow": grow,
        "tallest": tallest,
        "clickable": clickable,
        "aside": aside,
        "zoom": zoom[0],
        "zooms": zoom[1],
        "edgeWidth": edge_width(len(view.edges)),
        "legend": _legend(view, theme, circles, names),
        "alt": f"The network on a plane around {home}: {view.words}",
        "look": _look(theme),
    }
    data["stamp"] = hashlib.sha256(repr(data).encode()).hexdigest()[:16]
    _SLICE(key, data, on_zoom_change=on_zoom, on_spot_change=on_spot)


def growth(view: SliceView, explored: Explored, end: float) -> dict[str, Any] | None:
    """The explored polyhedra for the slider that lets the ball grow to radius `end`."""
    plane = view.complex
    if plane is None or not len(explored.regions) or not 0 < end < math.inf:
        return None
    polygons = [plane.polygon(int(i)) for i in explored.regions]
    corners = np.concatenate(polygons).astype("<f4")
    return {
        "corners": base64.b64encode(corners.tobytes()).decode("ascii"),
        "sizes": [len(p) for p in polygons],
        "distances": explored.distances.tolist(),
        "end": end,
        "shown": len(plane),
    }


def morph(
    key: str, one: np.ndarray, other: np.ndarray, *, distance: float, whole: str, readings: list[int],
    names: Sequence[str], ends: tuple[str, str], theme: Theme, size: int,
) -> None:  # fmt: skip
    """The slider from one digit (784,) to another; readings: the class at evenly spaced points between them.

    whole: the distance as the page has it.
    """
    data = {
        "one": base64.b64encode(one.astype("<f4").tobytes()).decode("ascii"),
        "other": base64.b64encode(other.astype("<f4").tobytes()).decode("ascii"),
        "distance": distance,
        "whole": whole,
        "readings": readings,
        "steps": len(readings) - 1,
        "names": list(names),
        "left": ends[0],
        "right": ends[1],
        "alt": f"The digit on its way from {ends[0]} to {ends[1]}",
        "size": size,
        "font": theme.font,
        "stamp": hashlib.sha256(one.tobytes() + other.tobytes()).hexdigest()[:16],
    }
    _MORPH(key, data)


def zoom_of(key: str, count: int) -> int | None:
    """The place among `count` zooms that was asked for by a key on the slice, else None."""
    return sent_whole(key, "zoom", 0, count - 1)


def spot_of(key: str, reach: float = 10.0) -> tuple[float, float] | None:
    """Where the slice was clicked, or None."""
    return sent_point(key, "spot", reach)


def _look(theme: Theme) -> dict[str, Any]:
    colours = {name: getattr(theme, name) for name in ("text", "background", "lower", "boundary", "region")}
    return {
        **colours,
        "face": theme.shades(theme.text, EDGE_OPACITY),
        "line": theme.line,
        "font": theme.font,
        "family": _FAMILY,
    }


def _out_of_sight(radius: float, half: float) -> str:
    """Why a circle cannot be seen, if so."""
    if radius > math.sqrt(2) * half:
        return " (outside the picture)"
    return " (too small to see here)" if radius < half / 250 else ""


def _legend(view: SliceView, theme: Theme, circles: Sequence[Circle], names: Sequence[str]) -> list[dict[str, Any]]:
    """What every line and colour means; only the classes that are in the picture."""
    lines = []
    if view.complex is not None:
        lines.append(
            {
                "kind": "line",
                "colour": theme.shades(theme.text, EDGE_OPACITY),
                "width": 1.5,
                "words": "faces of the polyhedra",
            }
        )
    if len(view.segments):
        lines.append({"kind": "line", "colour": theme.boundary, "width": 3, "words": "boundary between answers"})
    for circle in circles:
        dash = " ".join(f"{n:g}" for n in DASHES[circle.kind])
        line = {"kind": "line", "colour": kind_colour(theme, circle.kind), "width": 3, "dash": dash}
        lines.append(line | {"words": circle.words + _out_of_sight(circle.radius, view.half)})
    areas = [
        {"kind": "area", "colour": class_tint(theme, int(k)), "words": f"read as {names[int(k)]}"}
        for k in np.unique(view.classes)
    ]
    return lines + areas
