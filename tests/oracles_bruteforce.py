"""The exact distance (norm 2) by brute force: every activation pattern, one small program each, checked in integers.

For each pattern of all hidden neurons and each rival, the nearest point of {the region's closed half-spaces and
f_rival >= f_label} follows from non-negative least squares. Nothing of that is trusted: the multipliers give a bound
that is evaluated in exact integers, and the witness is evaluated by an exact forward pass.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.optimize import nnls

from relucert_core.network import Network
from tests.oracles import exact, exact_forward

PUSHES = (0.0, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8)


@dataclass(frozen=True)
class BruteForce:
    """low <= exact distance <= high, both proved in exact arithmetic."""

    low: float
    high: float

    @property
    def decided(self) -> bool:
        return self.low == self.high or self.high <= self.low * (1 + 1e-7)


def brute_force(net: Network, point: np.ndarray, label: int) -> BruteForce:
    """The distance of `point` to the closed set f_j >= f_label for some j, as an interval."""
    logits = exact_forward(net, point)[-1]
    if any(logits[j] >= logits[label] for j in range(net.classes) if j != label):
        return BruteForce(0.0, 0.0)
    scaled = _Scaled(net, point)
    low, high = math.inf, math.inf
    for bits in itertools.product((False, True), repeat=sum(net.widths)):
        rows, levels, rival_rows, rival_levels = scaled.region(np.array(bits), label)
        for rival, row in rival_rows.items():
            bound, near = _nearest(np.vstack([rows, row]), np.append(levels, rival_levels[rival]), scaled.unit)
            low = min(low, bound)
            if near is not None and bound < high:
                high = min(high, _witness(net, point, near, label))
    return BruteForce(low, high)


class _Scaled:
    """The network around the point as integers: every weight, bias and coordinate is an integer over 2^places."""

    def __init__(self, net: Network, point: np.ndarray) -> None:
        numbers = np.concatenate([a.ravel() for a in (*net.weights, *net.biases, point)])
        self.places = max(v.denominator.bit_length() - 1 for v in exact(numbers))
        self.weights = [self._whole(w) for w in net.weights]
        self.biases = [self._whole(b) for b in net.biases]
        self.widths = net.widths
        self.point = self._whole(point)
        self.unit = 2 ** ((net.depth + 1) * self.places)

    def _whole(self, values: np.ndarray) -> np.ndarray:
        whole = [int(Fraction(float(v)) * 2**self.places) for v in values.ravel()]
        return np.array(whole, dtype=object).reshape(values.shape)

    def region(self, pattern: np.ndarray, label: int):
        """Integer half-spaces rows . y >= levels of the region, and those of each rival; y = x - point."""
        one = 2**self.places
        rows, constants = self.weights[0] * one, self.weights[0] @ self.point + self.biases[0] * one
        faces, levels, start, size = [], [], 0, 2
        for k, width in enumerate(self.widths):
            on = pattern[start : start + width]
            side = np.array([1 if o else -1 for o in on], dtype=object)
            lift = 2 ** ((len(self.widths) + 2 - size) * self.places)  # everything over the same denominator
            faces.append(side[:, None] * rows * lift)
            levels.append(-side * constants * lift)
            mask = np.array([int(o) for o in on], dtype=object)
            weight = self.weights[k + 1] * mask
            rows, size = weight @ rows, size + 1
            constants = weight @ constants + self.biases[k + 1] * 2 ** ((size - 1) * self.places)
            start += width
        others = [j for j in range(len(rows)) if j != label]
        rival_rows = {j: rows[j] - rows[label] for j in others}
        rival_levels = {j: constants[label] - constants[j] for j in others}
        return np.concatenate(faces), np.concatenate(levels), rival_rows, rival_levels


def _nearest(rows: np.ndarray, levels: np.ndarray, unit: int) -> tuple[float, np.ndarray | None]:
    """A proved lower bound on the distance of 0 to {rows . y >= levels} and the point proposed (None if empty)."""
    plain = np.array([[float(Fraction(v, unit)) for v in row] for row in rows])
    heights = np.array([float(Fraction(v, unit)) for v in levels])
    lengths = np.linalg.norm(plain, axis=1)
    if any(level > 0 and not any(row) for row, level in zip(rows, levels)):
        return math.inf, None
    lengths[lengths == 0] = 1.0
    matrix = np.vstack([(plain / lengths[:, None]).T, heights / lengths])
    target = np.append(np.zeros(plain.shape[1]), 1.0)
    weights = nnls(matrix, target)[0]
    residual = matrix @ weights - target
    whole = [int(Fraction(w / length) * 2**200) for w, length in zip(weights, lengths)]
    total = sum((w * row for w, row in zip(whole, rows)), np.zeros(plain.shape[1], dtype=object))
    reached = sum(w * level for w, level in zip(whole, levels))
    bound = 0.0 if reached <= 0 else _quotient(reached, sum(int(v) * int(v) for v in total))
    if residual[-1] >= -1e-13:
        return bound, None
    return bound, residual[:-1] / -residual[-1]


def _quotient(reached: int, square: int) -> float:
    """reached / sqrt(square), rounded down."""
    if square == 0:
        return math.inf
    whole = math.isqrt((reached * reached << 240) // square)
    return float(Fraction(whole, 2**120)) * (1 - 2.0**-50)


def _witness(net: Network, point: np.ndarray, near: np.ndarray, label: int) -> float:
    """The distance, rounded up, of the first point on the ray that is exactly adversarial; inf if none is."""
    for push in PUSHES:
        candidate = point + near * (1 + push)
        logits = exact_forward(net, candidate)[-1]
        if any(logits[j] >= logits[label] for j in range(net.classes) if j != label):
            square = sum((a - b) ** 2 for a, b in zip(exact(candidate), exact(point)))
            return math.sqrt(float(square)) * (1 + 1e-15)
    return math.inf
