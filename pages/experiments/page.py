"""Experiments: the paper's Figure 2a, Figure 2b and Table 1, stored from a real run, and run again on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.experiments import runs, view
from pages.shared.engine import Busy
from pages.shared.keys import listen_to_keys, pressed_key
from pages.shared.shell import footer, presenting, theme_name
from relucert_core.errors import RelucertError
from relucert_core.experiments.catalogue import EXPERIMENTS, FIGURES
from relucert_core.figures.theme import find_theme

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from relucert_core.experiments.records import Record
    from relucert_core.experiments.runs import Progress

SHOW, ACCURACY, ALONE, OWN, IMAGES, KEYS = (
    f"experiments_{name}" for name in ("show", "accuracy", "alone", "own", "images", "keys")
)
TITLES = {entry.title: name for name, entry in EXPERIMENTS.items()}
DEFAULT = "Figure 2b"
STORED_IMAGES, MOST_IMAGES, MOST_TIMED = 50, 10_000, 1_000


def preset() -> None:
    """The keys 1 to 3 show the three experiments, r the first view."""
    key = pressed_key(KEYS) or ""
    titles = {str(i): title for i, title in enumerate(TITLES, start=1)} | {"r": DEFAULT}
    if key in titles:
        if presenting():
            st.query_params[SHOW] = titles[key]
        else:
            st.session_state[SHOW] = titles[key]


def choose() -> tuple[str, view.View]:
    """Which experiment, and how to look at it."""
    if presenting():
        title = st.query_params.get(SHOW, DEFAULT)
        return TITLES.get(title, TITLES[DEFAULT]), view.View(st.query_params.get(ACCURACY) == "true", False, 470)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.segmented_control(
            "What the paper shows", list(TITLES), default=DEFAULT, required=True, key=SHOW, bind="query-params"
        )
        name = TITLES[title or DEFAULT]
        figure = name in FIGURES
        accuracy = figure and st.toggle("As certified accuracy", key=ACCURACY, bind="query-params")
        alone = figure and not accuracy and st.toggle("Sort each method by itself", key=ALONE, bind="query-params")
    return name, view.View(accuracy, alone)


def start_run(token: tuple[str, int], *, afresh: bool = False) -> None:
    """The visitor asked for a run: show it, and let the page drive it."""
    if afresh:
        runs.forget(*token)
    st.session_state[runs.RUNNING] = token
    st.session_state[OWN] = True


def stop_run() -> None:
    """The visitor asked to stop; what was found is kept."""
    st.session_state.pop(runs.RUNNING, None)


def run_settings(name: str) -> tuple[bool, int]:
    """Whether to show this machine's run, and on how many images it is."""
    most = MOST_IMAGES if name in FIGURES else MOST_TIMED
    usual = STORED_IMAGES if name in FIGURES else EXPERIMENTS[name].images
    images = st.number_input("Test images", 1, most, usual, key=f"{IMAGES}_{name}", bind="query-params")
    own = st.toggle("Show this machine's run instead of the stored one", key=OWN, bind="query-params")
    return own, min(max(int(images), 1), most)


def run_buttons(name: str, images: int) -> None:
    """How far this machine has come, and the buttons to go on."""
    token = (name, images)
    standing = runs.standing(*token)
    st.markdown(_standing_words(standing))
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


def _standing_words(standing: Progress) -> str:
    if standing.done == standing.total:
        return f"All {standing.images} images are done on this machine."
    if standing.done:
        return (
            f"{standing.images_done} of {standing.images} images are done on this machine "
            f"({standing.done} of {standing.total} answers); a run goes on from there."
        )
    return f"Nothing is kept here yet: {standing.images} images, {standing.total} answers to find."


def drive(place: DeltaGenerator, name: str, images: int) -> None:
    """Run to the end, with progress and a way to stop, then draw the page anew."""
    with place.container():
        bar = st.progress(0.0, "Starting")
        st.button("Stop", on_click=stop_run)
    for progress in runs.steps(name, images):
        left = "" if progress.seconds_left is None else f", about {_duration(progress.seconds_left)} left"
        words = f"{progress.images_done} of {progress.images} images done{left}. Now: {progress.words}"
        bar.progress(progress.done / max(progress.total, 1), words)
    stop_run()
    st.rerun()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(seconds, 1):.0f} s"


def record_in_view(name: str, own: bool, images: int) -> tuple[Record | None, str]:
    """What is shown, and what to say about it."""
    stored = runs.stored(name)
    standing = runs.standing(name, images) if own else None
    if standing is not None and standing.images_done:
        done = f"{standing.images_done} of {standing.images} images"
        return runs.own_record(name, images, standing.done), f"This machine's own run: {done}."
    if stored is None:
        return None, "No result of this experiment is stored: run it below."
    note = f"A stored result of {stored.header.date}, commit {stored.header.commit}; see below how it was made."
    return stored, f"This machine has finished no image of its own run yet. {note}" if own else note


def show(record: Record, note: str, look: view.View) -> None:
    """Picture first, then the sentence and few numbers."""
    figures = view.figures_of(record, find_theme(theme_name(), presenting()), look)
    words = view.sentence(record, accuracy=look.accuracy)
    view.draw(figures, view.captions(record), words.replace("*", ""))
    st.markdown(f"##### {words}")
    st.markdown(view.remark(record, accuracy=look.accuracy))
    if not presenting():
        st.caption(note)


def details(record: Record, look: view.View) -> None:
    """Everything behind expanders."""
    with st.expander("The figure as a table"):
        view.tables(record, accuracy=look.accuracy)
    with st.expander("How these numbers were made"):
        view.origin(record)
    with st.expander("Download"):
        view.downloads(record, view.figures_of(record, find_theme("light"), look))
    with st.expander("The same in a few lines of Python"):
        st.code(view.code(record))


def page() -> None:
    """The whole page."""
    if not presenting():
        st.title("The paper's experiments, run again")
    listen_to_keys(KEYS, preset)
    name, look = choose()
    top, place = st.container(), st.empty()
    if presenting():
        own, images = False, STORED_IMAGES
    else:
        controls = st.expander("Run it again on this machine")
        with controls:
            own, images = run_settings(name)
    record, note = record_in_view(name, own, images)
    with top:
        if record is None:
            st.info(note)
        else:
            show(record, note, look)
    if presenting():
        return
    if record is not None:
        details(record, look)
    footer()
    with controls:
        run_buttons(name, images)
    if st.session_state.get(runs.RUNNING) == (name, images):
        drive(place, name, images)


try:
    page()
except (RelucertError, Busy) as problem:
    st.error(str(problem))
