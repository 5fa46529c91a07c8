"""Playground: drag a point through the polyhedra of a small network, train it, and scrub through time."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.playground import engine, state
from pages.playground.compare import comparison
from pages.playground.components import plane_diagram
from pages.playground.download import downloads
from pages.playground.panels import panels
from pages.playground.point import PLANE, point_panel
from pages.playground.scene import Scene
from pages.playground.training import over_time, training_buttons, under_the_buttons
from pages.shared.charts import behind_label, draw
from pages.shared.control import control, reading
from pages.shared.keys import listen_to_keys, pressed_key
from pages.shared.places import Busy
from pages.shared.plane import plane_of
from pages.shared.shell import footer, presenting, theme_name
from pages.shared.text import say_problem
from relucert_core.errors import RelucertError
from relucert_core.figures.theme import find_theme

STYLE = Path(__file__).with_name("page.css")
PRESENT_STYLE = Path(__file__).with_name("present.css")
CHART, KEYS, CHOICE = "pg_chart", "pg_keys", "pg_choice"
CONFIG = {"scrollZoom": True, "displaylogo": False, "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]]}


def press() -> None:
    """Keys 1 to 9 show a preset, r the present one from its beginning."""
    key = pressed_key(KEYS)
    names = list(engine.presets())
    if key == "r":
        state.show_preset(state.setup().preset or names[0])
    elif key is not None and 1 <= int(key) <= len(names):
        state.show_preset(names[int(key) - 1])


def choose() -> None:
    """A preset was picked."""
    if reading(CHOICE):
        state.show_preset(reading(CHOICE))


def preset_row() -> None:
    """The prepared views, one word each; a chip is lit, and explains itself, while what it says is true at u."""
    entries = engine.presets()
    lit = state.true_preset()
    st.session_state[state.LIT] = lit
    key, first = control(CHOICE, lit)
    st.pills(
        "Presets", list(entries), format_func=lambda name: entries[name].title, key=key, default=first,
        on_change=choose, label_visibility="collapsed",
    )  # fmt: skip
    if lit is not None:
        st.caption(entries[lit].words)
    elif state.setup().preset in entries and state.UPLOAD not in st.session_state:
        title = entries[state.setup().preset].title
        st.caption(f"What “{title}” says does not hold here. Press it again, or key r, to take u back.")


def chart(scene: Scene) -> None:
    """The figure, which doesn't change while the point moves."""
    look = (scene.look, frozenset(scene.view.layers), scene.view.colouring, scene.setup)
    view = state.framed(scene.net.digest, float(scene.plane.box[0, 1]), *look)
    figure = engine.figure_of(scene.plane, *look, view)
    with st.container(key=CHART):
        draw(
            figure, key="pg_plot", config=CONFIG, height="stretch", behind=behind_label(PLANE),
            alt="The plane of the network: class areas, polyhedra, decision boundary and data",
        )  # fmt: skip


def current_scene() -> Scene:
    """What is on the screen in this run of the script."""
    net, epoch = state.network()
    view = state.view()
    look = (theme_name(), presenting())
    plane = plane_of(net, engine.half_for(view.view))
    return Scene(net, epoch, plane, state.setup(), view, look, find_theme(*look), CHART)


def page() -> None:
    """The whole page; its containers stand always, so that open expanders stay open."""
    st.html(STYLE)
    if presenting():
        st.html(PRESENT_STYLE)
    else:
        st.title("Where does this network change its mind?")
    top = st.container()
    with top:
        state.begin()
        listen_to_keys(KEYS, press)
        if not presenting():
            with st.container(key="pg_preset_row"):
                preset_row()
    left, right = st.columns([7, 4], gap="medium")
    with left:
        picture, bar = st.container(key="pg_picture"), st.container(key="pg_bar")
    playing = False
    if not presenting():
        with bar:
            playing = training_buttons()  # before the pictures are made: a press shows at once
    scene = current_scene()
    with picture:
        chart(scene)
    if not presenting():
        with bar:
            under_the_buttons(scene, playing=playing)
    with right:
        with st.container(key="pg_point"):
            point_panel(scene)
        if not presenting():
            with st.expander("The network: point at a neuron", expanded=True):
                plane_diagram("pg_diagram", CHART, engine.diagram_of(scene.net, scene.plane), scene.theme)
            with st.expander("Download"):
                downloads(scene)
    if not presenting():
        with left:
            panels(scene)
        comparison(scene)
        over_time(scene)
    footer()


try:
    page()
except (RelucertError, Busy) as problem:
    say_problem(problem)
