"""The playground's state: the record of its fields, and what no link can hold: training runs and a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from pages.playground.engine import presets
from pages.playground.player import Player
from pages.playground.setup import FIRST_PRESET, LAYERS, MAX_LINKED, Fields, Setup, View, checked, setup_of, whole_of
from pages.shared.component import sent_numbers, sent_point, sent_whole
from pages.shared.state import Link, PageState
from relucert_core.datasets.points_csv import MAX_CLASSES, check_classes
from relucert_core.datasets.points_word import pack_points, unpack_points
from relucert_core.datasets.toy import TOY_DATASETS
from relucert_core.errors import InvalidInput, RelucertError
from relucert_core.network import Network

PLAYERS, UPLOAD = "pg_players", "pg_upload"
SEQ, SEED, PROBLEM = "pg_seq", "pg_point_seed", "pg_problem"
PICK, TIME, TURN, NOW, LIT, FRAMED = "pg_pick", "pg_timeline", "pg_turn", "pg_now", "pg_lit", "pg_framed"
_MAX_PLAYERS, _MAX_NUMBERS = 60, 2_000_000  # training runs that Back finds as they were left


class PlaygroundState(PageState[Fields]):
    """A preset stands for all its settings; without one, a link says what differs from the usual settings."""

    def home(self, record: Fields) -> Fields:
        """The preset as it opens, or the usual settings."""
        setup = setup_of(presets()[record.preset], record.preset) if record.preset else Setup(preset="")
        return whole_of(setup, home(setup))

    def read(self, link: Mapping[str, str]) -> tuple[Fields, list[str]]:
        """Data in a link mean that there is no preset; a preset goes before all other settings."""
        asked = dict(link)
        if "pg_preset" not in asked and ("pg_dataset" in asked or "pg_own" in asked):
            asked["pg_preset"] = ""
        if asked.get("pg_preset", FIRST_PRESET):
            settings = {self.parameters[name] for name in Setup.__dataclass_fields__} - {"pg_preset"}
            asked = {name: value for name, value in asked.items() if name not in settings}
        return super().read(asked)

    def link(self, record: Fields | None = None) -> Link:
        """Without a preset the data are always named; a great many points of one's own don't travel."""
        record = self.now if record is None else record
        if record.own and len(unpack_points(record.own)[0]) > MAX_LINKED:
            record = replace(record, own="")
        link = super().link(record)
        if not record.preset:
            link = {"pg_dataset": record.dataset, **link}
            del link["pg_preset"]
        return link

    def chosen(self, name: str, value: Any) -> None:
        """A change of data, network or training takes the training back to its start."""
        if value is None:
            return
        if name == "dataset":
            guarded(change, **_other_data(value))
        elif name in Setup.__dataclass_fields__:
            guarded(change, **{name: value})
        elif name == "layers":
            kept = {"boundary"} & set(view().layers) if network()[0].depth != 2 else set()  # not offered there
            look_at(layers=tuple(layer for layer in LAYERS if layer in {*value, *kept}))
        else:
            super().chosen(name, value)

    def taken(self, old: Fields | None, new: Fields) -> None:
        """Bring the run of these settings on the screen: as it was left, stored, or training from its seed."""
        if old is None or old.setup != new.setup:
            st.session_state.pop(UPLOAD, None)
            enter(new.setup, play=True)
        send_point(new.point)
        st.session_state.pop(FRAMED, None)
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


STATE = PlaygroundState("playground", Fields, "pg_", leading=("preset",))


def guarded(action: Any, *arguments: Any, **values: Any) -> None:
    """Do it, and keep the sentence of what goes wrong for the page."""
    try:
        action(*arguments, **values)
    except RelucertError as error:
        st.session_state[PROBLEM] = str(error)


def _other_data(name: str) -> dict[str, Any]:
    """Other data: with its own noise and classes, and with the usual network when a preset was on the screen."""
    entry = TOY_DATASETS[name]
    base = Setup(preset="") if setup().preset else setup()
    values = {**vars(base), "own": "", "dataset": entry.name, "noise": entry.noise, "classes": entry.classes[0]}
    values.pop("preset")
    return values


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
    return STATE.now.setup


def view() -> View:
    """How it is looked at."""
    return STATE.now.look


def look_at(**values: Any) -> None:
    """Look at it otherwise."""
    STATE.change(**values)


def player() -> Player:
    """The training run that is shown; it is made anew where a click came between a new record and its run."""
    if setup() not in st.session_state.get(PLAYERS, {}):
        enter(setup(), play=True)
    value: Player = st.session_state[PLAYERS][setup()]
    return value


def home(of: Setup) -> View:
    """The view that a setup opens with."""
    preset = presets().get(of.preset)
    return View(point=preset.point) if preset else View(point=(0.0, 0.0))


def begin() -> None:
    """The first call of a run: the link or the session, and a picture that is new on the page told where u is."""
    STATE.open()
    if PICK not in st.session_state:  # back from another page: the component is new and asks where the point is
        send_point(view().point)
        st.session_state.pop(FRAMED, None)


def framed(*drawn: Any) -> tuple[float, float, float, float] | None:
    """The visible rectangle to draw the figure of `drawn` with: the present one, or the one it was last drawn with.

    What is zoomed since then the browser keeps itself, and a figure that is sent as it was is not mounted again.
    """
    kept: tuple[Any, Any] = st.session_state.get(FRAMED, (None, None))
    if kept[0] != drawn:
        st.session_state[FRAMED] = kept = (drawn, view().view)
    rectangle: tuple[float, float, float, float] | None = kept[1]
    return rectangle


def enter(new: Setup, run: Player | None = None, *, play: bool = False) -> None:
    """Put the run of a setup on the screen: `run`, else the session's, else one that is stored or not yet begun.

    play: one that has not begun yet begins to train.
    """
    runs = dict(st.session_state.get(PLAYERS, {}))
    kept = runs.pop(new, None) if run is None else run
    if kept is None:
        kept = new_player(new)
        if play and not new.preset:
            kept.play()
    runs[new] = kept
    st.session_state[PLAYERS] = _latest(runs)


def _latest(runs: dict[Setup, Player]) -> dict[Setup, Player]:
    """The last runs, as many as memory bears; networks that several of them share count once."""
    seen: set[int] = set()
    numbers, kept = 0, 0
    for run in reversed(runs.values()):
        new = [s.network for s in run.snapshots if id(s.network) not in seen]
        seen.update(id(net) for net in new)
        numbers += sum(weight.size for net in new for weight in net.weights)
        if kept and (kept == _MAX_PLAYERS or numbers > _MAX_NUMBERS):
            break
        kept += 1
    return dict(list(runs.items())[-kept:])


def show(new: Setup, look: View, *, afresh: bool = True) -> None:
    """Put a setup in view; afresh: its training begins from the seed, else it is shown as it was left."""
    STATE.put(whole_of(new, look))
    for name in (UPLOAD, FRAMED):
        st.session_state.pop(name, None)
    enter(setup(), new_player(setup()) if afresh else None)
    send_point(look.point)


def new_player(new: Setup) -> Player:
    """The run of a setup: stored for presets, not yet begun for others."""
    if new.preset:
        from relucert_core.experiments.showcase import load_run

        archive = load_run(presets()[new.preset].file)
        ready = Player(new, archive.snapshots)
        ready.history = archive.notes.get("history")
        return ready
    return Player(new)


def show_preset(name: str) -> None:
    """Put a preset in view, with the layers as they are."""
    new = setup_of(presets()[name], name)
    show(new, replace(home(new), layers=view().layers))


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


def true_preset() -> str | None:
    """The preset in view, while what it says holds for the network and the point on the screen."""
    entry = presets().get(setup().preset)
    if entry is None or UPLOAD in st.session_state:
        return None
    return entry.name if entry.holds(network()[0], view().point) else None


def send_point(point: tuple[float, float]) -> None:
    """Put u somewhere from Python's side."""
    st.session_state[SEED] = point
    st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1
    if point != view().point:
        look_at(point=point)


