"""The simplex certificate (Theorem 3): the distance to the nearest face or local decision plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from relucert_core.certificates.margins import Margins, margins, witness_beyond
from relucert_core.certificates.pruning import DECISION, FACE, Nearest, nearest_hyperplanes
from relucert_core.certificates.result import (
    DEGENERATE,
    EXACT,
    LOWER_BOUND,
    OK,
    WRONG,
    Certificate,
    CertificateEntry,
    Limit,
)
from relucert_core.network import Network, in_chunks
from relucert_core.norms import dual, nearest_on_hyperplane
from relucert_core.region import ProvenForward, proven_forward, quick_forward
from relucert_core.rounding import above, below, norm_below

_CHUNK = 128
_LOSS = 2e-8  # relative; a point that would lose more to rounding gets the tighter (dearer) error bounds


def simplex(net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None) -> list[Certificate]:
    """Theorem 3 at each point of a batch (B, D): min(P_min, d_min).

    Returns certificates whose `parts` hold "face_distance" (P_min), "decision_distance" (d_min), both rounded down,
    and "case" ("a": a decision plane limits the ball, "b": a face, as in Figure 1). Guarantee: a lower bound with
    proven rounding; "exact" when d_min, rounded up, is at most P_min and a witness on that plane is proved.
    A neuron on its face, or one whose sign rounding leaves open, gives 0 and the status "degenerate", unless its row
    is proved to be zero. Cost: a few forward passes (see `pruning`). Singla and Feizi (2019), Theorem 3; found
    independently by Croce, Andriushchenko and Hein (2018).
    """
    return [c for part, own in in_chunks(points, labels, _CHUNK) for c in _chunk(net, part, norm, own)]


def _chunk(net: Network, points: torch.Tensor, norm: float, labels: torch.Tensor | None) -> list[Certificate]:
    """The cheap error bounds first; the points that would lose too much to them again, with the tight ones."""
    found = _certify(net, points, norm, quick_forward(net, points), labels)
    again = [i for i, (_, loss) in enumerate(found) if loss > _LOSS]
    if again:
        own = None if labels is None else labels[again]
        tight = _certify(net, points[again], norm, proven_forward(net, points[again]), own)
        for i, better in zip(again, tight):
            found[i] = better
    return [certificate for certificate, _ in found]


def _certify(
    net: Network, points: torch.Tensor, norm: float, forward: ProvenForward, labels: torch.Tensor | None
) -> list[tuple[Certificate, float]]:
    """For each point the certificate and the share of the limiting numerator that the error bound took."""
    found = margins(forward, labels)
    masks = [(z >= 0).to(z.dtype) for z in forward.values[:-1]]
    numerators = [below(z.abs() - e) for z, e in zip(forward.values[:-1], forward.errors[:-1])]
    open_signs = _settle_open_signs(net, masks, numerators)
    nearest = nearest_hyperplanes(net, masks, [*numerators, found.lower], found.label, norm)
    distances = nearest.distance.T.tolist()
    results = []
    for i, (status, (faces, decisions)) in enumerate(zip(found.status, distances)):
        kind = DECISION if decisions <= faces else FACE
        limit = _Hyperplane.of(forward, found, nearest, kind, i)
        if status == OK and open_signs[i]:
            status = DEGENERATE
        doubtful = status not in (OK, WRONG)
        certificate = _one(net, points[i], norm, found, limit, status, (faces, decisions), i)
        results.append((certificate, 1.0 if doubtful else limit.loss))
    return results


@dataclass(frozen=True, eq=False)
class _Hyperplane:
    """The hyperplane that limits a ball: its value at the point, that value's error, its row and the row's error."""

    kind: int
    layer: int
    index: int
    value: float
    error: float
    row: torch.Tensor
    row_error: float

    @property
    def loss(self) -> float:
        return 0.0 if self.error == 0 else min(1.0, self.error / max(abs(self.value), self.error))

    @property
    def limit(self) -> Limit:
        return Limit.decision(self.index) if self.kind == DECISION else Limit.face(self.layer, self.index)

    @classmethod
    def of(cls, forward: ProvenForward, found: Margins, nearest: Nearest, kind: int, i: int) -> _Hyperplane:
        layer, index = int(nearest.layer[kind, i]), int(nearest.index[kind, i])
        level = len(forward.values) - 1 if kind == DECISION else layer - 1
        value, error = float(forward.values[level][i, index]), float(forward.errors[level][i, index])
        if kind == DECISION:
            label = int(found.label[i])
            value = float(forward.values[-1][i, label]) - value
            error = above(above(error + float(forward.errors[-1][i, label])) + abs(value) * 2.0**-52)
        return cls(kind, layer, index, value, error, nearest.row[kind, i], float(nearest.row_error[kind, i]))

    def distance_above(self, norm: float) -> float:
        """The distance of the point to the hyperplane, rounded up."""
        spread = 1.0 if norm != math.inf else above(math.sqrt(len(self.row)))
        size = below(float(norm_below(self.row, dual(norm))) - above(self.row_error * spread))
        return above(above(abs(self.value) + self.error) / size) if size > 0 else math.inf


def _one(
    net: Network,
    point: torch.Tensor,
    norm: float,
    found: Margins,
    limit: _Hyperplane,
    status: str,
    distances: tuple[float, float],
    i: int,
) -> Certificate:
    """The record of one point."""
    ok = status == OK
    faces, decisions = distances if ok else (0.0, 0.0)
    radius = min(faces, decisions)
    limited = ok and math.isfinite(radius)
    nearest = None
    if limited:
        nearest = nearest_on_hyperplane(point, limit.row, torch.tensor(limit.value, dtype=torch.float64), norm)
    witness = None
    if nearest is not None and limit.kind == DECISION and limit.distance_above(norm) <= faces:
        witness = witness_beyond(net, point, nearest, int(found.label[i]), radius, norm)
    return Certificate(
        method=ENTRY.name,
        norm=norm,
        radius=radius,
        guarantee=EXACT if witness else LOWER_BOUND,
        status=status,
        prediction=int(found.prediction[i]),
        label=int(found.label[i]),
        limit=limit.limit if limited else None,
        nearest=None if nearest is None else nearest.numpy(),
        witness=witness[0].numpy() if witness else None,
        upper=witness[1] if witness else math.inf,
        parts={"face_distance": faces, "decision_distance": decisions, "case": "a" if decisions <= faces else "b"},
    )


def _settle_open_signs(net: Network, masks: list[torch.Tensor], numerators: list[torch.Tensor]) -> list[bool]:
    """Which points have a neuron of open sign; where its row is proved to be zero it stops counting instead."""
    open_points = [False] * len(masks[0])
    for m, lower in enumerate(numerators):
        for point, neuron in (~(lower > 0)).nonzero().tolist():
            if row_is_zero(net, [mask[point] for mask in masks[:m]], neuron):
                lower[point, neuron] = math.inf
            else:
                open_points[point] = True
    return open_points


def row_is_zero(net: Network, masks: list[torch.Tensor], neuron: int) -> bool:
    """Is the row of `neuron` in hidden layer len(masks) + 1 proved to be zero: does no path of active weights reach it?

    Only the places of the non-zero weights count, so no rounding enters. Rows that cancel to zero are not seen.
    """
    reached = net.layers[len(masks)].weight[neuron] != 0
    for layer, mask in zip(reversed(net.layers[: len(masks)]), reversed(masks)):
        reached = ((layer.weight != 0) & (reached & (mask > 0)).unsqueeze(1)).any(0)
    return not bool(reached.any())


ENTRY = CertificateEntry(
    name="simplex",
    title="Simplex",
    run=simplex,
    norms=(1.0, 2.0, math.inf),
    guarantee=EXACT,
    sentence="Grows a ball inside the one region around the point, where the network is linear, until it meets a wall.",
    reference="Singla and Feizi (2019), Theorem 3; also Croce, Andriushchenko and Hein (2018)",
)
