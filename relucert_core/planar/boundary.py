"""Distances to a set of segments, rays and points in the plane."""

from __future__ import annotations

import numpy as np

_BLOCK = 2_000_000


def nearest_on_segments(
    points: np.ndarray, start: np.ndarray, step: np.ndarray, rays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """L2 distance (B,) and nearest point (B, 2) from `points` (B, 2) to the pieces start + t step, (S, 2) each.

    t runs over [0, 1], or over [0, inf) where `rays` (S,) holds. Without any piece: infinity and NaN.
    """
    distance = np.full(len(points), np.inf)
    nearest = np.full((len(points), 2), np.nan)
    if not len(start):
        return distance, nearest
    square = (step * step).sum(1)
    square = np.where(square > 0, square, 1.0)
    last = np.where(rays, np.inf, 1.0)
    block = max(1, _BLOCK // len(start))
    for begin in range(0, len(points), block):
        part = slice(begin, begin + block)
        dx, dy = (points[part, i, None] - start[:, i] for i in (0, 1))
        along = np.clip((dx * step[:, 0] + dy * step[:, 1]) / square, 0.0, last)
        best = np.hypot(dx - along * step[:, 0], dy - along * step[:, 1])
        index = best.argmin(1)
        rows = np.arange(len(index))
        distance[part] = best[rows, index]
        nearest[part] = start[index] + along[rows, index][:, None] * step[index]
    return distance, nearest
