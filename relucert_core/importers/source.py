"""What a reader hands over: the scores as forms of the input, and the source itself to compare them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relucert_core.importers.forms import Form


@dataclass(frozen=True)
class Refused:
    """A value that nobody may use, such as the places of a maximum; it is refused where it is used."""

    place: str
    reason: str


@dataclass(frozen=True)
class Dropped:
    """A last step that changes no comparison of the scores and was left out: its name, and the scores before it."""

    operation: str
    place: str
    scores: Form
    axis: int | None


@dataclass(frozen=True)
class Source:
    """A network as a reader found it.

    input_shape: without the batch. scores: what comes out, before what `registry` does to it.
    replay: (B, D) -> (B, outputs), the source's own arithmetic in float64 on its own inputs; None where there is none
    to ask.
    """

    input_shape: tuple[int, ...]
    scores: Form | Dropped
    replay: Callable[[np.ndarray], np.ndarray] | None
