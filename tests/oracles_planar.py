"""Slow, simple geometry to hold `relucert_core.planar` against: one polygon after the other, nothing shared."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

SLACK = 1e-10


def split(polygon: list, value: list[float]) -> tuple[list, list]:
    """Cut a convex polygon where the value at its corners changes sign: the parts above and below."""
    above, below = [], []
    for i, (p, a) in enumerate(zip(polygon, value, strict=True)):
        q, b = polygon[(i + 1) % len(polygon)], value[(i + 1) % len(value)]
        if a >= 0:
            above.append(p)
        if a <= 0:
            below.append(p)
        if a * b < 0:
            middle = p + a / (a - b) * (q - p)
            above.append(middle)
            below.append(middle)
    return above, below


def cut_by_line(pieces: list, row: np.ndarray, offset: float) -> list:
    """All pieces cut by row.x + offset = 0."""
    result = []
    for polygon in pieces:
        value = [float(row @ p + offset) for p in polygon]
        value = [0.0 if abs(v) < SLACK else v for v in value]
        if min(value) < 0 < max(value):
            result += split(polygon, value)
        else:
            result.append(polygon)
    return result


def regions(weights: tuple, biases: tuple, box: tuple) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, tuple]]:
    """(polygon, C, d, pattern) of every activation region, by solving for the affine map of every region."""
    (x0, x1), (y0, y1) = box
    corners = [np.array(p, float) for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    cells = [(corners, np.eye(2), np.zeros(2), ())]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        below = []
        for polygon, slope, offset, pattern in cells:
            rows, shift = weight @ slope, weight @ offset + bias
            pieces = [polygon]
            for j in range(len(shift)):
                pieces = cut_by_line(pieces, rows[j], shift[j])
            for piece in pieces:
                on = rows @ np.mean(piece, axis=0) + shift > SLACK / 10
                below.append((piece, on[:, None] * rows, on * shift, (*pattern, on)))
        cells = below
    last, bias = weights[-1], biases[-1]
    return [(np.array(p), last @ slope, last @ offset + bias, pattern) for p, slope, offset, pattern in cells]


def area(polygon: np.ndarray) -> float:
    """The shoelace formula."""
    x, y = polygon[:, 0], polygon[:, 1]
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def distance_to_boundary(cells: list, point: np.ndarray) -> float:
    """The distance to {f_j >= f_k}, k the prediction at `point`: a small quadratic programme in every region.

    The nearest point of a convex polygon clipped by f_j >= f_k is on its edges, so edges are all that is looked at.
    """
    best, winner = math.inf, None
    for polygon, slope, offset, _ in cells:
        if inside(polygon, point):
            winner = int((slope @ point + offset).argmax())
    for polygon, slope, offset, _ in cells:
        for j in range(len(offset)):
            if j != winner:
                row, shift = slope[j] - slope[winner], offset[j] - offset[winner]
                part, _ = split(list(polygon), [float(row @ p + shift) for p in polygon])
                best = min([best] + [to_edge(point, part[i - 1], part[i]) for i in range(len(part))])
    return best


def inside(polygon: np.ndarray, point: np.ndarray) -> bool:
    """Whether the point is to the left of all edges."""
    step, away = np.roll(polygon, -1, axis=0) - polygon, point - polygon
    return bool((step[:, 0] * away[:, 1] - step[:, 1] * away[:, 0] >= 0).all())


def to_edge(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """The distance from a point to a segment."""
    step = b - a
    square = float(step @ step)
    along = min(1.0, max(0.0, float((point - a) @ step) / square)) if square else 0.0
    return float(np.linalg.norm(point - a - along * step))


def exact_logits(weights: tuple, biases: tuple, point: list[Fraction]) -> list[Fraction]:
    """The network in rational arithmetic."""
    hidden = point
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        hidden = [
            sum((Fraction(float(w)) * h for w, h in zip(row, hidden, strict=True)), Fraction(float(b)))
            for row, b in zip(weight, bias, strict=True)
        ]
        if i < len(weights) - 1:
            hidden = [max(h, Fraction(0)) for h in hidden]
    return hidden
