"""Joining the two copies that the polygons on both sides of an edge made of every new vertex."""

from __future__ import annotations

import numpy as np

from relucert_core.planar.layers import Made
from relucert_core.planar.rounds import Vertices

_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


def merge(
    vertices: Vertices, corners: list[np.ndarray], old: int
) -> tuple[np.ndarray, np.ndarray, Made, tuple[int, ...]]:
    """Join the two copies of every new vertex: points (V, 2), corners (T,), and the recipe of the new vertices.

    Copies have the same coordinates, bit for bit, and the same neuron; of several the earliest stays, so that every
    vertex comes after those it was made from. A pair that is missed would do no harm.
    """
    made = tuple(np.concatenate(some) for some in zip(*vertices.made, strict=True)) if vertices.made else _NOTHING
    levels = np.cumsum([0, *(len(level[0]) for level in vertices.made)])
    point = vertices.point[: vertices.count]
    representative = _earliest_copy(point[old:], made[3])
    stays = representative == np.arange(len(representative))
    number = old + stays.cumsum() - 1
    renumber = np.concatenate([np.arange(old), number[representative]])
    kept = stays.nonzero()[0]
    chosen = np.concatenate([np.arange(old), old + kept])
    first, second, step, neuron = (array[kept] for array in made)
    bounds = tuple(int(i) for i in np.searchsorted(kept, levels))
    points = point[chosen].view(np.float64).reshape(-1, 2)
    return points, renumber[np.concatenate(corners)], (renumber[first], renumber[second], step, neuron), bounds


def _earliest_copy(point: np.ndarray, neuron: np.ndarray) -> np.ndarray:
    """For every vertex the first one with the same coordinates and neuron, (N,)."""
    bits = (point + 0.0).view(np.uint64)
    keys = bits[::2], bits[1::2], neuron.view(np.uint64)
    hashed = np.zeros(len(point), np.uint64)
    for key in keys:
        hashed = (hashed ^ key) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(29)
    order = np.argsort(hashed)
    ordered = hashed[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(order) else order
    if not len(begins):
        return order
    earliest = np.minimum.reduceat(order, begins)
    result = np.empty(len(order), np.int64)
    result[order] = np.repeat(earliest, np.diff(begins, append=len(order)))
    # two different vertices with one hash: leave both alone, which is safe
    alike = (point[result] == point) & (neuron[result] == neuron)
    return result if alike.all() else np.where(alike, result, np.arange(len(result)))
