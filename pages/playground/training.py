"""Under the plane: train, step, stop, rewind, and the slider through time; below, the radii over time."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import streamlit as st

from pages.playground import engine, state
from pages.playground.components import plane_timeline, undo_buttons
from pages.playground.player import SLICE_SECONDS, Player
from pages.playground.provenance import about, code_of
from pages.playground.scene import Scene
from pages.playground.words import history_columns, until_two_classes
from pages.shared.charts import Numbers, draw
from pages.shared.places import ask
from pages.shared.toggle_button import toggle_button
from relucert_core.figures.plane_history import history_figure
from relucert_core.planar import OverBudget
from relucert_core.planar.preview import encode

MEASURED = 200


def training_buttons() -> bool:
    """Train, step, stop, rewind. Says whether the run was playing when they were drawn."""
    run, trainable = state.player(), state.setup().trainable
    playing = run.playing  # read once: a tick that is still being computed may end the run at any moment
    if state.UPLOAD in st.session_state:
        st.caption("A network from a file: it is not trained here. Pick a preset or change the data to go back.")
        return False
    with st.container(horizontal=True, vertical_alignment="center", key="pg_train_bar"):
        label = "Go on" if run.status == "running" else "Train" if run.status == "ready" else "Train again"
        face = ("Pause", "pause", run.pause) if playing else (label, "play_arrow", play)
        toggle_button("pg_play", *face, primary=not playing)
        st.button(
            "Step",
            key="pg_step",
            icon=":material/skip_next:",
            on_click=step,
            disabled=run.done or playing or not trainable,
        )
        going = playing or run.status == "running"
        st.button("Stop", key="pg_stop", icon=":material/stop:", on_click=run.stop, disabled=not going)
        st.button(
            "Rewind", key="pg_rewind", icon=":material/replay:", on_click=state.rewind, disabled=len(run.snapshots) < 2
        )
        with st.container(width=92):
            undo_buttons("pg_undo")
    return playing


def under_the_buttons(scene: Scene, *, playing: bool) -> None:
    """The progress while the run is playing, afterwards the slider through time."""
    run = state.player()
    if state.UPLOAD in st.session_state:
        return
    if not scene.setup.trainable:
        st.info(until_two_classes(scene.setup.points[1]))
        return
    if playing:
        pace = engine.training_pace(run)
        st.fragment(progress, run_every=pace)(scene, pace)
    else:
        timeline(scene, run)


def play() -> None:
    """Train from the seed, or go on after a pause."""
    if state.player().done:
        state.rewind()
    state.player().play()


def step() -> None:
    """On to the next snapshot."""
    state.player().advance(5.0, one=True)


def progress(scene: Scene, pace: float) -> None:
    """One tick: a little training, then the network of the moment over the axes."""
    run = state.player()
    wanted = engine.training_pace(run)
    run.advance(SLICE_SECONDS)
    if not run.playing or wanted > pace or wanted < pace / 2 or state.STATE.lost():
        st.rerun()  # it has ended; or others train too, or no longer: then with another pace
    loss = f", loss {run.losses[-1]:.3f}" if run.losses else ""
    st.progress(run.share, run.waiting or f"Training: epoch {len(run.losses)} of {run.setup.epochs}{loss}")
    if run.frames is not None:
        epoch = run.frames["epochs"][0]
        show_timeline(scene, run.frames, f"live {epoch} {run.setup}", epoch, live=True)


def timeline(scene: Scene, run: Player) -> None:
    """The slider through the snapshots, when there are several."""
    if run.message:
        (st.warning if run.status == "diverged" else st.caption)(run.message)
    if len(run.snapshots) < 2:
        return
    name = engine.run_key(run.snapshots)
    try:
        frames = engine.frames_of(name, run.snapshots)
    except OverBudget as problem:
        st.caption(str(problem))
        return
    turn = f"{name} {st.session_state.get(state.TURN, 0)}"
    first = st.session_state.setdefault("pg_first_epoch", {})
    if first.get("turn") != turn:  # the slider starts where the picture is; later it knows better itself
        st.session_state["pg_first_epoch"] = first = {"turn": turn, "epoch": scene.epoch}
    show_timeline(scene, frames, turn, first["epoch"], live=False)


def show_timeline(scene: Scene, frames: dict[str, Any], run: str, epoch: int | None, *, live: bool) -> None:
    """The component itself, with the data when they are among the layers."""
    packed = None
    if "data" in scene.view.layers:
        points, labels = scene.setup.points
        packed = encode(np.column_stack([points, labels]).astype(np.float32))
    plane_timeline(
        state.TIME,
        target=scene.chart,
        frames=frames,
        run=f"{zlib.crc32(run.encode()):08x}",
        epoch=epoch,
        points=packed,
        theme=scene.theme,
        live=live,
        on_epoch=state.moved_in_time,
    )


def over_time(scene: Scene) -> None:
    """Median safe radius, true distance and accuracy along the training; measured once, with progress."""
    run = state.player()
    place = st.empty()
    if run.playing or len(run.snapshots) < 2 or state.UPLOAD in st.session_state:
        return
    if run.history is None:
        measure(run, place)
    with place.container():
        st.markdown("## Over time: how safe the data are")
        figure = history_figure(run.history or {}, scene.theme, scene.epoch)
        code, point = code_of(scene), state.view().point
        history = run.history or {}
        numbers = Numbers(
            history_columns(history), file="relucert-training", whole=lambda: history,
            about=lambda: about(scene, code(point), point),
        )  # fmt: skip
        draw(figure, key="pg_history", alt="Radii and accuracy by epoch", behind=numbers, what="this training")
        st.caption(
            f"Medians over {'fresh' if run.setup.preset else 'the'} points of the data; "
            "a point that is misread has radius 0."
        )


def measure(run: Player, place: Any) -> None:
    """The radii along the run, with a bar; a click meanwhile goes first, and what was measured is kept."""
    from relucert_core.experiments.history import history_table, moment_of, spread_out

    points, labels = run.setup.points
    chosen = spread_out(run.snapshots, 21)
    for done, snapshot in enumerate(chosen):
        if len(run.moments) > done:
            continue
        place.progress(done / len(chosen), "Measuring the safe radii along the training")
        about = (snapshot.network, points[:MEASURED], labels[:MEASURED])
        run.moments.append(ask(moment_of, *about, epoch=snapshot.epoch, seconds=60.0, kind="moment"))
    run.history = history_table(run.moments)
