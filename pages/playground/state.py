"""The playground's state in a session: setup, view, player, own points; one place that reads and writes the link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from pages.playground.engine import presets
from pages.playground.player import Player
from pages.playground.setup import (
    FIRST_PRESET,
    MAX_LINKED,
    Setup,
    View,
    checked,
    read_setup,
    read_view,
    setup_of,
    write_link,
)
from pages.shared import link as links
from pages.shared.component import sent_numbers, sent_point, sent_whole
from relucert_core.datasets.points_csv import MAX_CLASSES
from relucert_core.datasets.points_word import pack_points, unpack_points
from relucert_core.errors import InvalidInput, RelucertError
from relucert_core.network import Network

SETUP, VIEW, PLAYER, UPLOAD = "pg_setup", "pg_view", "pg_player", "pg_upload"
SEQ, SEED, UNDO = "pg_seq", "pg_seed", "pg_undo"
PICK, TIME, NOW = "pg_pick", "pg_timeline", "pg_now"
UPLOADED = "uploaded"
_PAGE = "pg"
_MAX_UNDO = 50


@dataclass
class Now:
    """The latest view, for files that are made when they are asked for: their makers can't see the session."""

    view: View


def now() -> Now:
    """The session's `Now`; `write` keeps it up to date."""
    found: Now = st.session_state.setdefault(NOW, Now(view()))
    return found


def setup() -> Setup:
    """What is shown."""
    value: Setup = st.session_state[SETUP]
    return value


def view() -> View:
    """How it is looked at."""
    value: View = st.session_state[VIEW]
    return value


def player() -> Player:
    """The training run that is shown."""
    value: Player = st.session_state[PLAYER]
    return value


def home(of: Setup) -> View:
    """The view that a setup opens with."""
    preset = presets().get(of.preset)
    return View(point=preset.point) if preset else View(point=(0.0, 0.0))


def begin() -> None:
    """Bring the session up to date with the link: a new visitor, a link that was changed by hand, or a return."""
    link = {key: value for key, value in st.query_params.to_dict().items() if key.startswith("pg_")}
    if SETUP in st.session_state and not links.changed_by_hand(_PAGE, link):
        if PICK not in st.session_state:  # back from another page: the component is new and asks where the point is
            send_point(view().point)
        return
    if SETUP in st.session_state and not link:
        send_point(view().point)  # back through the menu: the session goes on where it was
        return
    links.wrote(_PAGE, link)
    new = read_setup(link, presets())
    show(new, read_view(link, home(new)), play=True)


def begin_safely() -> None:
    """As `begin`; what is wrong with a link is said in one sentence, and the first preset is shown."""
    try:
        begin()
    except RelucertError as error:
        st.error(f"{error} The first preset is shown instead.")
        first = setup_of(presets()[FIRST_PRESET], FIRST_PRESET)
        show(first, home(first))


def show(new: Setup, look: View, *, play: bool = False) -> None:
    """Put a setup in view: stored networks at once, others untrained, or training when `play`."""
    st.session_state[PLAYER] = new_player(new)
    st.session_state[SETUP] = new
    st.session_state[VIEW] = look
    st.session_state.pop(UPLOAD, None)
    send_point(look.point)
    if play and not new.preset:
        player().play()


def new_player(new: Setup) -> Player:
    """The run of a setup: stored for presets, not yet begun for others."""
    if new.preset:
        from relucert_core.training.showcase import load_run

        archive = load_run(presets()[new.preset].file)
        ready = Player(new, archive.snapshots)
        ready.history = archive.notes.get("history")
        return ready
    return Player(new)


def show_preset(name: str) -> None:
    """Put a preset in view, with the layers as they are."""
    new = setup_of(presets()[name], name)
    show(new, replace(home(new), layers=view().layers if VIEW in st.session_state else View().layers))


def change(**values: Any) -> None:
    """Change data, network or training; the network is untrained then. A bad value is said and nothing changes."""
    new = checked(replace(setup(), preset="", **values))
    if new != setup():
        show(new, replace(view(), epoch=None))


def rewind() -> None:
    """The same setup from its seed, untrained."""
    show(replace(setup(), preset=""), replace(view(), epoch=None))


