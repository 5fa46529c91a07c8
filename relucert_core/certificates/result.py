"""What a certificate says: frozen records for one point and for a batch, and the registry's entry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from relucert_core.arrays import Indices, Vector
from relucert_core.errors import DataUnavailable

LOWER_BOUND = "lower bound"
EXACT = "exact"
ESTIMATE = "estimate"

UNPLACED = 500
FRAME_COLUMNS = (
    "method", "norm", "radius", "guarantee", "status", "prediction", "label", "limit", "upper", "ratio", "seconds",
)  # fmt: skip

OK = "ok"
TIE = "tie for the first place"
WRONG = "wrong prediction"
DEGENERATE = "degenerate"
POOL_TIE = "tie inside a pooling window"
OVERFLOW = "overflow"
TIME = "time is up"


@dataclass(frozen=True)
class Limit:
    """What limits a ball: the face of one neuron, or the decision plane towards a rival class.

    kind: "face" or "class". layer counts from 1 as in the paper; neuron and rival count from 0 (rows of W).
    """

    kind: str
    layer: int | None = None
    neuron: int | None = None
    rival: int | None = None

    @classmethod
    def face(cls, layer: int, neuron: int) -> Limit:
        """The face on which neuron `neuron` of layer `layer` changes sign."""
        return cls("face", layer=layer, neuron=neuron)

    @classmethod
    def decision(cls, rival: int) -> Limit:
        """The local decision plane towards class `rival`."""
        return cls("class", rival=rival)

    def __str__(self) -> str:
        return f"neuron {self.neuron} of layer {self.layer}" if self.kind == "face" else f"class {self.rival}"


@dataclass(frozen=True, eq=False)
class Certificate:
    """The answer of one method at one point.

    radius: guaranteed lower bound on the distance (in `norm`) to the nearest adversarial point, section 3 of SPEC;
        inf when nothing limits it. For guarantee "estimate" it is no bound.
    guarantee: "lower bound", "exact" (a proved adversarial `witness` lies within (1 + 1e-6) radius) or "estimate".
    status: "ok", or why the radius is 0 or not final ("degenerate", "tie for the first place", ...).
    prediction, label: the predicted class, and the class against which adversarial is meant.
    limit: what stops the ball from growing. nearest: (D,) the nearest point on that face or plane, not a witness.
    witness: (D,) a point proved adversarial, or None. upper: its distance, rounded up (inf without a witness).
    parts: further numbers of the method, such as P_min ("face_distance") and d_min ("decision_distance").
    seconds: the time spent, for a batch the share of this point.
    """

    method: str
    norm: float
    radius: float
    guarantee: str
    status: str
    prediction: int
    label: int
    limit: Limit | None = None
    nearest: Vector | None = None
    witness: Vector | None = None
    upper: float = math.inf
    parts: Mapping[str, float | str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def lower(self) -> float:
        """The radius: the lower end of [lower, upper]."""
        return self.radius

    @property
    def ratio(self) -> float:
        """How much of the distance is proved: radius / upper, see `proved_share`."""
        return proved_share(self.radius, self.upper)

    def to_frame(self) -> Any:
        """The certificate as a pandas DataFrame of one row, see `CertificateBatch.to_frame`."""
        return CertificateBatch((self,)).to_frame()


@dataclass(frozen=True, eq=False)
class CertificateBatch:
    """The certificates of a batch, in order. The attributes of `Certificate`, one for each point."""

    items: tuple[Certificate, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Certificate:
        return self.items[index]

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self.items)

    @property
    def radius(self) -> Vector:
        """(B,) float64: the radii."""
        return np.array([c.radius for c in self.items], dtype=np.float64)

    @property
    def upper(self) -> Vector:
        """(B,) float64: the distances of the witnesses, inf where there is none."""
        return np.array([c.upper for c in self.items], dtype=np.float64)

    @property
    def ratio(self) -> Vector:
        """(B,) float64: radius / upper, see `proved_share`."""
        return np.array([c.ratio for c in self.items], dtype=np.float64)

    @property
    def prediction(self) -> Indices:
        """(B,) int64: the predicted classes."""
        return np.array([c.prediction for c in self.items], dtype=np.int64)

    @property
    def guarantee(self) -> tuple[str, ...]:
        """One guarantee a point."""
        return tuple(c.guarantee for c in self.items)

    @property
    def status(self) -> tuple[str, ...]:
        """One status a point."""
        return tuple(c.status for c in self.items)

    @property
    def limit(self) -> tuple[Limit | None, ...]:
        """What limits each ball."""
        return tuple(c.limit for c in self.items)

    @property
    def nearest(self) -> tuple[Vector | None, ...]:
        """The nearest point of each limiting face or plane, (D,) or None."""
        return tuple(c.nearest for c in self.items)

    @property
    def witness(self) -> tuple[Vector | None, ...]:
        """The proved adversarial points, (D,) or None."""
        return tuple(c.witness for c in self.items)

    def to_frame(self) -> Any:
        """A pandas DataFrame, a row a point: the fields of FRAME_COLUMNS. Points are left out; `limit` is in words.

        Raises DataUnavailable where pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise DataUnavailable("A frame needs pandas, which is not installed: pip install pandas.") from None
        columns = {name: [getattr(c, name) for c in self.items] for name in FRAME_COLUMNS}
        columns["limit"] = [None if limit is None else str(limit) for limit in self.limit]
        return pandas.DataFrame(columns)


def proved_share(radius: float, upper: float) -> float:
    """radius / upper: 1 where the distance is known; 0 where nothing adversarial is known (upper is infinite).

    NaN where both are infinite (nothing is adversarial) or both 0 (the point itself is): there is nothing to share.
    """
    if math.isinf(upper):
        return math.nan if math.isinf(radius) else 0.0
    return radius / upper if upper > 0 else math.nan


@dataclass(frozen=True)
class CertificateEntry:
    """A line of the registry `CERTIFICATES`: what a method is and for what it is made.

    run: (net, points (B, D) float64, *, norm, labels, **options) -> list of Certificate.
    norms: the norms it takes. min_depth, max_depth: weight layers M that it takes (None: any).
    guarantee: the best it can give. refusal: the sentence that says why other depths are refused.
    any_layers: made for layers that are sparse or carry outputs on without a ReLU, not for dense chains alone.
    options: names of the keyword options that it takes, each with one line of help.
    place: where menus and tables list it, lower numbers first; UNPLACED: not shipped yet, after the other bounds.
    title, sentence: how a page names it and what it does, in words for a student.
    """

    name: str
    title: str
    run: Callable[..., list[Certificate]]
    norms: tuple[float, ...]
    guarantee: str
    sentence: str
    reference: str
    min_depth: int = 2
    max_depth: int | None = None
    refusal: str = ""
    any_layers: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    place: int = UNPLACED
