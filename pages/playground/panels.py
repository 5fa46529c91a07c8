"""The expanders of the playground: data, network, training, layers and colours."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.playground import state
from pages.playground.point import MODE, NEW_CLASS, PROBLEM, guarded
from pages.playground.scene import Scene
from pages.playground.setup import COLOURS, LAYERS, Setup
from pages.playground.state import STATE
from pages.shared.control import Control, control, reading
from pages.shared.own import BEST, READ
from pages.shared.text import say_problem
from relucert_core.datasets.points_csv import points_from_csv
from relucert_core.datasets.toy import TOY_DATASETS
from relucert_core.figures.plane import layer_colour
from relucert_core.training.toy import DEPTHS, WIDTHS

MAX_PARAMETERS = 30_000
MODES = {"move": "Move u", "add": "Add a point", "remove": "Remove a point"}


def panels(scene: Scene) -> None:
    """All of them, closed."""
    problem = st.session_state.pop(PROBLEM, None)
    with st.container():
        if problem:
            say_problem(problem)
    with st.expander("Data"):
        data_controls(scene.setup)
    with st.expander("Network"):
        network_controls(scene.setup)
    with st.expander("Training"):
        training_controls()
    with st.expander("Layers and colours"):
        layer_controls(scene)


def fill(name: str, value: Any) -> Control:
    """The key of a control, and the value that it has to show."""
    return control(f"pg_c_{name}", value)


def filled(name: str) -> Any:
    """What such a control shows."""
    return reading(f"pg_c_{name}")


def take(name: str) -> None:
    """A control of the setup was changed."""
    value = filled(name)
    if value is not None:
        guarded(state.change, **{name: value})


def settings(panel: str, columns: int = 1) -> None:
    """The controls of a panel of the setup: a change takes the training back to its start."""
    places = st.columns(columns)
    names = [name for name, kind in STATE.kinds.items() if kind.panel == panel]
    shown = [name for name in names if (when := STATE.kinds[name].when) is None or when(STATE.now)]
    for i, name in enumerate(shown):
        setting(name, places[i % columns])


def setting(name: str, place: Any = st) -> None:
    """The control of one field of the setup."""
    key, first = fill(name, getattr(STATE.now, name))
    STATE.kinds[name].draw(place, first, key=key, on_change=take, args=(name,))


def take_dataset() -> None:
    """Other data: with its own noise and classes, and with the usual network when a preset was on the screen."""
    entry = TOY_DATASETS[filled("dataset")]
    base = Setup(preset="") if state.setup().preset else state.setup()
    values = {**vars(base), "own": "", "dataset": entry.name, "noise": entry.noise, "classes": entry.classes[0]}
    values.pop("preset")
    guarded(state.change, **values)


def data_controls(setup: Setup) -> None:
    """The toy set with its size, noise and seed; points of one's own."""
    names = list(TOY_DATASETS)
    entry = TOY_DATASETS[setup.dataset]
    key, first = fill("dataset", None if setup.own else setup.dataset)
    st.pills(
        "Toy set",
        names,
        format_func=lambda n: TOY_DATASETS[n].title,
        key=key,
        default=first,
        on_change=take_dataset,
        required=False,
    )
    if setup.own:
        st.caption(f"{len(setup.points[0])} points of your own. A toy set takes their place.")
    else:
        settings("data", columns=2)
        if len(entry.classes) > 1:
            key, first = fill("classes", setup.classes)
            counts = sorted(entry.classes)
            place = counts.index(first) if first in counts else 0
            st.selectbox("Classes", counts, place, key=key, on_change=take, args=("classes",))
    own_points(setup)


