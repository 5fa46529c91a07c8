"""Experiments: the paper's Figure 2a, Figure 2b and Table 1, stored from a real run, and run again on this machine."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import streamlit as st

from pages.experiments import marks, runs, view
from pages.experiments.state import STATE, STORED_IMAGES, TITLES
from pages.shared.charts import numbers_behind
from pages.shared.keys import listen_to_keys, pressed_key
from pages.shared.places import Busy
from pages.shared.shell import footer, headline, presenting, theme_name
from pages.shared.text import say_problem
from relucert_core.errors import DataUnavailable, RelucertError
from relucert_core.experiments.catalogue import FIGURES
from relucert_core.figures.theme import find_theme
from relucert_core.words import duration

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from relucert_core.experiments.records import Record
    from relucert_core.experiments.runs import Progress

KEYS = "experiments_keys"
LECTURE_HEIGHT = 470
REDRAW_SECONDS = 5.0


def preset() -> None:
    """The keys 1 to 3 show the three experiments, r the first view."""
    key = pressed_key(KEYS) or ""
    names = {str(i): name for i, name in enumerate(TITLES, start=1)} | {"r": STATE.blank.show}
    if key in names:
        STATE.change(show=names[key])


def choose() -> tuple[str, view.View]:
    """Which experiment, and how to look at it."""
    if not presenting():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name in ("show", "accuracy", "alone"):
                STATE.control(name)
    fields = STATE.now
    accuracy = fields.accuracy and fields.show in FIGURES
    if presenting():
        return fields.show, view.View(accuracy, False, LECTURE_HEIGHT)
    return fields.show, view.View(accuracy, fields.alone and not accuracy)


def start_run(token: tuple[str, int], *, afresh: bool = False) -> None:
    """The visitor asked for a run: show it, and let the page drive it."""
    if afresh:
        runs.forget(*token)
    st.session_state[runs.RUNNING] = token
    STATE.change(own=True)


def stop_run() -> None:
    """The visitor asked to stop; what was found is kept."""
    st.session_state.pop(runs.RUNNING, None)


def run_buttons(name: str, images: int) -> None:
    """How far this machine has come, and the buttons to go on."""
    token = (name, images)
    standing = runs.standing(*token)
    st.markdown(_standing_words(standing, len(runs.prepared(*token).panels)))
    idle, finished = st.session_state.get(runs.RUNNING) != token, standing.done == standing.total
    with st.container(horizontal=True):
        label = "Go on" if 0 < standing.done < standing.total else "Run"
        st.button(label, on_click=start_run, args=(token,), disabled=not idle or finished, type="primary")
        if standing.done and idle:
            st.button(
                "Forget these answers and start afresh", on_click=start_run, args=(token,), kwargs={"afresh": True}
            )
    if name not in FIGURES:
        st.caption(
            "Times are only worth something when nothing else runs: for a record, use the command line on a quiet "
            "machine. One image of the CIFAR-shaped network can take minutes."
        )


def _standing_words(standing: Progress, networks: int) -> str:
    if standing.done == standing.total:
        return f"All {standing.images} images are done on this machine."
    if standing.done:
        return (
            f"{standing.images_done} of {standing.images} images are done on this machine "
            f"({standing.done} of {standing.total} answers); a run goes on from there."
        )
    on = f" on {networks} networks" if networks > 1 else ""
    return f"Nothing is kept here yet: {standing.images} images{on}, {standing.total} answers to find."


def drive(place: DeltaGenerator, name: str, images: int) -> None:
    """Run to the end, with progress and a way to stop; the page is drawn anew with the images that have come."""
    standing, begun = runs.standing(name, images), time.monotonic()
    share = standing.done / max(standing.total, 1)
    with place.container():
        bar = st.progress(share, "Starting")
        st.button("Stop", on_click=stop_run, key="experiments_stop")
    with closing(runs.steps(name, images, lambda words: bar.progress(share, words))) as run:
        for progress in run:
            left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
            words = f"{progress.images_done} of {progress.images} images done{left}. Now: {progress.words}"
            bar.progress(progress.done / max(progress.total, 1), words)
            more = standing.images_done < progress.images_done < progress.images
            if more and time.monotonic() - begun > REDRAW_SECONDS:
                st.rerun()  # the run goes on from what is kept
    stop_run()
    st.rerun()


def record_in_view(name: str, own: bool, images: int) -> tuple[Record | None, str]:
    """What is shown, and what to say about it."""
    stored = runs.stored(name)
    try:
        standing = runs.standing(name, images) if own else None
    except DataUnavailable:  # said by `run_buttons`; the stored result stays in view
        standing = None
    if standing is not None and standing.images_done:
        done = f"{standing.images_done} of {standing.images} images"
        return runs.own_record(name, images, standing.done), f"This machine's own run: {done}."
    if stored is None:
        return None, "No result of this experiment is stored: run it below."
    note = f"A stored result of {stored.header.date}, commit {stored.header.commit}; see below how it was made."
    return stored, f"This machine has finished no image of its own run yet. {note}" if own else note


def show(record: Record, note: str, look: view.View) -> DeltaGenerator:
    """Picture first, then the sentence and few numbers; the place under the picture, for what a run has to say."""
    figures = view.figures_of(record, find_theme(theme_name(), presenting()), look)
    words = view.sentence(record, accuracy=look.accuracy)
    view.draw(figures, view.captions(record), words.replace("*", ""))
    place = st.empty()
    headline(words)
    st.markdown(view.remark(record, accuracy=look.accuracy))
    if not presenting():
        pointed = record.experiment in FIGURES and not look.accuracy
        st.caption(f"{note} {marks.HINT}" if pointed else note)
        if pointed:
            marks.mount(record)
    return place


def details(record: Record, look: view.View) -> None:
    """Everything behind expanders."""
    with numbers_behind(view.FIGURE):
        view.tables(record, accuracy=look.accuracy)
    with st.expander("How these numbers were made"):
        view.origin(record)
    with st.expander("Download"):
        view.downloads(record, view.figures_of(record, find_theme("light"), look))
    with st.expander("The same in a few lines of Python"):
        st.code(view.code(record), wrap_lines=True)


def page() -> None:
    """The whole page."""
    marks.follow()
    if not presenting():
        st.title("The paper's experiments, run again")
    STATE.open()
    listen_to_keys(KEYS, preset)
    name, look = choose()
    top = st.container()
    if presenting():
        own, images = False, STORED_IMAGES
    else:
        controls = st.expander("Run it again on this machine")
        with controls:
            STATE.control(STATE.now.images_field)
        own, images = STATE.now.own, STATE.now.images
    STATE.write()
    record, note = record_in_view(name, own, images)
    with top:
        if record is None:
            st.info(note)
            place = st.empty()
        else:
            place = show(record, note, look)
    if presenting():
        return
    if record is not None:
        if name in FIGURES:
            stored = [found for figure in FIGURES if (found := runs.stored(figure)) is not None]
            view.proved(stored, find_theme(theme_name()))
        details(record, look)
    footer()
    with controls:
        run_buttons(name, images)
    if st.session_state.get(runs.RUNNING) == (name, images):
        drive(place, name, images)
    elif runs.standing(name, images).images_done:
        with place.container():
            STATE.control("own")


try:
    page()
except (RelucertError, Busy) as problem:
    say_problem(problem)
