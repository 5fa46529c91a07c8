"""The simplex certificate (Theorem 3): the distance to the nearest face or local decision plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from relucert_core.cards import POOLED
from relucert_core.certificates.margins import margins
from relucert_core.certificates.pruning import DECISION, Hyperplane, decision_distance, nearest_hyperplanes
from relucert_core.certificates.result import (
    DEGENERATE,
    EXACT,
    LOWER_BOUND,
    OK,
    POOL_TIE,
    WRONG,
    Certificate,
    CertificateEntry,
    Limit,
)
from relucert_core.forward import ProvenForward, QuickForward, proven_forward, quick_forward
from relucert_core.layers import active
from relucert_core.network import Network, in_chunks
from relucert_core.norms import dual, nearest_on_hyperplane
from relucert_core.rounding import UNIT_ROUNDOFF, above, below, norm_below
from relucert_core.witness import witness_beyond

_CHUNK = 128
_LARGE = 100_000  # weights; from here on the tighter error bounds cost more than the rest of the certificate
_LOSS = {False: 1e-10, True: 8e-7}  # by large or not: a relative loss to rounding above which they are worth it


def simplex(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None, both: bool = True
) -> list[Certificate]:
    """Theorem 3 at each point of a batch (B, D): min(P_min, d_min).

    Returns certificates whose `parts` hold "face_distance" (P_min), "decision_distance" (d_min), both rounded down,
    and "case" ("a": a decision plane limits the ball, "b": a face, as in Figure 1). A d_min that is proved to be larger
    than P_min is worked out, for a single point, when it is looked at; with `both` False it comes as inf.
    Guarantee: a lower bound with proven rounding; "exact" when d_min, rounded up, is at most P_min and a witness on
    that plane is proved.
    A neuron on its face, or one whose sign rounding leaves open, gives 0 and the status "degenerate", unless its row
    is proved to be zero. Cost: a few forward passes (see `pruning`). Singla and Feizi (2019), Theorem 3; found
    independently by Croce, Andriushchenko and Hein (2018).
    """
    return [c for part, own in in_chunks(points, labels, _CHUNK) for c in _chunk(net, part, norm, own, both)]


def _chunk(
    net: Network, points: torch.Tensor, norm: float, labels: torch.Tensor | None, both: bool
) -> list[Certificate]:
    """The cheap error bounds first; the points that would lose too much to them again, with the tight ones."""
    found = _certify(net, points, norm, quick_forward(net, points), labels, both)
    bearable = _LOSS[sum(layer.entries for layer in net.affine) >= _LARGE]
    again = [i for i, (_, loss) in enumerate(found) if loss > bearable]
    if again:
        own = None if labels is None else labels[again]
        tight = _certify(net, points[again], norm, proven_forward(net, points[again]), own, both)
        for i, better in zip(again, tight):
            found[i] = better
    return [certificate for certificate, _ in found]


def _certify(
    net: Network,
    points: torch.Tensor,
    norm: float,
    forward: ProvenForward | QuickForward,
    labels: torch.Tensor | None,
    both: bool,
) -> list[tuple[Certificate, float]]:
    """For each point the certificate and the share of the limiting numerator that the error bound took."""
    classes = margins(forward, labels)
    values, errors = ([np.asarray(t) for t in part] for part in forward)
    with np.errstate(all="ignore"):  # points that overflow have no "ok" from `margins`
        numerators = [np.abs(z) - e for z, e in zip(values[:-1], errors[:-1])]
    gaps = classes.lower.numpy()
    results = []
    predictions = classes.prediction.tolist()
    for i, (label, status) in enumerate(zip(classes.label.tolist(), classes.status)):
        who = (predictions[i], label)
        own = [z[i] for z in values]
        lower = [_without_carried(n[i], layer.carried) for n, layer in zip(numerators, net.affine)]
        if status == OK and not _signs_are_settled(net, own[:-1], lower):
            status = POOL_TIE if _pools(net) and _is_on_a_face(net, own[:-1]) else DEGENERATE
        if status != OK:
            results.append((_nothing(norm, who, status), 1.0 if status != WRONG else 0.0))
            continue
        later = both and len(points) == 1
        face, plane = nearest_hyperplanes(net, own[:-1], [*lower, gaps[i]], label, norm, both and not later)
        limit = _Limit.of(own, [e[i] for e in errors], label, plane if plane.distance <= face.distance else face)
        certificate = _one(net, points[i], norm, who, limit, (face.distance, plane.distance))
        if later and plane.row is None:
            d_min = partial(decision_distance, net, own[:-1], gaps[i], label, norm)
            certificate = replace(certificate, parts=_PartsOnDemand(certificate.parts, d_min))
        results.append((certificate, limit.loss))
    return results


def _pools(net: Network) -> bool:
    """Is it known of the network that it has max pooling?"""
    return net.card is not None and POOLED in net.card.notes


def _is_on_a_face(net: Network, values: list[np.ndarray]) -> bool:
    """Is a pre-activation that passes a ReLU exactly 0, as the difference of two equal entries of a window is?"""
    return any(bool((z[layer.rectified] == 0).any()) for z, layer in zip(values, net.layers))


def _without_carried(numerators: np.ndarray, carried: torch.Tensor | None) -> np.ndarray:
    """The numerators of the faces; outputs that pass no ReLU have none."""
    return numerators if carried is None else np.where(carried.numpy(), math.inf, numerators)


class _PartsOnDemand(Mapping[str, Any]):
    """`parts` whose d_min is worked out when somebody looks at it: it costs as much as the rest of the certificate."""

    def __init__(self, parts: Mapping[str, Any], d_min: Callable[[], float]) -> None:
        self._parts = {**parts, "decision_distance": None}
        self._d_min = d_min

    def __getitem__(self, key: str) -> Any:
        if self._parts[key] is None:
            self._parts[key] = self._d_min()
        return self._parts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _nothing(norm: float, who: tuple[int, int], status: str) -> Certificate:
    """Radius 0, with the reason; who: the predicted class and the label."""
    parts = {"face_distance": 0.0, "decision_distance": 0.0}
    return Certificate(ENTRY.name, norm, 0.0, LOWER_BOUND, status, *who, parts=parts)


@dataclass(frozen=True, eq=False)
class _Limit:
    """The hyperplane that limits a ball, with its value at the point and a bound on that value's error."""

    plane: Hyperplane
    value: float
    error: float

    @classmethod
    def of(cls, values: list[np.ndarray], errors: list[np.ndarray], label: int, plane: Hyperplane) -> _Limit:
        """Look up z_i for a face, and f_label - f_rival for a decision plane."""
        value, error = float(values[plane.layer - 1][plane.index]), float(errors[plane.layer - 1][plane.index])
        if plane.kind == DECISION:
            value = float(values[-1][label]) - value
            error = above(above(error + float(errors[-1][label])) + abs(value) * 2 * UNIT_ROUNDOFF)
        return cls(plane, value, error)

    @property
    def loss(self) -> float:
        """The share of the value that its error takes."""
        return 0.0 if self.error == 0 else min(1.0, self.error / max(abs(self.value), self.error))

    def distance_above(self, norm: float) -> float:
        """The distance of the point to the hyperplane, rounded up."""
        row = torch.from_numpy(self.plane.row)
        spread = 1.0 if norm != math.inf else above(math.sqrt(len(row)))
        size = below(float(norm_below(row, dual(norm))) - above(self.plane.row_error * spread))
        return above(above(abs(self.value) + self.error) / size) if size > 0 else math.inf


