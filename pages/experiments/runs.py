"""What the experiments page shows: the stored record, or the run on this machine, as far as it has come.

A run goes on in the visitor's own script, a chunk of images at a time, each chunk in a place for heavy work; every
click interrupts it, and nothing is lost, since answers are kept as they are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.places import heavy
from relucert_core.errors import DataUnavailable

if TYPE_CHECKING:
    from relucert_core.experiments.records import Record
    from relucert_core.experiments.runs import Prepared, Progress

RUNNING = "experiments_running"


@st.cache_resource(max_entries=8, show_spinner=False)
def stored(experiment: str) -> Record | None:
    """The record that ships with the project, or None; records are immutable."""
    from relucert_core.experiments.store import shipped_record

    try:
        return shipped_record(experiment)
    except DataUnavailable:
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def prepared(experiment: str, images: int) -> Prepared:
    """The experiment on `images` images, ready to run."""
    from relucert_core.experiments.catalogue import FIGURES

    with heavy():
        if experiment in FIGURES:
            from relucert_core.experiments.figure2 import figure2_settings, prepare_figure2

            return prepare_figure2(figure2_settings(experiment, images))
        from relucert_core.experiments.table1 import prepare_table1, table1_settings

        return prepare_table1(table1_settings(images))


def standing(experiment: str, images: int) -> Progress:
    """How far this machine has come with the experiment."""
    return prepared(experiment, images).standing()


@st.cache_resource(max_entries=16, show_spinner=False)
def own_record(experiment: str, images: int, done: int) -> Record:
    """This machine's record of the images that are finished; `done` answers are there (it makes the key)."""
    with heavy():
        return prepared(experiment, images).record()


def forget(experiment: str, images: int) -> None:
    """Throw away what this machine has found."""
    prepared(experiment, images).forget()
    own_record.clear()


def steps(experiment: str, images: int) -> Iterator[Progress]:
    """The run; work between two reports holds a place for heavy work, waiting for the visitor does not."""

    run = prepared(experiment, images).run()
    while True:
        with heavy():
            progress = next(run, None)
        if progress is None:
            return
        yield progress
