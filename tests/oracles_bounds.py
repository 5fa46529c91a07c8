"""Slow, literal transcriptions of the published bounds over a ball, for floats and for exact fractions.

Written from the papers' formulas (weights, biases and the point itself, not deviations from the centre), row by row,
with plain Python numbers. With `number=Fraction` all is exact but for the square roots of norm 2, which are correct
to 100 binary digits: far beyond any difference that a test looks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from tests.oracles import spectral_square_at_most

Row = list[Any]
Matrix = list[Row]


def numbers(array: Any, number: Callable[[float], Any] = Fraction) -> Any:
    """Nested lists of `number` from an array."""
    values = array.tolist() if hasattr(array, "tolist") else array
    return [numbers(v, number) for v in values] if isinstance(values, list) else number(values)


def root(value: Any) -> Any:
    """The square root; of a Fraction to 100 binary digits, relative."""
    if not isinstance(value, Fraction):
        return math.sqrt(value)
    if value == 0:
        return value
    shift = max(0, 200 + value.denominator.bit_length() - value.numerator.bit_length())
    shift += shift % 2
    return Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2))


def dual_norm(row: Sequence[Any], norm: float) -> Any:
    """The dual of `norm` of a row."""
    if norm == math.inf:
        return sum(abs(v) for v in row)
    if norm == 1:
        return max(abs(v) for v in row)
    return root(sum(v * v for v in row))


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The sum of products; terms with a zero are skipped."""
    return sum((p * q for p, q in zip(a, b, strict=True) if p and q), start=a[0] * 0)


class Literal:
    """A network (its arrays), a point and a label in exact or floating numbers."""

    def __init__(self, net: Any, point: Any, label: int, number: Callable[[float], Any] = Fraction) -> None:
        self.weights = [numbers(w, number) for w in net.weights]
        self.biases = [numbers(b, number) for b in net.biases]
        self.point = numbers(point, number)
        self.label = label
        self.zero = number(0)

    def forward(self) -> list[Row]:
        """The pre-activations of all layers."""
        hidden, found = self.point, []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            found.append([dot(row, hidden) + b for row, b in zip(weight, bias, strict=True)])
            hidden = [max(v, self.zero) for v in found[-1]]
        return found

    def rivals(self) -> list[tuple[int, Row, Any]]:
        """(j, W_k - W_j, b_k - b_j) for every rival j."""
        weight, bias, k = self.weights[-1], self.biases[-1], self.label
        return [
            (j, [p - q for p, q in zip(weight[k], weight[j], strict=True)], bias[k] - bias[j])
            for j in range(len(weight))
            if j != k
        ]

    def gaps(self) -> dict[int, Any]:
        """f_k - f_j for every rival j."""
        logits = self.forward()[-1]
        return {j: logits[self.label] - v for j, v in enumerate(logits) if j != self.label}

    def ball(self, row: Row, constant: Any, norm: float, radius: Any) -> tuple[Any, Any]:
        """The smallest and the largest value of row.x + constant over the ball."""
        middle, reach = dot(row, self.point) + constant, radius * dual_norm(row, norm)
        return middle - reach, middle + reach


def interval_bounds(task: Literal, norm: float, radius: Any) -> tuple[list[tuple[Row, Row]], dict[int, Any]]:
    """Interval bounds of every hidden layer, and of f_k - f_j."""
    pairs = [task.ball(row, b, norm, radius) for row, b in zip(task.weights[0], task.biases[0], strict=True)]
    layers = [([p[0] for p in pairs], [p[1] for p in pairs])]
    for weight, bias in zip(task.weights[1:-1], task.biases[1:-1], strict=True):
        layers.append(_box(weight, bias, layers[-1], task.zero))
    last = {j: _box([row], [b], layers[-1], task.zero)[0][0] for j, row, b in task.rivals()}
    return layers, last


def _box(weight: Matrix, bias: Row, layer: tuple[Row, Row], zero: Any) -> tuple[Row, Row]:
    low, high = [max(v, zero) for v in layer[0]], [max(v, zero) for v in layer[1]]
    lower = [b + sum(w * (p if w > 0 else q) for w, p, q in zip(row, low, high)) for row, b in zip(weight, bias)]
    upper = [b + sum(w * (q if w > 0 else p) for w, p, q in zip(row, low, high)) for row, b in zip(weight, bias)]
    return lower, upper


def relu_lines(low: Any, high: Any, rule: str) -> tuple[Any, Any, Any, Any]:
    """(slope below, intercept below, slope above, intercept above) of a ReLU on [low, high]."""
    zero, one = low * 0, low * 0 + 1
    if high <= 0:
        return zero, zero, zero, zero
    if low >= 0:
        return one, zero, one, zero
    chord = high / (high - low)
    below = chord if rule == "fast-lin" else one if high >= -low else zero
    return below, zero, chord, -chord * low


def linear_bounds(task: Literal, norm: float, radius: Any, rule: str) -> tuple[list[tuple[Row, Row]], dict[int, Any]]:
    """Fast-Lin's or CROWN-Ada's bounds of every hidden layer, and the lower bounds of f_k - f_j."""
    lines: list[list[tuple[Any, Any, Any, Any]]] = []
    layers: list[tuple[Row, Row]] = []
    for weight, bias in zip(task.weights[:-1], task.biases[:-1], strict=True):
        low = [_lowest(task, row, b, lines, norm, radius) for row, b in zip(weight, bias, strict=True)]
        high = [-_lowest(task, [-w for w in row], -b, lines, norm, radius) for row, b in zip(weight, bias, strict=True)]
        layers.append((low, high))
        lines.append([relu_lines(p, q, rule) for p, q in zip(low, high, strict=True)])
    return layers, {j: _lowest(task, row, b, lines, norm, radius) for j, row, b in task.rivals()}