def _one(
    net: Network,
    point: torch.Tensor,
    norm: float,
    who: tuple[int, int],
    limit: _Limit,
    distances: tuple[float, float],
) -> Certificate:
    """The record of one point that is neither degenerate nor misclassified; who: the predicted class and the label."""
    (faces, decisions), plane, (prediction, label) = distances, limit.plane, who
    radius = min(distances)
    nearest, witness = None, None
    if plane.row is not None and math.isfinite(radius):
        nearest = nearest_on_hyperplane(point.numpy(), plane.row, limit.value, norm)
        if plane.kind == DECISION and limit.distance_above(norm) <= faces:
            witness = witness_beyond(net, point, torch.from_numpy(nearest), label, radius, norm)
    return Certificate(
        method=ENTRY.name,
        norm=norm,
        radius=radius,
        guarantee=EXACT if witness else LOWER_BOUND,
        status=OK,
        prediction=prediction,
        label=label,
        limit=_name(net, plane) if nearest is not None else None,
        nearest=nearest,
        witness=witness[0].numpy() if witness else None,
        upper=witness[1] if witness else math.inf,
        parts={"face_distance": faces, "decision_distance": decisions, "case": "a" if decisions <= faces else "b"},
    )


def _name(net: Network, plane: Hyperplane) -> Limit:
    """The limit's name; neurons are counted among the outputs of their layer that pass a ReLU."""
    if plane.kind == DECISION:
        return Limit.decision(plane.index)
    rectified = net.layers[plane.layer - 1].rectified
    index = plane.index if rectified is None else int(np.count_nonzero(rectified[: plane.index]))
    return Limit.face(plane.layer, index)


def _signs_are_settled(net: Network, values: list[np.ndarray], numerators: list[np.ndarray]) -> bool:
    """Is every neuron's sign proved? One whose row is proved to be zero stops counting: its numerator becomes inf."""
    for m, lower in enumerate(numerators):
        if lower.min() > 0:
            continue
        for neuron in np.flatnonzero(~(lower > 0)).tolist():
            if not row_is_zero(net, _masks(net, values[:m]), neuron):
                return False
            lower[neuron] = math.inf
    return True


def _masks(net: Network, values: list[np.ndarray]) -> list[torch.Tensor]:
    """Which outputs of the layers with these values are active, (outputs,) bool each."""
    return [active(torch.from_numpy(z), layer.carried) for z, layer in zip(values, net.affine)]


def row_is_zero(net: Network, masks: list[torch.Tensor], neuron: int) -> bool:
    """Is the row of `neuron` in hidden layer len(masks) + 1 proved to be zero: does no path of active weights reach it?

    Only the places of the non-zero weights count, so no rounding enters. Rows that cancel to zero are not seen.
    """
    start = net.affine[len(masks)]
    reached = start.rows([neuron])[0] != 0
    for layer, mask in zip(reversed(net.affine[: len(masks)]), reversed(masks)):
        reached = layer.touched_by(reached & (mask > 0))
    return not bool(reached.any())


ENTRY = CertificateEntry(
    name="simplex",
    place=10,
    title="Simplex",
    run=simplex,
    norms=(1.0, 2.0, math.inf),
    any_layers=True,
    guarantee=EXACT,
    sentence="Grows a ball inside the one region around the point, where the network is linear, until it meets a wall.",
    options={"both": "work out d_min too where a face is nearer (default True)"},
    reference="Singla and Feizi (2019), Theorem 3; also Croce, Andriushchenko and Hein (2018)",
)
