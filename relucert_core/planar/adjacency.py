"""Edges of a subdivision: their ends, the regions beside them and the neurons that draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.arrays import IndexPairs
from relucert_core.planar.layers import WORD
from relucert_core.planar.rounds import next_corner


@dataclass(frozen=True, eq=False)
class Edges:
    """Every edge once.

    `ends` (E, 2) vertex numbers; `regions` (E, 2) the regions beside it, the second -1 on the box; `neurons` (E, 2) the
    hidden layer and the index, both from 0, of the neuron that draws it, or (-1, -1) on the box. Where several neurons
    bend along one edge it is the first of them.
    """

    ends: IndexPairs
    regions: IndexPairs
    neurons: IndexPairs


def find_edges(corners: np.ndarray, sizes: np.ndarray, count: int, bits: tuple[np.ndarray, ...]) -> Edges:
    """Pair the half-edges of the polygons; `count` is the number of vertices, `bits` their patterns as words."""
    following = corners[next_corner(sizes)]
    region = np.repeat(np.arange(len(sizes)), sizes)
    key = np.minimum(corners, following) * count + np.maximum(corners, following)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    many = np.diff(begins, append=len(ordered))
    one = order[begins]
    other = order[np.minimum(begins + 1, len(order) - 1)]
    regions = np.stack([region[one], np.where(many > 1, region[other], -1)], axis=1)
    ends = np.stack([corners[one], following[one]], axis=1)
    return Edges(ends, regions, first_difference(regions, bits))


def first_difference(regions: np.ndarray, bits: tuple[np.ndarray, ...]) -> np.ndarray:
    """The first neuron (layer, index) in which the patterns of two regions (E, 2) differ, (E, 2); -1 for none."""
    result = np.full((len(regions), 2), -1)
    inner = regions[:, 1] >= 0
    for layer in reversed(range(len(bits))):
        for word in reversed(range(len(bits[layer]))):
            row = bits[layer][word]
            differ = np.where(inner, row[regions[:, 0]] ^ row[regions[:, 1]], np.uint64(0))
            there = np.flatnonzero(differ)
            lowest = differ[there] & (~differ[there] + np.uint64(1))
            result[there, 0] = layer
            result[there, 1] = np.bitwise_count(lowest - np.uint64(1)).astype(np.int64) + word * WORD
    return result