def network() -> tuple[Network, int | None]:
    """The network on the figure and its epoch (None for an uploaded one)."""
    if UPLOAD in st.session_state:
        return st.session_state[UPLOAD], None
    run = player()
    snapshot = run.base if run.playing else run.at(view().epoch)
    return snapshot.network, snapshot.epoch


def send_point(point: tuple[float, float]) -> None:
    """Put u somewhere from Python's side."""
    st.session_state[SEED] = point
    st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1
    if VIEW in st.session_state:
        st.session_state[VIEW] = replace(view(), point=point)


def moved_in_browser() -> None:
    """The handle was released, or the plane was clicked."""
    point = sent_point(PICK, "u")
    if point is not None:
        st.session_state[VIEW] = replace(view(), point=point)


def zoomed_in_browser() -> None:
    """The visible rectangle changed."""
    rectangle = sent_numbers(PICK, "view", 4)
    if rectangle is not None and rectangle[0] < rectangle[1] and rectangle[2] < rectangle[3]:
        st.session_state[VIEW] = replace(view(), view=(rectangle[0], rectangle[1], rectangle[2], rectangle[3]))


def moved_in_time() -> None:
    """The time handle was let go."""
    epoch = sent_whole(TIME, "epoch", 0, player().latest.epoch)
    if epoch is not None:
        last = epoch == player().latest.epoch
        st.session_state[VIEW] = replace(view(), epoch=None if last else epoch)


def points() -> tuple[np.ndarray, np.ndarray]:
    """The data in view."""
    return setup().points


def edit_points(new_points: np.ndarray, labels: np.ndarray) -> None:
    """Take other points, and remember the present ones for `undo_points`."""
    history = [*st.session_state.get(UNDO, []), (setup().own, setup().dataset)][-_MAX_UNDO:]
    run, upload, old_view = player(), st.session_state.get(UPLOAD), view()
    st.session_state[UNDO] = history
    new = checked(replace(setup(), preset="", own=pack_points(new_points, labels)))
    st.session_state[SETUP] = new
    if upload is None:
        st.session_state[PLAYER] = edited(run, new, int(labels.max()) + 1)
    st.session_state[VIEW] = old_view


def replace_points(new_points: np.ndarray, labels: np.ndarray) -> None:
    """Take points of one's own from a file; the network is untrained then."""
    st.session_state[UNDO] = [*st.session_state.get(UNDO, []), (setup().own, setup().dataset)][-_MAX_UNDO:]
    change(own=pack_points(new_points, labels))


def upload(data: bytes, max_parameters: int) -> None:
    """Show a network from a safetensors file instead of the trained one; InvalidInput says what is wrong with it."""
    from relucert_core.importers.safetensors_file import load_network

    net = load_network(data, max_parameters=max_parameters, name="from a file")
    if net.inputs != 2:
        raise InvalidInput(f"The network takes {net.inputs} inputs; the playground draws networks of 2.")
    if net.classes > MAX_CLASSES or max(net.widths) > 256 or len(net.widths) > 8:
        raise InvalidInput(
            f"The network has {net.classes} classes and hidden layers {net.widths}; here it is at most {MAX_CLASSES} "
            "classes and 8 layers of 256."
        )
    st.session_state[UPLOAD] = net


def edited(run: Player, new: Setup, classes: int) -> Player:
    """The run goes on showing its networks over the changed points, unless there is a class that they don't know."""
    if run.latest.network.classes < classes:
        return Player(new)
    kept = Player(new, tuple(run.snapshots), "The points have changed since this training: train again.")
    kept.status = "stale"
    return kept


def undo_points() -> None:
    """Take the last change of the points back."""
    history = st.session_state.get(UNDO, [])
    if not history:
        return
    own, dataset = history[-1]
    st.session_state[UNDO] = history[:-1]
    new = replace(setup(), own=own, dataset=dataset)
    st.session_state[SETUP] = new
    st.session_state[PLAYER] = edited(player(), new, int(new.points[1].max()) + 1)


def write() -> None:
    """Make the browser's address a link to what is shown."""
    now().view = view()
    of = setup()
    if of.own and len(unpack_points(of.own)[0]) > MAX_LINKED:
        of = replace(of, own="")
    link = write_link(of, view(), home(of))
    link = {} if link == {"pg_preset": FIRST_PRESET} else link
    links.write(_PAGE, link, [key for key in st.query_params.to_dict() if key.startswith("pg_")])
