"""What the experiments page shows: the stored record, or the run on this machine, as far as it has come.

A run goes on in a worker process while the visitor's page watches it; every click interrupts it, and nothing is lost,
since answers are kept in files as they are found.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.places import Say, follow, heavy
from relucert_core.errors import DataUnavailable

if TYPE_CHECKING:
    from relucert_core.experiments.records import Record
    from relucert_core.experiments.runs import Prepared, Progress

RUNNING = "experiments_running"
_SECONDS = 3600.0


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
    from relucert_core.experiments.by_name import prepared_by_name

    with heavy():
        return prepared_by_name(experiment, images)


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


def steps(experiment: str, images: int, say: Say) -> Generator[Progress, None, None]:
    """The run, in a worker; where others wait it takes turns with them, and `say` is told so."""
    from relucert_core.experiments.by_name import run_by_name

    turn = True
    while turn:
        run = follow(
            run_by_name, experiment, images, seconds=_SECONDS, kind=f"experiment {experiment}", say=say, patient=True
        )
        with closing(run):
            yield from run
        turn = run.cut
