"""The panel beside the plane: what is certified at the point u. It alone runs again when the point moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.playground import engine, state, words
from pages.playground.components import plane_answer, plane_picker
from pages.playground.provenance import about, code_of
from pages.playground.scene import Scene
from pages.playground.setup import MAX_LINKED, REACH
from pages.shared.charts import Numbers, numbers_behind, table
from pages.shared.component import sent_point, sent_points
from pages.shared.control import control, reading
from pages.shared.plane import Answer, answer_at, true_distance
from pages.shared.shell import presenting
from relucert_core.words import down

MODE, NEW_CLASS = "pg_mode", "pg_new_class"
X, Y = "pg_x", "pg_y"
LONGEST_STROKE = 150  # as in strokes.js
PLANE = "the pictures"


def typed() -> None:
    """A coordinate was typed."""
    state.send_point((float(reading(X)), float(reading(Y))))


def spot_clicked() -> None:
    """The plane was clicked while points are added or removed."""
    spot = sent_point(state.PICK, "spot")
    if spot is None:
        return
    points, labels = state.points()
    if st.session_state.get(MODE) != "add" and not len(points):
        return
    if st.session_state.get(MODE) == "add":
        new = np.vstack([points, [spot]]), np.append(labels, int(st.session_state.get(NEW_CLASS, 0)))
    else:
        nearest = int(np.linalg.norm(points - spot, axis=1).argmin())
        new = np.delete(points, nearest, axis=0), np.delete(labels, nearest)
    state.guarded(state.edit_points, *new)
    st.session_state["pg_edited"] = True


def stroke_drawn() -> None:
    """Points were drawn by a stroke; they have the chosen class, and all others keep theirs."""
    drawn = sent_points(state.PICK, "stroke", LONGEST_STROKE, REACH)
    if drawn is None or st.session_state.get(MODE) != "draw":
        return
    points, labels = state.points()
    ink = np.full(len(drawn), int(st.session_state.get(NEW_CLASS, 0)))
    state.guarded(state.edit_points, np.vstack([points, drawn]), np.append(labels, ink))
    st.session_state["pg_edited"] = True


def answer_words(scene: Scene, answer: Answer) -> None:
    """The sentence and the numbers."""
    st.markdown(words.headline(answer))
    with st.container(horizontal=True, key="pg_metrics"):
        st.metric("Safe radius (certified)", down(answer.simplex.radius))
        st.metric("True distance", true_distance(answer))
    st.markdown(words.case(answer))


def drawn(scene: Scene) -> frozenset[str]:
    """The layers that show something: Theorem 4's circle only where the theorem holds."""
    return frozenset(scene.view.layers) - (set() if scene.net.depth == 2 else {"boundary"})


def coordinates() -> None:
    """u as numbers, which is also the way without a pointer; closed, as they stand still while u is dragged."""
    with st.expander("Type where u is"), st.container(horizontal=True):
        for label, name, value in zip(("u, x", "u, y"), (X, Y), state.view().point, strict=True):
            key, first = control(name, value)
            st.number_input(label, -REACH, REACH, first, step=0.01, format="%.3f", key=key, on_change=typed)


@st.fragment
def point_panel(scene: Scene) -> None:
    """Sentence, numbers, coordinates, and the component that draws over the chart."""
    view = state.view()
    turned = not presenting() and st.session_state.get(state.LIT, "") != state.true_preset()  # a chip goes on or out
    if turned or st.session_state.pop("pg_edited", False) or engine.half_for(view.view) != float(scene.plane.box[0, 1]):
        st.rerun()  # other data, or zoomed out of the square, or back: the figure is made anew
    answer = answer_at(scene.net, scene.plane, view.point)
    with st.container(key="pg_words"):
        answer_words(scene, answer)
    plane_picker(
        state.PICK,
        target=scene.chart,
        geometry=engine.geometry_of(scene.plane),
        point=st.session_state[state.SEED],
        seq=st.session_state[state.SEQ],
        layers=view.layers,
        theme=scene.theme,
        mode=st.session_state.get(MODE, "move"),
        ink=int(st.session_state.get(NEW_CLASS, 0)),
        legend=engine.legend_of(scene.plane, scene.look, drawn(scene), scene.view.colouring, scene.setup),
        on_point=state.moved_in_browser,
        on_view=state.zoomed_in_browser,
        on_spot=spot_clicked,
        on_stroke=stroke_drawn,
    )
    attacks = engine.attacks_at(scene.net, view.point) if "attacks" in view.layers else ()
    marks = [{"title": titles()[a.method], "path": [p.tolist() for p in a.path]} for a in attacks if a.success]
    plane_answer("pg_answer", scene.chart, view.point, scene.epoch, marks)
    state.write()
    if not presenting():
        coordinates()
        details(scene, answer, attacks)


def neurons(scene: Scene, point: tuple[float, float], code: str) -> Numbers:
    """The network's picture as a table: every neuron at u."""
    found = engine.neurons_of(scene.net, point)
    note = "The hidden neurons at u, each with its input z (on where z > 0) and the L2 distance of its line:"
    return Numbers(
        words.neurons_table(found), note, "relucert-neurons", lambda: found, lambda: about(scene, code, point)
    )


def titles() -> dict[str, str]:
    """The attacks' names by method."""
    from relucert_core.attacks import ATTACKS

    return {name: entry.title for name, entry in ATTACKS.items()}


def details(scene: Scene, answer: Answer, attacks: tuple[Any, ...]) -> None:
    """All numbers at u, the link, and the code."""
    code = code_of(scene)(state.view().point)
    numbers = numbers_behind(PLANE, key="pg_numbers", on_change="rerun")
    if numbers.open:
        with numbers:
            attacks = attacks or engine.attacks_at(scene.net, state.view().point)
            st.table(words.numbers_table(answer, attacks, titles()))
            half = float(scene.plane.box[0, 1])
            widths = (scene.net.inputs, *scene.net.widths, scene.net.classes)
            size = sum(w.size for w in scene.net.weights) + sum(b.size for b in scene.net.biases)
            st.caption(words.size_words(widths, size, len(scene.plane), answer.faces, half))
            st.table(words.classes_table(engine.classes_of(scene.plane, scene.setup)))
            table(neurons(scene, answer.point, code), "pg_neurons")
    with st.expander("The same in a few lines of Python"):
        st.code(code, wrap_lines=True)
    with st.expander("Share"):
        share(scene)


def share(scene: Scene) -> None:
    """The link to this very picture."""
    if state.UPLOAD in st.session_state:
        st.caption("A network from a file does not travel in a link: hand on the file itself.")
        return
    if scene.setup.own and len(scene.setup.points[0]) > MAX_LINKED:
        st.caption(f"More than {MAX_LINKED} points of your own do not fit in a link: hand on the CSV of the data.")
        return
    st.markdown("This link brings back the data, the network, the training, the point, the layers and the view:")
    st.code(state.STATE.address(), language=None, wrap_lines=True)
