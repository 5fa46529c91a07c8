"""What the experiments page shows, as one record: in the session, in the link and in its controls."""

from __future__ import annotations

from dataclasses import dataclass

from pages.shared.fields import choice, number, switch
from pages.shared.state import PageState
from relucert_core.experiments.catalogue import EXPERIMENTS, FIGURES
from relucert_core.ranges import Range

TITLES = {name: entry.title for name, entry in EXPERIMENTS.items()}
IMAGES, TIMED = Range(1, 10_000, whole=True), Range(1, 1_000, whole=True)
STORED_IMAGES = 50


def _figure(fields: Fields) -> bool:
    return fields.show in FIGURES


@dataclass(frozen=True)
class Fields:
    """Which experiment, how it is looked at, and on how many images this machine's own run is."""

    show: str = choice("figure-2b", TITLES, "What the paper shows", look="segmented")
    accuracy: bool = switch("As certified accuracy", when=_figure)
    alone: bool = switch("Sort each method by itself", when=lambda fields: _figure(fields) and not fields.accuracy)
    images_2a: int = number(STORED_IMAGES, IMAGES, "Test images", link="experiments_images_figure-2a")
    images_2b: int = number(STORED_IMAGES, IMAGES, "Test images", link="experiments_images_figure-2b")
    images_table: int = number(EXPERIMENTS["table-1"].images, TIMED, "Test images", link="experiments_images_table-1")
    own: bool = switch("Show this machine's run instead of the stored one")

    @property
    def images_field(self) -> str:
        """The field that says on how many images the experiment in view is run."""
        return {"figure-2a": "images_2a", "figure-2b": "images_2b"}.get(self.show, "images_table")

    @property
    def images(self) -> int:
        """On how many images the experiment in view is run."""
        found: int = getattr(self, self.images_field)
        return found


STATE = PageState("experiments", Fields, "experiments_")