def own_points(setup: Setup) -> None:
    """Add and remove points by clicking on the plane, undo, and a CSV file."""
    st.markdown("**Points of your own**: choose what a click on the plane does.")
    st.session_state.setdefault(MODE, "move")
    st.segmented_control(
        "A click", list(MODES), format_func=MODES.__getitem__, key=MODE, required=True, label_visibility="collapsed"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Class of a new point", 0, 9, key=NEW_CLASS, width=180)
        st.button(
            "Undo", icon=":material/undo:", disabled=not st.session_state.get(state.UNDO), on_click=state.undo_points
        )
    st.file_uploader(
        "Points as CSV: x, y, class", type=["csv", "txt"], key="pg_csv", on_change=take_csv, max_upload_size=1
    )


def take_csv() -> None:
    """A file of points came."""
    file = st.session_state.pg_csv
    if file is not None:
        guarded(lambda: state.replace_points(*points_from_csv(file.getvalue())))


def network_controls(setup: Setup) -> None:
    """Depth and widths, seed; a network from a file."""
    hidden = setup.hidden
    ends = (int(DEPTHS.least), int(DEPTHS.most))
    key, first = fill("depth", len(hidden))
    st.slider("Hidden layers", *ends, first, key=key, on_change=take_depth)
    columns = st.columns(min(len(hidden), 3))
    for i, width in enumerate(hidden):
        key, first = fill(f"width{i}", width)
        columns[i % 3].number_input(
            f"Neurons in layer {i + 1}",
            int(WIDTHS.least),
            int(WIDTHS.most),
            first,
            key=key,
            on_change=take_widths,
        )
    setting("seed")
    st.file_uploader(
        f"A network of your own with 2 inputs: {', '.join('.' + kind for kind in READ)}",
        type=[*READ],
        key="pg_file",
        on_change=take_network,
        max_upload_size=1,
    )
    st.checkbox("A table of weights has a ReLU between its layers", key="pg_relu", on_change=take_network)
    st.selectbox("The file's class is the", list(BEST), key="pg_best", on_change=take_network)


def take_depth() -> None:
    """Another number of hidden layers: the last width is repeated."""
    hidden, depth = state.setup().hidden, int(filled("depth"))
    guarded(state.change, hidden=(*hidden, *[hidden[-1]] * depth)[:depth])


def take_widths() -> None:
    """Another width."""
    count = len(state.setup().hidden)
    guarded(state.change, hidden=tuple(int(filled(f"width{i}")) for i in range(count)))


def take_network() -> None:
    """A network file came."""
    file = st.session_state.pg_file
    if file is not None:
        about: dict[str, Any] = {"best": BEST[st.session_state.pg_best]}
        about |= {"activation": "relu"} if st.session_state.pg_relu else {}
        guarded(state.upload, file.name, file.getvalue(), MAX_PARAMETERS, about)


def training_controls() -> None:
    """How the network is trained."""
    settings("method")
    settings("training", columns=2)
    st.caption("A change takes the network back to its start; press Train.")


def layer_controls(scene: Scene) -> None:
    """What is drawn, and what the colours mean."""
    names = [n for n in LAYERS if n != "boundary" or scene.net.depth == 2]
    shown = [n for n in scene.view.layers if n in names]
    key, first = fill("layers", shown)
    st.pills(
        "Shown",
        names,
        selection_mode="multi",
        format_func=LAYERS.__getitem__,
        default=first,
        key=key,
        on_change=take_layers,
    )
    STATE.panel("colours")
    legend(scene)


def take_layers() -> None:
    """Layers were switched."""
    chosen = set(filled("layers"))
    hidden = {"boundary"} & set(state.view().layers) if state.network()[0].depth != 2 else set()
    layers = tuple(n for n in LAYERS if n in chosen | hidden)
    state.look_at(layers=layers)


def legend(scene: Scene) -> None:
    """What every line and colour means, in words."""
    theme = scene.theme
    items = [(theme.class_colour(k), "■", f"class {k}") for k in range(scene.net.classes)]
    if scene.view.colouring == COLOURS[0]:
        items += [(layer_colour(i, theme), "―", f"faces of layer {i + 1}") for i in range(len(scene.net.widths))]
    items += [(theme.boundary, "━", "decision boundary"), (theme.lower, "◯", "safe circle, certified")]
    items += [(theme.exact, "◌", "true distance (dashed)"), (theme.upper, "✕", "adversarial point of an attack")]
    marks = " ".join(
        f'<span style="white-space:nowrap;margin-right:.8em"><b style="color:{c}">{m}</b> {w}</span>'
        for c, m, w in items
    )
    st.html(f"<div>{marks}</div>")
    if scene.view.colouring == "slope":
        st.caption(
            "The stronger the blue, the steeper the lead of the best class over the second (its gradient's length)."
        )
