"""Segments joined end to end into long lines.

A browser draws ten lines of a thousand points quickly and ten thousand of two points slowly.
"""

from __future__ import annotations

import numpy as np

from relucert_core.planar.rounds import starts_of


def polylines(ends: np.ndarray) -> np.ndarray:
    """The segments (S, 2, 2) as polylines, one after the other with a row of NaN behind each: (n, 2).

    Every segment is drawn once, but for those without length. It runs from left to right (bottom to top where it is
    vertical), and goes on in one that begins at the very point where it ends; where several meet, in the order of
    their slopes.
    """
    point = np.ascontiguousarray(ends, dtype=np.float64).view(complex)[..., 0]
    point = point[point[:, 0] != point[:, 1]]
    if not len(point):
        return np.zeros((0, 2))
    begin, end = np.minimum(point[:, 0], point[:, 1]), np.maximum(point[:, 0], point[:, 1])
    names, place = np.unique(np.concatenate([begin, end]), return_inverse=True)
    slope = np.angle(end - begin)
    before = _joints(place[: len(begin)], place[len(begin) :], slope, len(names))
    first, steps = _rank(before)
    order = np.lexsort((steps, first))
    begin, end, first = begin[order], end[order], first[order]
    new = np.diff(first, prepend=-1) != 0
    starts = np.flatnonzero(new)
    # every line has one point more than segments, and the gap behind it
    rows = np.full(len(begin) + 2 * len(starts), np.nan, complex)
    at = np.arange(len(begin)) + 2 * (np.cumsum(new) - 1)
    rows[at + 1] = end
    rows[at[starts]] = begin[starts]
    return rows.view(np.float64).reshape(-1, 2)


def _joints(begin: np.ndarray, end: np.ndarray, slope: np.ndarray, points: int) -> np.ndarray:
    """For each segment the one that it goes on from, (S,), itself where there is none; begin, end: point numbers."""

    def numbered(where: np.ndarray) -> np.ndarray:
        """The number of each segment among those at its point, joined with the point's number."""
        order = np.lexsort((slope, where))
        counts = np.bincount(where, minlength=points)
        rank = np.empty(len(where), np.int64)
        rank[order] = np.arange(len(where)) - starts_of(counts)[where[order]]
        return where + rank * points

    _, onward, inward = np.intersect1d(numbered(begin), numbered(end), assume_unique=True, return_indices=True)
    before = np.arange(len(begin))
    before[onward] = inward
    return before


def _rank(before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first segment of each one's line and the steps from there, by doubling the strides: (S,) each."""
    first = before
    steps = (before != np.arange(len(before))).astype(np.int64)
    while True:
        onward = first[first]
        if (onward == first).all():
            return first, steps
        steps = steps + steps[first]
        first = onward