def moved_in_browser() -> None:
    """The handle was released, or the plane was clicked."""
    point = sent_point(PICK, "u")
    if point is not None:
        look_at(point=point)


def zoomed_in_browser() -> None:
    """The visible rectangle changed."""
    rectangle = sent_numbers(PICK, "view", 4)
    if rectangle is not None and rectangle[0] < rectangle[1] and rectangle[2] < rectangle[3]:
        look_at(view=(rectangle[0], rectangle[1], rectangle[2], rectangle[3]))


def moved_in_time() -> None:
    """The time handle was let go."""
    epoch = sent_whole(TIME, "epoch", 0, player().latest.epoch)
    if epoch is not None:
        last = epoch == player().latest.epoch
        look_at(epoch=None if last else epoch)


def points() -> tuple[np.ndarray, np.ndarray]:
    """The data in view."""
    return setup().points


def edit_points(new_points: np.ndarray, labels: np.ndarray) -> None:
    """Take other points; the browser's Back brings the present ones back, with the training as it is."""
    check_classes(labels, least=0)
    run, upload = player(), st.session_state.get(UPLOAD)
    new = checked(replace(setup(), preset="", own=pack_points(new_points, labels)))
    STATE.put(whole_of(new, view()))
    enter(new, run if upload is not None else edited(run, new, int(labels.max(initial=0)) + 1))


