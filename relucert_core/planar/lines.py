"""The first layer's cut: lines that cross the whole box, so that one polygon meets nearly all neurons.

The rounds are those of `rounds`, but every vertex has the values of all neurons, as most of them are needed, and the
next layer wants them anyway: lists of each polygon's neurons would be as long as the longest one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from relucert_core.planar.layers import WORD, LayerValues, pack_signs
from relucert_core.planar.rounds import Pieces, Vertices, cut_edges, lowest_bit, starts_of


def split_by_lines(
    layer: LayerValues, corners: np.ndarray, sizes: np.ndarray, vertices: Vertices, check: Callable[[int], None]
) -> list[Pieces]:
    """Split until no neuron crosses any polygon; `positive` of the pieces are packed patterns, 64 neurons a word.

    `check` is told after each round how many polygons there are, and may raise.
    """
    table = _Rows(layer)
    here, there = table.around(corners, sizes)
    pieces = Pieces(corners, sizes, np.arange(len(sizes)), here & ~there)
    crossing = here & there
    done, count = [], 0
    while len(pieces.sizes):
        left = crossing.any(0)
        rows = left.repeat(pieces.sizes)
        done.append(pieces.part((~left).nonzero()[0], (~rows).nonzero()[0]))
        count += len(done[-1].sizes)
        pieces, crossing = pieces.part(left.nonzero()[0], rows.nonzero()[0]), crossing[:, left]
        if len(pieces.sizes):
            pieces, crossing = _round(table, pieces, crossing, vertices)
        check(count + len(pieces.sizes))
    return done


class _Rows:
    """A growing table of scaled values (V, n) at the vertices, 0 within tolerance, and packed signs (words, V)."""

    def __init__(self, layer: LayerValues) -> None:
        self.values = layer.values * layer.scale
        self.values *= np.abs(self.values) > 1
        self.positive, self.negative = layer.positive, layer.negative
        self.count = len(self.values)

    def add(self, new: np.ndarray) -> None:
        """Append the values (N, n) of new vertices."""
        above, below = new > 1, new < -1
        new *= above | below
        stop = self.count + len(new)
        if stop > len(self.values):
            room = max(stop, 2 * len(self.values)) - len(self.values)
            self.values = np.concatenate([self.values, np.empty((room, new.shape[1]))])
            blank = np.empty((len(self.positive), room), np.uint64)
            self.positive, self.negative = (np.concatenate([old, blank], 1) for old in (self.positive, self.negative))
        self.values[self.count : stop] = new
        self.positive[:, self.count : stop] = pack_signs(above)
        self.negative[:, self.count : stop] = pack_signs(below)
        self.count = stop

    def around(self, corners: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per polygon the neurons with a positive and those with a negative value at a corner, two (words, P)."""
        starts = starts_of(sizes)
        some = [[np.bitwise_or.reduceat(w[corners], starts) for w in words] for words in (self.positive, self.negative)]
        return np.array(some[0]), np.array(some[1])


def _round(table: _Rows, pieces: Pieces, crossing: np.ndarray, vertices: Vertices) -> tuple[Pieces, np.ndarray]:
    """Split every polygon by its lowest neuron; the children and what crosses them."""
    neuron = lowest_bit(crossing, WORD)
    value = table.values[pieces.corners, neuron.repeat(pieces.sizes)]
    cut = cut_edges(pieces, value, neuron, vertices)
    start = table.values.take(pieces.corners[cut.first], axis=0)
    new = table.values.take(pieces.corners[cut.second], axis=0)
    new -= start
    new *= cut.step[:, None]
    new += start
    new[np.arange(len(new)), neuron[cut.where]] = 0
    table.add(new)
    corners = cut.vertex[cut.source]
    positive, negative = table.around(corners, cut.sizes)
    parent = np.arange(len(pieces.sizes))
    parent = np.concatenate([parent, parent])
    positive &= crossing[:, parent]
    crossing = positive & negative
    positive ^= crossing
    positive |= pieces.positive[:, parent]
    return Pieces(corners, cut.sizes, pieces.root[parent], positive), crossing
