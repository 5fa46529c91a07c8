"""The first layer's cut: lines that cross the whole box, so that one polygon meets nearly all neurons.

The rounds are those of `rounds`, but lists of each polygon's neurons would be as long as the longest one; so the signs
of all neurons are packed at every vertex, and the one neuron that cuts is evaluated anew at the corners. Both come from
the same three operations in the same order, hence agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from relucert_core.planar.layers import BLOCK, WORD, pack_signs
from relucert_core.planar.rounds import Pieces, Vertices, cut_edges, lowest_bit, starts_of


def split_by_lines(
    lines: Lines, corners: np.ndarray, sizes: np.ndarray, vertices: Vertices, check: Callable[[int], None]
) -> list[Pieces]:
    """Split until no neuron crosses any polygon; `positive` of the pieces are packed patterns, 64 neurons a word.

    `check` is told after each round how many polygons there are, and may raise.
    """
    lines.sign(vertices)
    here, there = lines.around(corners, sizes)
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
            pieces, crossing = _round(lines, pieces, crossing, vertices)
        check(count + len(pieces.sizes))
    return done


class Lines:
    """The neurons' lines W x + b = 0, `weight` (n, 2), and the packed signs (words, V) of the vertices seen so far.

    A value within `1 / scale` (n,) of 0 counts as 0.
    """

    def __init__(self, weight: np.ndarray, bias: np.ndarray, scale: np.ndarray) -> None:
        self.slopes, self.bias, self.scale = np.ascontiguousarray(weight.T), bias, scale
        self.positive, self.negative = np.zeros((2, -(-len(bias) // WORD), 0), np.uint64)
        self.count = 0

    def sign(self, vertices: Vertices) -> None:
        """Take the signs at the vertices that are new."""
        if vertices.count > self.positive.shape[1]:
            blank = np.empty((len(self.positive), 2 * vertices.count - self.positive.shape[1]), np.uint64)
            self.positive, self.negative = (np.concatenate([old, blank], 1) for old in (self.positive, self.negative))
        tolerance, block = 1 / self.scale, max(16, BLOCK // len(self.bias))
        for begin in range(self.count, vertices.count, block):
            part = slice(begin, min(begin + block, vertices.count))
            point = vertices.point[part, None]
            z = point.real * self.slopes[0]
            z += point.imag * self.slopes[1]
            z += self.bias
            self.positive[:, part] = pack_signs(z > tolerance)
            self.negative[:, part] = pack_signs(z < -tolerance)
        self.count = vertices.count

    def values(self, point: np.ndarray, neuron: np.ndarray) -> np.ndarray:
        """The values of one neuron at each point x + i y, over its tolerance."""
        z = point.real * self.slopes[0, neuron]
        z += point.imag * self.slopes[1, neuron]
        z += self.bias[neuron]
        z *= self.scale[neuron]
        z *= np.abs(z) > 1
        return z

    def around(self, corners: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per polygon the neurons with a positive and those with a negative value at a corner, two (words, P)."""
        starts = starts_of(sizes)
        some = [[np.bitwise_or.reduceat(w[corners], starts) for w in words] for words in (self.positive, self.negative)]
        return np.array(some[0]), np.array(some[1])


def _round(lines: Lines, pieces: Pieces, crossing: np.ndarray, vertices: Vertices) -> tuple[Pieces, np.ndarray]:
    """Split every polygon by its lowest neuron; the children and what crosses them."""
    neuron = lowest_bit(crossing, WORD)
    value = lines.values(vertices.point[pieces.corners], neuron.repeat(pieces.sizes))
    cut = cut_edges(pieces, value, neuron, vertices)
    lines.sign(vertices)
    corners = cut.vertex[cut.source]
    positive, negative = lines.around(corners, cut.sizes)
    parent = np.arange(len(pieces.sizes))
    parent = np.concatenate([parent, parent])
    positive &= crossing[:, parent]
    crossing = positive & negative
    positive ^= crossing
    positive |= pieces.positive[:, parent]
    return Pieces(corners, cut.sizes, pieces.root[parent], positive), crossing
