"""The nearest hyperplane among many, with exact norms for only the rows that can matter.

Theorem 3 needs |z_i| / ||P_i|| for every neuron i. The numerators come from one forward pass. The norms obey
||P_i|| <= ||W_i * theta||_2 s, with s the product of the spectral norms of the layers below, so |z_i| over that bound
is a lower bound on the face's distance. Rows are visited in increasing order of it and carried back through the active
weights a few at a time; after each layer the bound is renewed with the norm reached so far, and a row that can no
longer beat the nearest one found is dropped. The value is the same as with all rows.

Rounding: a row r known to within ||e||_2 gives r W to within ||e|| ||W||_2 + gamma_n ||r||_2 ||W||_F.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from relucert_core.network import Dense, Network
from relucert_core.norms import dual
from relucert_core.rounding import above, gamma, norm_above, radius_below

FACE, DECISION = 0, 1
_FIRST_PICKS = 4
_GROWTH = 4
_PAIRS = 2048


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows on their way back to the input; all of length R but `values` (R, N_m).

    point: which point of the batch. kind: FACE or DECISION. layer, index: whose row (for a decision: the rival).
    numerator: lower bound on |z|. error: bound on the L2 error of `values`.
    """

    point: torch.Tensor
    kind: torch.Tensor
    layer: torch.Tensor
    index: torch.Tensor
    numerator: torch.Tensor
    values: torch.Tensor
    error: torch.Tensor

    def keep(self, mask: torch.Tensor) -> Rows:
        """The rows where `mask` holds."""
        return Rows(*(column[mask] for column in self.columns()))

    def columns(self) -> tuple[torch.Tensor, ...]:
        """The seven tensors, in the order of the constructor."""
        return (self.point, self.kind, self.layer, self.index, self.numerator, self.values, self.error)

    @staticmethod
    def join(parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, in order."""
        if len(parts) == 1:
            return parts[0]
        return Rows(*(torch.cat(column) for column in zip(*(part.columns() for part in parts))))


@dataclass(eq=False)
class Nearest:
    """The best hyperplane so far for each kind and point: distance, (layer, index), row and bound on the row's L2
    error; filled in by `offer`."""

    distance: torch.Tensor
    layer: torch.Tensor
    index: torch.Tensor
    row: torch.Tensor
    row_error: torch.Tensor

    @classmethod
    def none(cls, points: int, inputs: int) -> Nearest:
        """Nothing found yet, for `points` points: distances infinite."""
        shape = (2, points)
        return cls(
            torch.full(shape, math.inf, dtype=torch.float64),
            torch.zeros(shape, dtype=torch.int64),
            torch.zeros(shape, dtype=torch.int64),
            torch.zeros((*shape, inputs), dtype=torch.float64),
            torch.zeros(shape, dtype=torch.float64),
        )

    def offer(self, rows: Rows, distances: torch.Tensor) -> None:
        """Take over each row that is nearer than what its point has; of several the nearest."""
        place = (rows.kind * self.distance.shape[1] + rows.point).numpy()
        size = distances.numpy()
        better = (size < self.distance.numpy().reshape(-1)[place]).nonzero()[0]
        order = better[size[better].argsort(kind="stable")[::-1]]  # the nearest is written last, and stays
        if not len(order):
            return
        place = place[order]
        self.distance.numpy().reshape(-1)[place] = size[order]
        self.layer.numpy().reshape(-1)[place] = rows.layer.numpy()[order]
        self.index.numpy().reshape(-1)[place] = rows.index.numpy()[order]
        self.row.numpy().reshape(-1, self.row.shape[-1])[place] = rows.values.numpy()[order]
        self.row_error.numpy().reshape(-1)[place] = rows.error.numpy()[order]


def nearest_hyperplanes(
    net: Network, masks: Sequence[torch.Tensor], numerators: Sequence[torch.Tensor], labels: torch.Tensor, norm: float
) -> Nearest:
    """The nearest face and the nearest decision plane of each point, distances rounded down.

    masks: theta as M - 1 tensors (B, N_i) of zeros and ones. numerators: M tensors (B, N_i), lower bounds >= 0 on the
    |z_i| of the faces (infinite for a row proved to be zero) and, last, on f_label - f_j (infinite at the label).
    Every distance is at most the exact |z| / ||P|| of Theorem 3 and at least that of the exact minimum, but for the
    proven rounding error.
    """
    nearest = Nearest.none(len(labels), net.inputs)
    _offer_first_layer(net, numerators[0], norm, nearest)
    waiting = _Waiting.of(net, masks, numerators, labels, norm)
    picks = _FIRST_PICKS
    while True:
        rows = waiting.take(nearest, picks)
        if rows is None:
            return nearest
        for start in range(0, len(rows[0]), _PAIRS):
            part = tuple(column[start : start + _PAIRS] for column in rows)
            _carry_back(net, masks, labels, part, norm, nearest)
        picks *= _GROWTH


def _offer_first_layer(net: Network, numerators: torch.Tensor, norm: float, nearest: Nearest) -> None:
    """The faces of layer 1, whose rows are W^(1) itself."""
    first = net.layers[0]
    distances = radius_below(numerators, first.dual_norms(norm).expand_as(numerators))
    distance, index = distances.min(-1)
    nearest.distance[FACE], nearest.index[FACE] = distance, index
    nearest.layer[FACE] = 1
    nearest.row[FACE] = first.weight[index]


@dataclass(eq=False)
class _Waiting:
    """Lower bounds (B, R) on the distances of all rows above layer 1, and which row each column is."""

    bounds: torch.Tensor
    numerators: torch.Tensor
    kind: torch.Tensor
    layer: torch.Tensor
    index: torch.Tensor

    @classmethod
    def of(
        cls,
        net: Network,
        masks: Sequence[torch.Tensor],
        numerators: Sequence[torch.Tensor],
        labels: torch.Tensor,
        norm: float,
    ) -> _Waiting:
        """The bounds from ||W_i * theta||_2 and the product of the spectral norms below."""
        factors = _factors(net, norm)
        bounds = [
            radius_below(numerators[m], above(layer.masked_row_norms(masks[m - 1]) * factors[m]))
            for m, layer in enumerate(net.layers[1:-1], start=1)
        ]
        last = _differences(net.layers[-1], labels) * masks[-1].unsqueeze(1)
        bounds.append(radius_below(numerators[-1], above(norm_above(last, 2.0) * factors[-1])))
        counts = [b.shape[1] for b in bounds]
        kinds = [FACE] * (len(counts) - 1) + [DECISION]
        return cls(
            torch.cat(bounds, -1),
            torch.cat(list(numerators[1:]), -1),
            torch.cat([torch.full((n,), kind) for n, kind in zip(counts, kinds)]),
            torch.cat([torch.full((n,), layer) for layer, n in enumerate(counts, start=2)]),
            torch.cat([torch.arange(n) for n in counts]),
        )

    def take(self, nearest: Nearest, picks: int) -> tuple[torch.Tensor, ...] | None:
        """Up to `picks` rows a point and kind that may beat the nearest, smallest bound first; they wait no longer.

        Returns the columns (point, kind, layer, index, numerator), or None when no row can matter any more.
        """
        best = torch.where(
            self.kind == FACE, nearest.distance[FACE].unsqueeze(1), nearest.distance[DECISION].unsqueeze(1)
        )
        bounds = torch.where(self.bounds < best, self.bounds, math.inf)
        found = []
        for kind in (FACE, DECISION):
            own = (self.kind == kind).nonzero().view(-1)
            if len(own):
                value, place = bounds[:, own].topk(min(picks, len(own)), dim=-1, largest=False)
                point, rank = (value < math.inf).nonzero(as_tuple=True)
                found.append((point, own[place[point, rank]]))
        points, columns = (torch.cat(parts) for parts in zip(*found))
        if not len(points):
            return None
        numerators = self.numerators[points, columns]
        self.bounds[points, columns] = math.inf
        return points, self.kind[columns], self.layer[columns], self.index[columns], numerators


def _carry_back(
    net: Network,
    masks: Sequence[torch.Tensor],
    labels: torch.Tensor,
    picked: tuple[torch.Tensor, ...],
    norm: float,
    nearest: Nearest,
) -> None:
    """Carry the picked rows back to the input, dropping those that can no longer matter, and offer the rest."""
    factors = _factors(net, norm)
    layers = picked[2]
    rows: Rows | None = None
    for m in range(net.depth - 1, 0, -1):
        fresh = layers == m + 1
        if bool(fresh.any()):
            started = _start(net, labels, tuple(column[fresh] for column in picked))
            rows = started if rows is None else Rows.join([rows, started])
        if rows is None or not len(rows.point):
            continue
        masked = rows.values * masks[m - 1][rows.point]
        size = above(norm_above(masked, 2.0) + rows.error)
        useful = radius_below(rows.numerator, above(size * factors[m])) < nearest.distance[rows.kind, rows.point]
        rows = _through(net.layers[m - 1], _with_values(rows, masked).keep(useful))
    if rows is not None and len(rows.point):
        spread = 1.0 if norm != math.inf else above(math.sqrt(net.inputs))
        sizes = above(norm_above(rows.values, dual(norm)) + rows.error * spread)
        nearest.offer(rows, radius_below(rows.numerator, sizes))


def _with_values(rows: Rows, values: torch.Tensor) -> Rows:
    return Rows(rows.point, rows.kind, rows.layer, rows.index, rows.numerator, values, rows.error)


def _through(layer: Dense, rows: Rows) -> Rows:
    """One step back: r W, with the bound on its error."""
    terms = layer.outputs
    rounding = (gamma(terms + 2) * (1 + 2.0**-40)) * layer.frobenius
    size = norm_above(rows.values, 2.0)
    error = above(above(rows.error * layer.spectral) + above(size * rounding)) + (terms * layer.inputs) * 2.0**-1060
    return Rows(rows.point, rows.kind, rows.layer, rows.index, rows.numerator, rows.values @ layer.weight, error)


def _start(net: Network, labels: torch.Tensor, picked: tuple[torch.Tensor, ...]) -> Rows:
    """The picked rows as rows of one layer: W_i for a face, W_k - W_j for a decision plane."""
    point, kind, layer, index, numerator = picked
    weight = net.layers[int(layer[0]) - 1].weight
    if int(kind[0]) == FACE:
        return Rows(point, kind, layer, index, numerator, weight[index], torch.zeros_like(numerator))
    values = weight[labels[point]] - weight[index]
    return Rows(point, kind, layer, index, numerator, values, above(norm_above(values, 2.0) * 2.0**-52))


def _differences(layer: Dense, labels: torch.Tensor) -> torch.Tensor:
    """W_k - W_j for each point's class k and every rival j: (B, K, N)."""
    return (layer.weight[labels].unsqueeze(1) - layer.weight) * (1 + 2.0**-50)


def _factors(net: Network, norm: float) -> list[float]:
    """factors[m]: an upper bound on ||r||_dual of a row of L2 norm 1 over hidden layer m, carried back to the input."""
    factors = [1.0 if norm != math.inf else above(math.sqrt(net.inputs))]
    for layer in net.layers[:-1]:
        factors.append(above(factors[-1] * layer.spectral))
    return factors
