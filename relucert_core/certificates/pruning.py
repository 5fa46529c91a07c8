"""The nearest hyperplane among many, with exact norms for only the rows that can matter.

Theorem 3 needs |z_i| / ||P_i|| for every neuron i. The numerators come from one forward pass. The norms obey
||P_i|| <= ||W_i * theta||_2 s, with s the product of the spectral norms of the layers below, so |z_i| over that bound
is a lower bound on the face's distance. Rows are visited in increasing order of it and carried back through the active
weights a few at a time; after each layer the bound is renewed with the norm reached so far, and a row that can no
longer beat the nearest one found is dropped. The value is the same as with all rows.

Rounding: a row r known to within ||e||_2 gives r W to within ||e|| ||W||_2 + gamma_n ||r||_2 ||W||_F.

One point at a time, in NumPy: a certificate costs a few forward passes, so every call counts (NumPy's take a third of
the time of torch's on arrays of this size; both see the same memory).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from relucert_core.layers import Affine, Sparse, active
from relucert_core.network import Network
from relucert_core.norms import NORMS, dual
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above, below, gamma, norm_above

FACE, DECISION = "face", "class"
_FIRST_ROWS = 4
_MORE_ROWS = 32
_FEW = 1 / 32  # of the weights of a layer: so many are gathered one by one
_SAFE_SQUARES = (1e-200, 1e200)  # sums of squares in this range have lost nothing to underflow or overflow


@dataclass(frozen=True, eq=False)
class Hyperplane:
    """A face or a decision plane at a point: its distance, rounded down, and its row (D,), not signed by the pattern.

    layer counts from 1, index is the neuron or the rival class. row_error bounds the L2 error of `row`. distance is
    inf, and row None, when there is no such hyperplane.
    """

    kind: str
    layer: int
    index: int
    distance: float
    row: np.ndarray | None
    row_error: float = 0.0


@dataclass(frozen=True, eq=False)
class _Ready:
    """What does not depend on the point. Lists are indexed by layer, from 0.

    sizes: upper bounds on the norms of W_i, dual to each norm (first layer). squares: (W_ij / ||W_i||)^2 in float32;
    their products with a mask are made into upper bounds by `slack` (factor) and `floor` (term). rows: ||W_i||_2.
    carried: which outputs pass no ReLU (None: all pass one). weights and squares of sparse layers are in CSR.
    differences: (K, K), upper bounds on ||W_k - W_j||_2 of the last layer.
    factors[norm][m]: an upper bound on ||r||_dual of a row of L2 norm 1 over hidden layer m, carried back to the input.
    """

    weights: tuple[Any, ...]
    sizes: dict[float, np.ndarray]
    squares: tuple[Any, ...]
    slack: tuple[float, ...]
    floor: tuple[float, ...]
    rows: tuple[np.ndarray, ...]
    carried: tuple[np.ndarray | None, ...]
    spectral: tuple[float, ...]
    frobenius: tuple[float, ...]
    differences: np.ndarray
    factors: dict[float, tuple[float, ...]]


_PREPARED: weakref.WeakKeyDictionary[Network, _Ready] = weakref.WeakKeyDictionary()


def _ready(net: Network) -> _Ready:
    """The precomputed parts of a network, kept for as long as the network lives."""
    if net not in _PREPARED:
        _PREPARED[net] = _prepare(net.affine)
    return _PREPARED[net]


def _prepare(layers: tuple[Affine, ...]) -> _Ready:
    first, last = layers[0], layers[-1].weight  # of the last layer, in full: it has few rows
    rows = tuple(layer.row_norms.numpy() for layer in layers)
    factors = {}
    for norm in NORMS:
        chain = [1.0 if norm != math.inf else above(math.sqrt(first.inputs))]
        for layer in layers[:-1]:
            chain.append(above(chain[-1] * layer.spectral))
        factors[norm] = tuple(chain)
    return _Ready(
        weights=(*(_matrix(layer) for layer in layers[:-1]), last.numpy()),
        sizes={norm: np.maximum(first.row_sizes(dual(norm)).numpy(), SMALLEST) for norm in NORMS},
        squares=tuple(_squares(layer) for layer in layers[1:-1]),
        carried=tuple(None if layer.carried is None else layer.carried.numpy() for layer in layers[:-1]),
        slack=tuple(1 + (2 * layer.inputs + 16) * 2.0**-24 for layer in layers[1:-1]),
        floor=tuple((layer.inputs + 4) * 2.0**-120 for layer in layers[1:-1]),
        rows=rows,
        spectral=tuple(layer.spectral for layer in layers[:-1]),
        frobenius=tuple(layer.frobenius for layer in layers[:-1]),
        differences=torch.stack([norm_above(w - last, 2.0) for w in last]).numpy() * (1 + 4 * UNIT_ROUNDOFF),
        factors=factors,
    )


def _matrix(layer: Affine) -> Any:
    """The weights as an array, or in CSR."""
    return layer.matrix if isinstance(layer, Sparse) else layer.weight.numpy()


def _squares(layer: Affine) -> Any:
    """(W_ij / ||W_i||)^2 in float32."""
    norms = layer.row_norms.clamp(min=SMALLEST)
    if isinstance(layer, Sparse):
        matrix = layer.matrix
        data = matrix.data / np.repeat(norms.numpy(), np.diff(matrix.indptr))
        return csr_array(((data * data).astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
    return (layer.weight / norms.unsqueeze(-1)).square().float().numpy()


def _active(ready: _Ready, values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of each hidden layer that go on as they are: neurons that are on, and what is carried."""
    found = []
    for z, carried in zip(values, ready.carried):
        found.append(active(z, carried).nonzero()[0])
    return found


