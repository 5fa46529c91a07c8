"""The experiments by name and number of images, prepared or run: what a worker process is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from relucert_core.experiments.catalogue import FIGURES

if TYPE_CHECKING:
    from relucert_core.experiments.runs import Prepared, Progress


def prepared_by_name(experiment: str, images: int) -> Prepared:
    """The experiment on its first `images` images, ready to run."""
    if experiment in FIGURES:
        from relucert_core.experiments.figure2 import figure2_settings, prepare_figure2

        return prepare_figure2(figure2_settings(experiment, images))
    from relucert_core.experiments.table1 import prepare_table1, table1_settings

    return prepare_table1(table1_settings(images))


def run_by_name(experiment: str, images: int) -> Iterator[Progress]:
    """The run of the missing answers; they are kept in files as they are found, so that any process sees them."""
    yield from prepared_by_name(experiment, images).run()
