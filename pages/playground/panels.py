"""The expanders of the playground: data, network, training, layers and colours."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.playground import state
from pages.playground.point import MODE, NEW_CLASS
from pages.playground.scene import Scene
from pages.playground.setup import LAYERS, Setup
from pages.playground.state import PROBLEM, STATE, guarded
from pages.shared.own import BEST, BEST_LABEL, BEST_UNSAID, READ, who_wins
from pages.shared.text import say_problem
from pages.shared.uploads import count_upload
from relucert_core.datasets.points_csv import CLASS_COUNTS, MAX_CLASSES, points_from_csv
from relucert_core.datasets.toy import TOY_DATASETS

MAX_PARAMETERS = 30_000
PASTED = "pg_pasted"
MODES = {"move": "Move u", "add": "Add a point", "draw": "Draw points", "remove": "Remove a point"}


def panels(scene: Scene) -> None:
    """All of them, closed."""
    problem = st.session_state.pop(PROBLEM, None)
    with st.container():
        if problem:
            say_problem(problem)
    with st.expander("Data"):
        data_controls(scene.setup)
    with st.expander("Network"):
        network_controls()
    with st.expander("Training"):
        training_controls()
    with st.expander("Layers and colours"):
        layer_controls(scene)


def data_controls(setup: Setup) -> None:
    """The toy set with its size, noise and seed; points of one's own."""
    STATE.control("dataset", shown=None if setup.own else setup.dataset, required=False)
    if setup.own:
        st.caption(f"{len(setup.points[0])} points of your own. A toy set takes their place.")
    else:
        counts = TOY_DATASETS[setup.dataset].classes
        STATE.panel("data", columns=2)
        if len(counts) > 1:
            STATE.control("classes", offered=counts)
    own_points(setup)


def own_points(setup: Setup) -> None:
    """Add and remove points by clicking on the plane, and a CSV file."""
    st.markdown("**Points of your own**: choose what a click or, to draw them, a stroke on the plane does.")
    st.session_state.setdefault(MODE, "move")
    st.segmented_control(
        "A click", list(MODES), format_func=MODES.__getitem__, key=MODE, required=True, label_visibility="collapsed"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Class of new points", 0, MAX_CLASSES - 1, key=NEW_CLASS, width=180)
        st.button("Start with an empty plane", key="pg_empty", on_click=start_empty)
    st.file_uploader(
        f"Points as CSV: x, y, class; {CLASS_COUNTS} classes",
        type=["csv", "txt"],
        key="pg_csv",
        on_change=take_csv,
        max_upload_size=1,
    )

    with st.popover("Paste points"):
        st.text_area(
            f"Lines of x, y, class; {CLASS_COUNTS} classes",
            key=PASTED,
            placeholder="0.5, 0.2, 0\n-0.3, 0.8, 1",
            height=160,
        )
        st.button("Take these points", on_click=take_pasted)


def start_empty() -> None:
    """An empty plane, and clicks and strokes that leave points of the first class."""
    guarded(state.empty_plane)
    st.session_state[MODE], st.session_state[NEW_CLASS] = "draw", 0


def take_pasted() -> None:
    """Points were pasted."""
    guarded(lambda: state.replace_points(*points_from_csv(st.session_state[PASTED])))


def take_csv() -> None:
    """A file of points came."""
    file = st.session_state.pg_csv
    if file is not None:
        guarded(lambda: state.replace_points(*points_from_csv(_counted(file))))


def _counted(file: Any) -> bytes:
    """A file's bytes, which count once, however often they are read."""
    count_upload(file.size, file.file_id)
    data: bytes = file.getvalue()
    return data


def network_controls() -> None:
    """Depth and widths, seed; a network from a file."""
    STATE.panel("network")
    st.file_uploader(
        f"A network of your own with 2 inputs: {', '.join('.' + kind for kind in READ)}",
        type=[*READ],
        key="pg_file",
        on_change=take_network,
        max_upload_size=1,
    )
    st.checkbox("A table of weights has a ReLU between its layers", key="pg_relu", on_change=take_network)
    unsaid: dict[str, Any] = {"index": None, "placeholder": BEST_UNSAID}
    st.selectbox(BEST_LABEL, list(BEST), key="pg_best", on_change=take_network, **unsaid)


def take_network() -> None:
    """A network file came, or what it leaves unsaid was said."""
    file = st.session_state.pg_file
    if file is not None:
        guarded(lambda: _take(file.name, _counted(file)))


def _take(name: str, data: bytes) -> None:
    about = who_wins(st.session_state.pg_best, name)
    about |= {"activation": "relu"} if st.session_state.pg_relu else {}
    state.upload(name, data, MAX_PARAMETERS, about)


def training_controls() -> None:
    """How the network is trained."""
    STATE.panel("method")
    STATE.panel("training", columns=2)
    st.caption("A change takes the network back to its start; press Train.")


def layer_controls(scene: Scene) -> None:
    """What is drawn, and what the colours mean."""
    STATE.control("layers", offered=[name for name in LAYERS if name != "boundary" or scene.net.depth == 2])
    STATE.panel("colours")
    if scene.view.colouring == "slope":
        st.caption(
            "The stronger the blue, the steeper the lead of the best class over the second (its gradient's length)."
        )