def _lowest(task: Literal, row: Row, constant: Any, lines: list, norm: float, radius: Any) -> Any:
    """The lower bound of row.a + constant over the ball, a the outputs of the last layer in `lines`."""
    for depth in range(len(lines) - 1, -1, -1):
        carried = []
        for w, (slope_low, shift_low, slope_high, shift_high) in zip(row, lines[depth], strict=True):
            slope, shift = (slope_low, shift_low) if w > 0 else (slope_high, shift_high)
            carried.append(w * slope)
            constant = constant + w * shift
        constant = constant + dot(carried, task.biases[depth])
        columns = list(zip(*task.weights[depth], strict=True))
        row = [dot(carried, column) for column in columns]
    return task.ball(row, constant, norm, radius)[0]


def gradient_bounds(task: Literal, norm: float, radius: Any) -> dict[int, tuple[Row, Row]]:
    """Fast-Lip: the smallest and largest entries of the gradient of f_k - f_j, neurons open where Fast-Lin's are."""
    layers, _ = linear_bounds(task, norm, radius, "fast-lin")
    return {j: _gradient(task, row, [_states(low, high) for low, high in layers]) for j, row, _ in task.rivals()}


def _states(low: Row, high: Row) -> list[tuple[int, int]]:
    """The smallest and the largest slope of each ReLU."""
    return [(0, 0) if q <= 0 else (1, 1) if p >= 0 else (0, 1) for p, q in zip(low, high, strict=True)]


def _gradient(task: Literal, row: Row, states: list[list[tuple[int, int]]]) -> tuple[Row, Row]:
    low, high = list(row), list(row)
    for depth in range(len(states) - 1, -1, -1):
        ends = [sorted(s * v for s in state for v in (p, q)) for state, p, q in zip(states[depth], low, high)]
        small, large = [e[0] for e in ends], [e[-1] for e in ends]
        columns = list(zip(*task.weights[depth], strict=True))
        low = [sum(min(w * p, w * q) for w, p, q in zip(column, small, large)) for column in columns]
        high = [sum(max(w * p, w * q) for w, p, q in zip(column, small, large)) for column in columns]
    return low, high


def fast_lip_margins(task: Literal, norm: float, radius: Any) -> dict[int, Any]:
    """f_k - f_j - radius times Fast-Lip's local Lipschitz constant, for every rival j."""
    gaps = task.gaps()
    return {
        j: gaps[j] - radius * dual_norm([max(abs(p), abs(q)) for p, q in zip(low, high, strict=True)], norm)
        for j, (low, high) in gradient_bounds(task, norm, radius).items()
    }


def local_lipschitz_margins(task: Literal, norm: float, radius: Any) -> dict[int, Any]:
    """f_k - f_j - radius times the local Lipschitz constant of a two-layer network (Hein and Andriushchenko)."""
    if norm != 2:
        return fast_lip_margins(task, norm, radius)
    first, gaps = task.weights[0], task.gaps()
    pairs = [task.ball(row, b, norm, radius) for row, b in zip(first, task.biases[0], strict=True)]
    states = _states([p for p, _ in pairs], [q for _, q in pairs])
    found = {}
    for j, a, _ in task.rivals():
        square = task.zero
        for r, u in enumerate(first):
            for s, v in enumerate(first):
                product = a[r] * a[s] * dot(u, v)
                square += product * (states[r][1] * states[s][1] if product > 0 else states[r][0] * states[s][0])
        found[j] = gaps[j] - radius * root(max(square, task.zero))
    return found


def method_margins(method: str, task: Literal, norm: float, radius: Any) -> dict[int, Any]:
    """The margins by any of the searched methods, by name."""
    if method == "interval":
        return interval_bounds(task, norm, radius)[1]
    if method in ("fast-lin", "crown-ada"):
        return linear_bounds(task, norm, radius, method)[1]
    return {"fast-lip": fast_lip_margins, "local-lipschitz": local_lipschitz_margins}[method](task, norm, radius)


SEARCHED = ("interval", "fast-lin", "crown-ada", "fast-lip", "local-lipschitz")


def proves(method: str, net: Any, point: Any, label: int, norm: float, radius: float) -> bool:
    """Does the method's own bound, in exact arithmetic, prove the label over the ball of this radius?

    An infinite radius is tried at a few large ones.
    """
    task = Literal(net, point, label)
    tried = [Fraction(radius)] if math.isfinite(radius) else [Fraction(10) ** 3, Fraction(10) ** 40]
    if method == "lipschitz":
        return all(product_of_norms_proves(net, task, norm, r) for r in tried)
    return all(value > 0 for r in tried for value in method_margins(method, task, norm, r).values())


def product_of_norms_proves(net: Any, task: Literal, norm: float, radius: Fraction) -> bool:
    """radius times the product of the operator norms at most every f_k - f_j; spectral norms checked by exact LDL^T."""
    product = Fraction(1)
    for layer, weight in zip(net.affine[:-1], task.weights[:-1], strict=True):
        if norm == 2:
            square = Fraction(layer.spectral) ** 2
            product *= square if spectral_square_at_most(weight, square) else Fraction(10) ** 1000
        else:
            rows = weight if norm == math.inf else zip(*weight, strict=True)
            product *= max(sum(map(abs, row)) for row in rows)
    gaps = task.gaps()
    if norm == 2:
        return all(radius**2 * product * dot(row, row) <= gaps[j] ** 2 and gaps[j] > 0 for j, row, _ in task.rivals())
    return all(radius * product * dual_norm(row, norm) <= gaps[j] and gaps[j] > 0 for j, row, _ in task.rivals())
