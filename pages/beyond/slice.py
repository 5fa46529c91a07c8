"""The slice of the page "Beyond": which plane, which circles, and its controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.beyond import engine as beyond_engine
from pages.beyond.components import growth, slice_viewer, spot_of, zoom_of
from pages.beyond.state import ANOTHER, FACE, RANDOM, REACH, STATE, VIEWER, ZOOMS, Scene
from pages.shared import engine
from pages.shared.shell import presenting
from relucert_core.experiments.explored import explored_regions
from relucert_core.experiments.search_run import Recorder, SearchRun, explored_patterns
from relucert_core.experiments.slices import SlicePlane, SliceView, random_third
from relucert_core.figures.slice import Circle, Spot
from relucert_core.words import down, up

if TYPE_CHECKING:
    from relucert_core.network import Network


@dataclass(frozen=True)
class Cut:
    """A slice ready to draw: plane, network on it, view, circles and marked points."""

    plane: SlicePlane
    flat: Network
    view: SliceView
    circles: tuple[Circle, ...]
    spots: tuple[Spot, ...]


def cut_of(scene: Scene, run: SearchRun) -> Cut:
    """The slice that the controls ask for."""
    plane = beyond_engine.toy_plane(scene.point) if scene.toy else _digit_plane(scene, run)
    flat = beyond_engine.flat_network(scene.net, plane)
    view = beyond_engine.look_at(flat, STATE.now.zoom)
    return Cut(plane, flat, view, _circles(scene, run), _spots(scene, run, plane))


def show_slice(
    scene: Scene, run: SearchRun, recorder: Recorder | None, tallest: int, key: str = VIEWER, *, aside: bool = True
) -> Cut:
    """Draw the slice; with a walk over the plane itself, the polyhedra that it has explored."""
    cut = cut_of(scene, run)
    grow = None
    if scene.toy and recorder is not None and scene.method == "neighbours" and scene.norm == 2:
        explored = explored_regions(cut.view.complex, explored_patterns(recorder)) if cut.view.complex else None
        grow = growth(cut.view, explored, run.lower) if explored is not None else None
    slice_viewer(
        key,
        cut.view,
        scene.theme,
        plane=None if scene.toy else cut.plane,
        circles=cut.circles,
        spots=cut.spots,
        names=scene.names,
        home="the point u" if scene.toy else "the digit",
        grow=grow,
        tallest=tallest,
        clickable=scene.toy,
        aside=aside,
        zoom=(ZOOMS.index(STATE.now.zoom), len(ZOOMS)),
        on_zoom=partial(_zoomed, key),
        on_spot=_clicked,
    )
    return cut


def plane_controls(scene: Scene) -> None:
    """The third point of the plane, or where u is."""
    if scene.toy:
        STATE.panel("point", columns=2)
        return
    st.markdown("The plane goes through the digit, its adversarial digit, and a third point:")
    STATE.panel("plane")


def third_of(scene: Scene) -> tuple[str, int]:
    """Which third point, and the number that goes with it: the image or the seed."""
    fields = STATE.now
    if fields.third == RANDOM:
        return RANDOM, fields.seed
    number = fields.other
    if fields.third == ANOTHER and scene.digit is not None and number == scene.digit.index:
        number = number + 1 if number < 999 else 0
    return fields.third, number


def circle_words(scene: Scene, run: SearchRun) -> list[str]:
    """The circles as text."""
    return [circle.words for circle in _circles(scene, run)]


def _digit_plane(scene: Scene, run: SearchRun) -> SlicePlane:
    kind, number = third_of(scene)
    point = scene.point
    another = engine.as_point(engine.sample()[0][number if kind == ANOTHER else 1].tobytes())
    third = another
    if kind == RANDOM:
        third = random_third(point, number)
    elif kind == FACE:
        near = beyond_engine.nearest_face(scene.net, point.tobytes())
        third = another if near is None else point + (near - point) / max(float(np.linalg.norm(near - point)), 1e-12)
    second = run.witness if run.witness is not None else another
    return beyond_engine.plane_of(point, second, third)


def _circles(scene: Scene, run: SearchRun) -> tuple[Circle, ...]:
    """The simplex ball, the best certified ball and the attack; one ball where the last two meet. L2 only."""
    if run.subject.norm != "L2":
        return ()
    first = run.readings[0].lower
    circles = []
    if 0 < first < math.inf and first < run.lower:
        where = "" if scene.toy or STATE.now.third == FACE else "; that face lies outside this plane"
        circles.append(Circle(first, "first", f"nearest face: safe to {down(first)} (simplex){where}"))
    if run.exact:
        circles.append(Circle(run.lower, "exact", f"exact distance {down(run.lower)}"))
        return tuple(circles)
    if 0 < run.lower < math.inf:
        circles.append(Circle(run.lower, "lower", f"best safe ball, proved: {down(run.lower)}"))
    if run.upper < math.inf:
        circles.append(Circle(run.upper, "upper", f"nearest other answer found: {up(run.upper)}"))
    return tuple(circles)


def _spots(scene: Scene, run: SearchRun, plane: SlicePlane) -> tuple[Spot, ...]:
    """u, the adversarial point and the third point; for a toy the adversarial point lies where it lies."""
    if scene.toy:
        spots = [Spot(0.0, 0.0, "u")]
        if run.witness is not None:
            s, t = (run.witness - scene.point).tolist()
            spots.append(Spot(s, t, "nearest other answer"))
        return tuple(spots)
    spots = [Spot(0.0, 0.0, "digit")]
    if run.witness is not None and run.rival is not None:
        spots.append(Spot(*plane.second, f"read as {scene.names[run.rival]}"))
    kind, _ = third_of(scene)
    return (*spots, Spot(*plane.third, "another digit" if kind == ANOTHER else "third point"))


def _zoomed(key: str) -> None:
    place = zoom_of(key, len(ZOOMS))
    if place is not None:
        STATE.change(zoom=ZOOMS[place])


def _clicked() -> None:
    """For a toy network a click puts u there; the plane is drawn around u."""
    spot = spot_of(VIEWER)
    if spot is not None and not presenting():
        x, y = STATE.now.x + spot[0], STATE.now.y + spot[1]
        STATE.change(x=round(REACH.nearest(x), 4), y=round(REACH.nearest(y), 4))
