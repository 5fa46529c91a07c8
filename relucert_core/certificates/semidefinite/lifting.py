"""Which neurons a reduced problem lifts: the others become lines where these lose little.

Most rivals are excluded by a much smaller problem than their own. What a line costs shows at the attained minimum of
the margin over the ball: projected descent on the margin, in which the last hidden layer's neurons that are not lifted
are replaced by their lines, leads there, and the neurons whose lines lose most there are lifted, a few at a time, until
the attained minimum is a good share of the margin at the centre (or stops growing). Then the layer before it is reduced
in the same way: the share of its neurons that has to stay is found by trying a few. Everything here is a guess; a
choice may cost tightness, never soundness (`substitution` puts the lines on their safe sides).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from relucert_core.certificates.semidefinite.forms import margin_rows
from relucert_core.certificates.semidefinite.relaxation import Bounds
from relucert_core.certificates.semidefinite.substitution import Frame, Lifting, Rows, Substitution
from relucert_core.layers import active

_BASE, _GROWTH = 0.05, 1.3e-4  # the share of the centre's margin that has to be left for a problem of size N: a + b N
_LAST_MORE = 1.8  # how much more of it has to be left before the layer before the last one is reduced
_LOST = 0.06  # an attained minimum below this share is taken for hopeless
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_MOST_LAST = 160
_SOFTNESS = 0.15  # of a first-layer neuron's reach: how close to its face it counts as half on


@dataclass(frozen=True, eq=False)
class _Minimum:
    """The least value that descent found, where (D,), and the pre-activations there."""

    value: float
    where: np.ndarray
    values: list[np.ndarray]


class Chooser:
    """The choice of lifted neurons for one rival, under one set of bounds."""

    def __init__(self, frame: Frame, bounds: Bounds, radius: float, rival: int) -> None:
        self.frame, self.bounds, self.radius, self.rival = frame, bounds, radius, rival
        net, label = frame.net, frame.label
        # Neurons that are off take no part: everything below is about the others, layer by layer.
        self.alive = [wide | on for wide, on in zip(bounds.open, bounds.on, strict=True)]
        columns = [np.ones(net.inputs, dtype=bool), *self.alive[:-1]]
        pairs = zip(frame.weights[:-1], self.alive, columns, strict=True)
        self.weights = [np.ascontiguousarray(weight[rows][:, used]) for weight, rows, used in pairs]
        self.biases = [bias[rows] for bias, rows in zip(frame.biases[:-1], self.alive, strict=True)]
        self.carried = [
            np.zeros(int(rows.sum()), dtype=bool) if mask is None else mask[rows]
            for mask, rows in zip(frame.carried, self.alive, strict=True)
        ]
        self.biases[0] = frame.values[self.alive[0]]
        self.row = (frame.weights[-1][label] - frame.weights[-1][rival])[self.alive[-1]]
        self.constant = float(frame.biases[-1][label] - frame.biases[-1][rival])
        self.low, self.high, self.open = (
            part[-1][self.alive[-1]] for part in (bounds.lower, bounds.upper, bounds.open)
        )
        self.on = bounds.on[-1][self.alive[-1]]
        self.steep = np.where(self.open, self.high / np.where(self.open, self.high - self.low, 1.0), 0.0)
        self.slopes = (self.high > -self.low).astype(np.float64)
        self.kept = np.zeros(len(self.row), dtype=bool)
        self.start = self._descend(np.zeros(net.inputs), 15)

    def choices(self) -> Iterator[Lifting]:
        """Liftings from small to larger ones, each worth a try; none where no small one looks promising."""
        size = 0
        for demand in (1.0, 1.3):
            self._grow(demand)
            found = self._reduced(demand)
            if found is None:
                return
            lifting, count = found
            if count <= 1.02 * size:
                return
            size = count
            yield lifting

    def generous(self) -> Lifting:
        """All neurons but those of the last hidden layer whose lines lose least."""
        self._grow(np.inf)
        return self._lifting(None)

    def _needed(self, size: float) -> float:
        return _BASE + _GROWTH * size

    def _grow(self, demand: float) -> None:
        """Lift more of the last hidden layer, until enough of the margin is left at the attained minimum."""
        before = sum(int(wide.sum()) for wide in self.bounds.open[:-1])
        shares: list[float] = []
        while True:
            centre = self._margin(np.zeros_like(self.start.where))[0]
            share = self.start.value / max(centre, 1e-300)
            needed = demand * self._needed(1.5 * before + 2 * int(self.kept.sum()))
            shares.append(share)
            stalled = len(shares) > 3 and shares[-1] > 1.2 * needed and shares[-1] - shares[-4] < 0.03
            if share >= _LAST_MORE * needed or stalled or int(self.kept.sum()) >= _MOST_LAST:
                return
            if not self._lift(8 if demand < np.inf else 20):
                return

    def _lift(self, step: int) -> bool:
        """Tune the lower slopes, lift the `step` neurons whose lines lose most; False where none loses anything."""
        for _ in range(3):
            value = self.start.values[-1]
            tuned = np.clip(self.slopes + 0.3 * np.tanh(2 * value / max(float(np.abs(value).mean()), 1e-9)), 0, 1)
            self.slopes = np.where(self.open & ~self.kept & (self.row > 0), tuned, self.slopes)
            self.start = self._descend(self.start.where, 6)
        value = self.start.values[-1]
        on = np.maximum(value, 0.0)
        lost = np.where(self.row < 0, self.steep * (value - self.low) - on, on - self.slopes * value)
        lost = np.where(self.open & ~self.kept, np.abs(self.row) * lost, 0.0)
        chosen = np.argsort(-lost)[:step]
        chosen = chosen[lost[chosen] > 0]
        self.kept[chosen] = True
        self.start = self._descend(self.start.where, 12)
        return len(chosen) > 0

    def _descend(self, start: np.ndarray, steps: int) -> _Minimum:
        """Projected descent of the partly exact margin from a point."""
        best: _Minimum | None = None
        where = start
        for i in range(steps):
            value, gradient, values = self._margin(where)
            if best is not None and value >= best.value - 1e-3 * abs(best.value) and i > 3:
                break
            if best is None or value < best.value:
                best = _Minimum(value, where, values)
            where = -gradient * (self.radius / max(float(np.linalg.norm(gradient)), 1e-300))
        assert best is not None
        return best

    def _margin(self, where: np.ndarray) -> tuple[float, np.ndarray, list[np.ndarray]]:
        """The partly exact margin at u + `where`, its gradient and the pre-activations."""
        values = [self.weights[0] @ where + self.biases[0]]
        for weight, bias, carried in zip(self.weights[1:], self.biases[1:], self.carried[:-1], strict=True):
            values.append(weight @ np.where(carried, values[-1], np.maximum(values[-1], 0.0)) + bias)
        last = values[-1]
        lines = np.where(self.row < 0, self.steep, self.slopes)
        slope = np.where(self.open, np.where(self.kept, last > 0, lines), self.on.astype(np.float64))
        offset = np.where(self.open & ~self.kept & (self.row < 0), -self.steep * self.low, 0.0)
        coefficients = self.row * slope
        value = float(coefficients @ last + self.row @ offset + self.constant)
        for weight, below, carried in zip(self.weights[:0:-1], values[-2::-1], self.carried[-2::-1], strict=True):
            coefficients = (coefficients @ weight) * active(below, carried)
        return value, coefficients @ self.weights[0], values

    def _reduced(self, demand: float) -> tuple[Lifting, int] | None:
        """The smallest lifting that leaves enough of the margin, with its size; None where none does by far."""
        if len(self.bounds.lower) < 2:
            return self._lifting(None), int(self.kept.sum())
        before = int(self.bounds.open[-2].sum())
        for share in _SHARES:
            lifting = self._lifting(int(share * before))
            left, centre = self._surrogate_share(lifting)
            size = sum(int(kept.sum()) for kept in lifting.lifted)
            if centre > 0 and (left >= demand * self._needed(2 * size + 1) or (share == 1 and left >= _LOST)):
                return lifting, size
        return None

    def _lifting(self, count: int | None) -> Lifting:
        """The lifting that keeps the last layer's choice and the `count` neurons before it whose lines lose most."""
        lifted = [wide.copy() for wide in self.bounds.open]
        slopes = [np.zeros(len(wide)) for wide in lifted]
        lifted[-1], slopes[-1] = np.zeros_like(lifted[-1]), np.zeros(len(lifted[-1]))
        lifted[-1][self.alive[-1]], slopes[-1][self.alive[-1]] = self.kept & self.open, self.slopes
        if count is not None and len(lifted) > 1:
            slopes[-2][self.alive[-2]], lost = self._lines_before_last()
            chosen = np.flatnonzero(self.alive[-2])[np.argsort(-lost)[:count]]
            lifted[-2] = np.zeros_like(lifted[-2])
            lifted[-2][chosen] = True
        return Lifting(tuple(lifted), tuple(slopes))

    def _lines_before_last(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower slopes of the layer before the last one, and what its lines lose at the attained minimum."""
        alive = self.alive[-2]
        low, high, wide = (part[-2][alive] for part in (self.bounds.lower, self.bounds.upper, self.bounds.open))
        value = self.start.values[-2]
        near = _SOFTNESS * np.where(wide, high - low, 1.0) / 2
        slopes = np.clip(0.5 + 0.5 * value / np.sqrt(value * value + near * near), 0, 1)
        steep = np.where(wide, high / np.where(wide, high - low, 1.0), 0.0)
        chord, line = steep * (value - low) - np.maximum(value, 0.0), np.maximum(value, 0.0) - slopes * value
        passed = np.where(
            self.on, 1.0, np.where(self.open & ~self.kept, np.where(self.row < 0, self.steep, self.slopes), 0)
        )
        weight = self.weights[-1]
        rows = np.concatenate([((self.row * passed) @ weight)[None], self.row[self.kept, None] * weight[self.kept]])
        lost = np.where(rows < 0, -rows * chord, rows * line).sum(0)
        return slopes, np.where(wide, lost, -1.0)

    def _surrogate_share(self, lifting: Lifting) -> tuple[float, float]:
        """The attained minimum of the reduced margin as a share of its value at the centre, and that value."""
        work = Substitution(self.frame, self.bounds, lifting, self.radius)
        margin, neurons = margin_rows(work, self.rival)
        centre = _surrogate(margin, neurons, np.zeros_like(self.start.where))[0]
        where, best = self.start.where, np.inf
        for i in range(15):
            value, gradient = _surrogate(margin, neurons, where)
            if value < best - 1e-3 * abs(centre):
                best = value
            elif i > 3:
                break
            where = -gradient * (self.radius / max(float(np.linalg.norm(gradient)), 1e-300))
        return best / max(centre, 1e-300), centre


def _surrogate(margin: Rows, neurons: list[Rows], where: np.ndarray) -> tuple[float, np.ndarray]:
    """The reduced margin at u + `where` and its gradient."""
    z, values = np.zeros(margin.lifted.shape[1]), []
    done = 0
    for rows in neurons:
        values.append(rows.constants + rows.inputs @ where + rows.lifted @ z)
        z[done : done + len(values[-1])] = np.maximum(values[-1], 0.0)
        done += len(values[-1])
    value = float(margin.constants[0] + margin.inputs[0] @ where + margin.lifted[0] @ z)
    gradient, by_z = margin.inputs[0].copy(), margin.lifted[0].copy()
    for rows, found in zip(neurons[::-1], values[::-1], strict=True):
        passed = by_z[done - len(found) : done] * (found > 0)
        done -= len(found)
        gradient += passed @ rows.inputs
        by_z += passed @ rows.lifted
    return value, gradient