def empty_plane() -> None:
    """No points at all, to draw one's own from nothing."""
    change(own=pack_points(np.empty((0, 2)), np.empty(0, dtype=np.int64)))


def replace_points(new_points: np.ndarray, labels: np.ndarray) -> None:
    """Take points of one's own from a file; the network is untrained then."""
    change(own=pack_points(new_points, labels))


def upload(name: str, data: bytes, max_parameters: int, about: Mapping[str, Any]) -> None:
    """Show a network from a file instead of the trained one; a RelucertError says what is wrong with it.

    about: further arguments of `read_network`. The file is read in a process of its own.
    """
    from relucert_core.importers.apart import read_apart

    net = read_apart(data, name, **about)
    if net.inputs != 2:
        raise InvalidInput(f"The network takes {net.inputs} inputs; the playground draws networks of 2.")
    if net.classes > MAX_CLASSES or max(net.widths) > 256 or len(net.widths) > 8:
        raise InvalidInput(
            f"The network has {net.classes} classes and hidden layers {net.widths}; here it is at most {MAX_CLASSES} "
            "classes and 8 layers of 256."
        )
    net.need_chain("The drawing of polyhedra")
    if (entries := sum(layer.entries for layer in net.layers)) > max_parameters:
        raise InvalidInput(f"The network has {entries:,} weights; here it is at most {max_parameters:,}.")
    STATE.put(whole_of(replace(setup(), preset="", hidden=tuple(net.widths)), view()))
    enter(setup())  # the panel shows the file's layers, and what is trained from here has them too
    st.session_state[UPLOAD] = net


def edited(run: Player, new: Setup, classes: int) -> Player:
    """The run goes on showing its networks over the changed points, unless there is a class that they don't know.

    While points are drawn from nothing, or over a training of one's own, what is drawn is trained on from the start.
    """
    if not run.setup.trainable or (run.playing and run.setup.own):  # drawn from nothing: it learns as soon as it can
        drawn = Player(new)
        drawn.play()
        return drawn
    if run.latest.network.classes < classes or not new.trainable:
        return Player(new)
    kept = Player(new, tuple(run.snapshots), "The points have changed since this training: train again.")
    kept.status = "stale"
    return kept


def write() -> None:
    """Make the browser's address a link to what is shown."""
    now().view = view()
    STATE.write()
