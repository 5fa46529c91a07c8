"""What an attack says: frozen records for one point and for a batch, and the registry's entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from relucert_core.arrays import Indices, Matrix, Signs, Vector

if TYPE_CHECKING:
    from relucert_core.attacks.problem import Found


@dataclass(frozen=True, eq=False)
class Attack:
    """The answer of one attack at one point.

    point: (D,) float64, the adversarial point found; the attacked point itself after a failure.
    distance: an upper bound on the distance to the nearest adversarial point: that of `point`, in `norm`, rounded up;
        inf after a failure. success: proved at the stored `point` (SPEC, section 3.5).
    prediction: the class predicted at `point`. label: the class attacked: the given one, else the prediction before.
    path: the points passed on the way, (D,) each, ending at `point`; empty unless asked for with `path=True`.
    seconds: the time spent, for a batch the share of this point.
    """

    method: str
    norm: float
    point: Vector
    distance: float
    prediction: int
    label: int
    success: bool
    path: tuple[Vector, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class AttackBatch:
    """The attacks on a batch, in order. The attributes of `Attack`, one for each point."""

    items: tuple[Attack, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Attack:
        return self.items[index]

    def __iter__(self) -> Iterator[Attack]:
        return iter(self.items)

    @property
    def point(self) -> Matrix:
        """(B, D) float64: the points found."""
        return np.array([a.point for a in self.items], dtype=np.float64)

    @property
    def distance(self) -> Vector:
        """(B,) float64: the distances, inf after a failure."""
        return np.array([a.distance for a in self.items], dtype=np.float64)

    @property
    def prediction(self) -> Indices:
        """(B,) int64: the classes predicted at the points found."""
        return np.array([a.prediction for a in self.items], dtype=np.int64)

    @property
    def label(self) -> Indices:
        """(B,) int64: the classes attacked."""
        return np.array([a.label for a in self.items], dtype=np.int64)

    @property
    def success(self) -> Signs:
        """(B,) bool: which attacks succeeded."""
        return np.array([a.success for a in self.items], dtype=bool)

    @property
    def seconds(self) -> Vector:
        """(B,) float64: the time of each point's share."""
        return np.array([a.seconds for a in self.items], dtype=np.float64)


@dataclass(frozen=True)
class AttackEntry:
    """A line of the registry `ATTACKS`: what an attack does and what it makes small.

    run: (Problem, **options) -> Found; see `relucert_core.attacks.problem`.
    norms: the norms in which it can measure. minimises: those that its steps make small; in another norm the distance
        is still a true upper bound, only a looser one.
    options: names of the keyword options that it takes, each with one line of help.
    title, sentence: how a page names it and what it does, in words that a student understands.
    """

    name: str
    title: str
    run: Callable[..., Found]
    norms: tuple[float, ...]
    minimises: tuple[float, ...]
    sentence: str
    reference: str
    options: Mapping[str, str] = field(default_factory=dict)