def _part(weight: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Some rows and columns of a matrix, as an array."""
    if isinstance(weight, np.ndarray):
        return weight[rows[:, None], columns]
    return weight[rows].toarray()[:, columns]


def nearest_hyperplanes(
    net: Network, values: Sequence[np.ndarray], numerators: Sequence[np.ndarray], label: int, norm: float, both: bool
) -> tuple[Hyperplane, Hyperplane]:
    """The nearest face and the nearest decision plane of one point, in `norm`, distances rounded down.

    values: z^(1), ..., z^(M-1), whose signs make the pattern. numerators: M arrays, lower bounds > 0 on the |z_i| of
    the faces (infinite for a row proved to be zero and for what is carried) and, last, on f_label - f_j (infinite at
    the label); each may be off by the rounding of one operation. A distance is at most the exact |z| / ||P|| of
    Theorem 3, and within the proven rounding error of it. Unless `both`, a decision plane that is proved to lie
    farther than the nearest face is not looked for, and its distance comes as infinite.
    """
    ready = _ready(net)
    search = _Search(ready, _active(ready, values), norm, {})
    with np.errstate(all="ignore"):
        face = search.nearest_face(values, numerators)
        return face, search.nearest_plane(numerators[-1], label, math.inf if both else face.distance)


def decision_distance(net: Network, values: Sequence[np.ndarray], gaps: np.ndarray, label: int, norm: float) -> float:
    """d_min alone, rounded down: as the second answer of `nearest_hyperplanes`, whose arguments these are."""
    ready = _ready(net)
    search = _Search(ready, _active(ready, values), norm, {})
    with np.errstate(all="ignore"):
        return search.nearest_plane(gaps, label, math.inf).distance


@dataclass(frozen=True, eq=False)
class _Search:
    """The search at one point: active neurons of each hidden layer, the norm, and the active weights once gathered."""

    ready: _Ready
    active: list[np.ndarray]
    norm: float
    gathered: dict[int, Any]

    def nearest_face(self, values: Sequence[np.ndarray], numerators: Sequence[np.ndarray]) -> Hyperplane:
        """Layer 1 from its known norms, then the rows above that may be nearer, in the order of their bounds."""
        ready, first = self.ready, numerators[0] / self.ready.sizes[self.norm]
        i = int(first.argmin())
        best = Hyperplane(FACE, 1, i, _down(float(first[i])), _row(ready.weights[0], i))
        bounds, levels, indices = [], [], []
        for m in range(1, len(ready.weights) - 1):
            index, bound = self._candidates(m, numerators[m], best.distance)
            bounds.append(bound)
            levels.append(np.full(len(index), m))
            indices.append(index)
        if not bounds:
            return best
        bound, level, index = np.concatenate(bounds), np.concatenate(levels), np.concatenate(indices)
        return self._visit(best, bound, FACE, lambda picked: self._faces(numerators, level[picked], index[picked]))

    def _visit(
        self, best: Hyperplane, bound: np.ndarray, kind: str, rows_of: Callable[[np.ndarray], dict[int, _Rows]]
    ) -> Hyperplane:
        """The nearest of `best` and the hyperplanes with the lower bounds `bound`, looked at in their order."""
        order, start, count = bound.argsort(), 0, _FIRST_ROWS
        while start < len(order) and bound[order[start]] < best.distance:
            picked = order[start : start + count]
            best = self._better(best, rows_of(picked[bound[picked] < best.distance]), kind)
            start, count = start + count, _MORE_ROWS
        return best

    def _candidates(self, m: int, numerators: np.ndarray, nearest: float) -> tuple[np.ndarray, np.ndarray]:
        """The faces of hidden layer m + 1 that may be nearer than `nearest`, and lower bounds on their distances.

        First the bound with ||W_i||, which is known; for those that it leaves over the one with ||W_i * theta||, from
        the weights themselves when they are few, else from their squares in float32.
        """
        ready, active = self.ready, self.active[m - 1]
        factor = ready.factors[self.norm][m] * (1 + 1e-6)
        index = (_not_nearer_than(numerators, ready.rows[m], factor) < nearest).nonzero()[0]
        if not len(index):
            return index, numerators[index]
        dense = isinstance(ready.weights[m], np.ndarray)
        if dense and len(index) * len(active) < _FEW * ready.weights[m].size:
            sizes = _sizes(ready.weights[m][index[:, None], active], 2.0)
        else:
            mask = np.zeros(ready.weights[m].shape[1], np.float32)
            mask[active] = 1.0
            reached = ready.squares[m - 1] @ mask
            sizes = ready.rows[m] * np.sqrt(reached * np.float32(ready.slack[m - 1]) + np.float32(ready.floor[m - 1]))
            sizes = sizes[index]
        bound = _not_nearer_than(numerators[index], sizes, factor)
        useful = bound < nearest
        return index[useful], bound[useful]

    def nearest_plane(self, gaps: np.ndarray, label: int, limit: float) -> Hyperplane:
        """The decision planes that may lie nearer than `limit`, all at once."""
        level, factor = len(self.active), self.ready.factors[self.norm][len(self.active)] * (1 + 1e-12)
        nothing = Hyperplane(DECISION, level + 1, label, math.inf, None)
        chosen = (_not_nearer_than(gaps, self.ready.differences[label], factor) < limit).nonzero()[0]
        if not len(chosen):
            return nothing
        weight = self.ready.weights[-1]
        rows = (weight[label] - weight[chosen])[:, self.active[-1]]
        sizes = _sizes(rows, 2.0)
        errors, gaps = sizes * (2 * UNIT_ROUNDOFF), gaps[chosen]
        bound = _not_nearer_than(gaps, sizes, factor)
        useful = (bound < limit).nonzero()[0]
        start = _Rows(np.full(len(chosen), level + 1), chosen, gaps, rows, errors)
        return self._visit(nothing, bound[useful], DECISION, lambda picked: {level: start.keep(useful[picked])})

    def _faces(self, numerators: Sequence[np.ndarray], level: np.ndarray, index: np.ndarray) -> dict[int, _Rows]:
        """The picked faces as rows over the hidden layers below them, by layer."""
        start = {}
        for m in set(level.tolist()):
            own = index[level == m]
            rows = _part(self.ready.weights[m], own, self.active[m - 1])
            start[m] = _Rows(np.full(len(own), m + 1), own, numerators[m][own], rows, np.zeros(len(own)))
        return start

    def _better(self, best: Hyperplane, start: dict[int, _Rows], kind: str) -> Hyperplane:
        """Carry rows back to the input, dropping those that cannot beat `best`; the nearer of the two."""
        rows: _Rows | None = None
        factors = self.ready.factors[self.norm]
        for m in range(max(start), 0, -1):
            if m in start:
                rows = start[m] if rows is None else _Rows.join(rows, start[m])
            if rows is None:
                continue
            sizes = _sizes(rows.values, 2.0)
            reach = _not_nearer_than(rows.numerators, sizes + rows.errors, factors[m] * (1 + 1e-12))
            useful = reach < best.distance
            if not useful.all():
                rows, sizes = rows.keep(useful), sizes[useful]
            rows = self._back(rows, sizes, m) if len(rows.index) else None
        return best if rows is None else self._nearer(best, rows, kind)

    def _back(self, rows: _Rows, sizes: np.ndarray, m: int) -> _Rows:
        """One layer down: rows over hidden layer m become rows over layer m - 1 (its active neurons) or the input."""
        ready, active = self.ready, self.active[m - 1]
        if m not in self.gathered:
            self.gathered[m] = self._between(m)
        values = rows.values @ self.gathered[m]
        rounding = gamma(len(active) + 2) * ready.frobenius[m - 1] * (1 + 1e-12)
        tiny = len(active) * ready.weights[m - 1].shape[1] * 2.0**-1060
        errors = (rows.errors * ready.spectral[m - 1] + sizes * rounding) * (1 + 1e-12) + tiny
        return _Rows(rows.layer, rows.index, rows.numerators, values, errors)

    def _between(self, m: int) -> Any:
        """The weights from the active neurons of layer m - 1, or the inputs, to those of hidden layer m."""
        weight, active = self.ready.weights[m - 1], self.active[m - 1]
        if not isinstance(weight, np.ndarray):
            return weight[active] if m == 1 else weight[active][:, self.active[m - 2]]
        if m == 1:
            return weight.take(active, axis=0)
        below_it = self.active[m - 2]
        if len(active) * len(below_it) < weight.size / 8:
            return weight[active[:, None], below_it]
        return weight.take(active, axis=0).take(below_it, axis=1)

    def _nearer(self, best: Hyperplane, rows: _Rows, kind: str) -> Hyperplane:
        """The nearer of `best` and rows that have reached the input."""
        spread = 1.0 if self.norm != math.inf else above(math.sqrt(rows.values.shape[1]))
        sizes = _sizes(rows.values, dual(self.norm))
        sizes = np.maximum((sizes + rows.errors * spread) * (1 + 8 * UNIT_ROUNDOFF), SMALLEST)
        distances = rows.numerators / sizes
        i = int(distances.argmin())
        distance = _down(float(distances[i]))
        if not distance < best.distance:
            return best
        return Hyperplane(kind, int(rows.layer[i]), int(rows.index[i]), distance, rows.values[i], float(rows.errors[i]))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows on their way back: (layer, index) says whose, numerators bound |z| from below, errors the rows' L2 errors.

    values: (R, active neurons of the layer reached), and (R, D) at the input.
    """

    layer: np.ndarray
    index: np.ndarray
    numerators: np.ndarray
    values: np.ndarray
    errors: np.ndarray

    def keep(self, mask: np.ndarray) -> _Rows:
        """The rows where `mask` holds, or with the numbers in it."""
        return _Rows(self.layer[mask], self.index[mask], self.numerators[mask], self.values[mask], self.errors[mask])

    @staticmethod
    def join(a: _Rows, b: _Rows) -> _Rows:
        """The rows of both."""
        return _Rows(
            np.concatenate((a.layer, b.layer)),
            np.concatenate((a.index, b.index)),
            np.concatenate((a.numerators, b.numerators)),
            np.concatenate((a.values, b.values)),
            np.concatenate((a.errors, b.errors)),
        )


def _not_nearer_than(numerators: np.ndarray, sizes: np.ndarray, factor: float) -> np.ndarray:
    """Lower bounds on the distances of hyperplanes whose rows, carried back, have norms of at most sizes x factor.

    Infinite for an infinite numerator or a zero row; else 0 where overflow leaves no number: such a row is never
    left out.
    """
    found = np.fmax(numerators / (sizes * factor + SMALLEST), 0.0)
    found[np.isinf(numerators) | (sizes == 0)] = math.inf
    return found


def _sizes(rows: np.ndarray, order: float) -> np.ndarray:
    """Upper bounds on the rows' norms (R, n); the scaled and slower way where squares might under- or overflow."""
    if order == 2:
        squares = np.einsum("ij,ij->i", rows, rows)
        if len(squares) and _SAFE_SQUARES[0] < squares.min() and squares.max() < _SAFE_SQUARES[1]:
            return np.sqrt(squares) * (1 + gamma(rows.shape[1] + 8))
    return norm_above(torch.from_numpy(rows), order).numpy()


def _row(weight: Any, i: int) -> np.ndarray:
    return weight[i] if isinstance(weight, np.ndarray) else weight[[i]].toarray()[0]


def _down(distance: float) -> float:
    """The distance rounded down; NaN, which overflow leaves, becomes 0."""
    return 0.0 if math.isnan(distance) else float(below(distance))
