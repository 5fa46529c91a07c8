"""Independent oracles in exact rational arithmetic (fractions), written from the paper and not from the engine."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from relucert_core.network import Network
from tests.oracles_definite import positive_semidefinite

Vector = list[Fraction]


def exact(values: np.ndarray) -> Vector:
    """The float64 numbers as they are."""
    return [Fraction(float(v)) for v in values]


def exact_layers(net: Network) -> list[tuple[list[Vector], Vector]]:
    """The weights and biases as fractions."""
    return [([exact(row) for row in w], exact(b)) for w, b in zip(net.weights, net.biases)]


def dot(a: Vector, b: Vector) -> Fraction:
    return sum((x * y for x, y in zip(a, b)), Fraction(0))


def exact_forward(net: Network, point: np.ndarray) -> list[Vector]:
    """z^(1), ..., z^(M)."""
    hidden, values = exact(point), []
    for weight, bias in exact_layers(net):
        values.append([dot(row, hidden) + b for row, b in zip(weight, bias)])
        hidden = [max(z, Fraction(0)) for z in values[-1]]
    return values


def exact_rows(net: Network, values: list[Vector]) -> list[list[Vector]]:
    """The gradients of z^(1), ..., z^(M) with the pattern z >= 0."""
    layers = exact_layers(net)
    rows = [layers[0][0]]
    for (weight, _), z in zip(layers[1:], values):
        on = [j for j, v in enumerate(z) if v >= 0]
        inputs = len(rows[-1][0])
        rows.append([[sum((w[j] * rows[-1][j][d] for j in on), Fraction(0)) for d in range(inputs)] for w in weight])
    return rows


def within(radius: float, numerator: Fraction, row: Vector, norm: float) -> bool:
    """Is radius <= |numerator| / ||row||_dual, exactly? A zero row limits nothing."""
    if radius == 0 or not any(row):
        return True
    if math.isinf(radius):
        return False
    r = Fraction(radius)
    if norm == 2:
        return r * r * dot(row, row) <= numerator * numerator
    size = max(abs(v) for v in row) if norm == 1 else sum(abs(v) for v in row)
    return r * size <= abs(numerator)


def simplex_holds(net: Network, point: np.ndarray, radius: float, label: int, norm: float) -> bool:
    """Is `radius` at most Theorem 3's value, and 0 where `label` does not win?"""
    values = exact_forward(net, point)
    rows = exact_rows(net, values)
    logits = values[-1]
    if any(logits[j] >= logits[label] for j in range(len(logits)) if j != label):
        return radius == 0
    for z, layer_rows in zip(values[:-1], rows[:-1]):
        if not all(within(radius, v, row, norm) for v, row in zip(z, layer_rows)):
            return False
    for j in range(len(logits)):
        gap = [a - b for a, b in zip(rows[-1][label], rows[-1][j])]
        if j != label and not within(radius, logits[label] - logits[j], gap, norm):
            return False
    return True


def simplex_value(net: Network, point: np.ndarray, label: int, norm: float) -> float:
    """Theorem 3's value to about 1e-15, from the exact numbers; inf where nothing limits."""
    values = exact_forward(net, point)
    rows = exact_rows(net, values)
    pairs = [(v, row) for z, layer_rows in zip(values[:-1], rows[:-1]) for v, row in zip(z, layer_rows)]
    for j in range(net.classes):
        if j != label:
            gap = [a - b for a, b in zip(rows[-1][label], rows[-1][j])]
            pairs.append((values[-1][label] - values[-1][j], gap))
    return min((_distance(v, row, norm) for v, row in pairs if any(row)), default=math.inf)


def _distance(value: Fraction, row: Vector, norm: float) -> float:
    if norm == 2:
        return _root(value * value / dot(row, row))
    return float(abs(value) / (max(map(abs, row)) if norm == 1 else sum(map(abs, row))))


def _root(value: Fraction) -> float:
    """The square root of a fraction, right to the last places whatever its size."""
    shift = 2 * ((value.denominator.bit_length() - value.numerator.bit_length()) // 2 + 60)
    scaled = value * Fraction(2) ** shift
    return float(Fraction(math.isqrt(scaled.numerator // scaled.denominator)) / Fraction(2) ** (shift // 2))


def boundary_holds(net: Network, point: np.ndarray, radius: float, label: int, norm: float) -> bool:
    """Is `radius` at most Theorem 4's value (with the operator norm of `norm`)? All rationally, ||W||_2 too."""
    values = exact_forward(net, point)
    logits = values[-1]
    if any(logits[j] >= logits[label] for j in range(len(logits)) if j != label):
        return radius == 0
    if radius == 0:
        return True
    (first, _), (second, bias) = exact_layers(net)
    for j in range(net.classes):
        if j == label:
            continue
        c = [a - b for a, b in zip(second[label], second[j])]
        terms = [w * z for w, z in zip(c, values[0])]
        gap = bias[label] - bias[j]
        low, high = gap + sum(min(t, 0) for t in terms), gap + sum(max(t, 0) for t in terms)
        numerator = max(low, -high, Fraction(0))
        if not _boundary_within(radius, numerator, c, first, norm):
            return False
    return True


def _boundary_within(radius: float, numerator: Fraction, c: Vector, first: list[Vector], norm: float) -> bool:
    columns = list(zip(*first))
    if not any(c) or not any(any(row) for row in first):
        return True
    if math.isinf(radius):
        return False
    r = Fraction(radius)
    if norm == math.inf:
        return r * sum(map(abs, c)) * max(sum(map(abs, row)) for row in first) <= numerator
    if norm == 1:
        return r * max(map(abs, c)) * max(sum(map(abs, column)) for column in columns) <= numerator
    return spectral_square_at_most(first, numerator * numerator / (r * r * dot(c, c)))


def spectral_square_at_most(matrix: list[Vector], square: Fraction) -> bool:
    """Is ||W||_2^2 <= square? By an exact LDL^T of square I - W W^T: positive semidefinite or not."""
    n = len(matrix)
    a = [[(square if i == j else Fraction(0)) - dot(matrix[i], matrix[j]) for j in range(n)] for i in range(n)]
    return positive_semidefinite(a)
