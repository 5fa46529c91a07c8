"""The activation regions of a network of two inputs inside a box, layer by layer.

State: vertices, the values of the layer at them, polygons in CSR form. Every layer's values are computed at the
unique vertices only; packed signs tell which neurons cross which polygon; `rounds` splits those polygons. Behind the
first layer's lines the network is never evaluated elsewhere: the values at new vertices are interpolated, which stays
accurate in slivers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from relucert_core.errors import RelucertError
from relucert_core.planar.layers import WORD, LayerValues, Made, last_values, layer_values, positive_somewhere
from relucert_core.planar.lines import Lines, split_by_lines
from relucert_core.planar.merge import merge
from relucert_core.planar.rounds import SLOTS, Active, Pieces, Singles, Vertices, split_all, starts_of

# Polygons with more neurons than this are cut apart from the others, where there are many polygons.
_FEW = 3
_GROUPED = 500


class OverBudget(RelucertError):
    """There are more regions than the caller allowed; nothing is returned, as a part would look like the whole."""


@dataclass(frozen=True)
class Budget:
    """At most `regions` regions, and no work after `deadline` (time.monotonic seconds), None for no limit of time."""

    regions: int
    deadline: float | None = None

    def late(self) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def less(self, regions: int) -> Budget:
        """What is left after `regions` more regions."""
        return Budget(self.regions - regions, self.deadline)

    def check(self, regions: int) -> None:
        """Raise OverBudget when there are too many regions or the time is over."""
        if regions > self.regions:
            raise OverBudget(
                f"There are more than {self.regions:,} regions: make the box or the network smaller, or allow more "
                "regions with max_regions."
            )
        if self.late():
            raise OverBudget("The time allowed for counting the regions is over: allow more with max_seconds.")


@dataclass(frozen=True, eq=False)
class Subdivision:
    """Polygons of constant activation: see `PlanarComplex` for the arrays.

    `bits` has one (words, R) uint64 array per hidden layer. `values` (V', n) are the last hidden layer's values at the
    first V' vertices and `made` the recipe for the others: see `last_values`.
    """

    vertices: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray
    bits: tuple[np.ndarray, ...]
    values: np.ndarray
    made: Made
    levels: tuple[int, ...]


def subdivide(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...], polygon: np.ndarray, budget: Budget
) -> Subdivision:
    """Cut the convex `polygon` (k, 2), counter-clockwise, along every hidden neuron of the network.

    Raises OverBudget past the budget, and InvalidInput when values overflow.
    """
    points = np.array(polygon, dtype=np.float64)
    corners, sizes = np.arange(len(points)), np.array([len(points)])
    hidden, reach, bits = points, np.abs(points).max(0), list[np.ndarray]()
    used = np.arange(len(reach))  # inputs of the layer that are not 0 everywhere
    for number, (weight, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True), start=1):
        inward = weight if len(used) == weight.shape[1] else np.ascontiguousarray(weight[:, used])
        layer = layer_values(hidden, inward, bias, reach, rectify=number > 1, last=number == len(weights) - 1)
        vertices = Vertices(points.view(complex)[:, 0].copy(), len(points))
        if number == 1:
            parts, root, pattern = _cut_first(Lines(weight, bias, layer.scale), corners, sizes, vertices, budget)
        else:
            parts, root, pattern = _cut_layer(layer, corners, sizes, vertices, budget)
        points, corners, made, levels = merge(vertices, [part.corners for part in parts], len(points))
        sizes = np.concatenate([part.sizes for part in parts])
        bits = [old[:, root] for old in bits] + [pattern]
        if number < len(weights) - 1:
            used = positive_somewhere(layer.highest)
            hidden = last_values(layer.values, made, levels, used)
            reach = np.maximum(layer.highest[used], 0)
    return Subdivision(points, corners, sizes, tuple(bits), layer.values, made, levels)


def _cut_first(
    lines: Lines, corners: np.ndarray, sizes: np.ndarray, vertices: Vertices, budget: Budget
) -> tuple[list[Pieces], np.ndarray, np.ndarray]:
    """As `_cut_layer`, for the first layer."""
    parts = split_by_lines(lines, corners, sizes, vertices, budget.check)
    pattern = np.concatenate([part.positive for part in parts], axis=1)
    return parts, np.concatenate([part.root for part in parts]), pattern


def _cut_layer(
    layer: LayerValues, corners: np.ndarray, sizes: np.ndarray, vertices: Vertices, budget: Budget
) -> tuple[list[Pieces], np.ndarray, np.ndarray]:
    """The polygons cut by a layer: parts of them, the polygon each one came from (R,), and patterns (words, R)."""
    starts = starts_of(sizes)
    positive, negative = (
        np.array([np.bitwise_or.reduceat(word[corners], starts) for word in words])
        for words in (layer.positive, layer.negative)
    )
    crossing = positive & negative
    several = crossing.any(0)
    rest, cut = (~several).nonzero()[0], several.nonzero()[0]
    pick = several.repeat(sizes)
    whole = Pieces(corners[~pick], sizes[rest], rest, np.zeros((0, len(rest)), np.uint64))
    listed, counts = _list_neurons(crossing[:, cut])
    going = Pieces(
        corners[pick], sizes[cut], np.arange(len(cut)), np.zeros((-(-len(listed) // SLOTS), len(cut)), np.uint64)
    )
    groups, singles = _first_active(going, listed, counts, layer)
    parts = split_all(groups, singles, listed, vertices, lambda count: budget.check(count + len(rest)))
    origin = np.concatenate([part.root for part in parts]) if parts else rest[:0]
    root = np.concatenate([rest, cut[origin]])
    pattern = (positive & ~crossing)[:, root]
    if parts:
        _add_settled(pattern[:, len(rest) :], np.concatenate([part.positive for part in parts], axis=1), listed, origin)
    return [whole, *parts], root, pattern


def _list_neurons(crossing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The neurons of packed sets (words, P) in ascending order, (C, P), filled up with 0, and how many, (P,)."""
    polygon, neuron = _set_bits(np.ascontiguousarray(crossing.T).view(np.uint8))
    counts = np.bincount(polygon, minlength=crossing.shape[1])
    rank = np.arange(len(polygon)) - starts_of(counts).repeat(counts)
    listed = np.zeros((int(counts.max(initial=1)), len(counts)), np.int64)
    listed[rank, polygon] = neuron
    return listed, counts


def _set_bits(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places (row, bit) of all set bits of bytes (P, B), in order of rows; most bytes are 0."""
    flat = np.ascontiguousarray(packed).reshape(-1)
    place = flat.view(bool).nonzero()[0]
    found = np.unpackbits(flat[place], bitorder="little").view(bool).nonzero()[0]
    place = place[found >> 3]
    row = place // packed.shape[1]
    return row, ((place - row * packed.shape[1]) << 3) | (found & 7)


def _first_active(
    pieces: Pieces, listed: np.ndarray, counts: np.ndarray, layer: LayerValues
) -> tuple[list[Active], list[Singles]]:
    """Part polygons by how many neurons cross them; take the scaled values of their neurons at their corners.

    Few polygons have many, so those are kept apart: lists have one length in a group.
    """
    per_row = counts.repeat(pieces.sizes)
    one = (counts == 1).nonzero()[0]
    alone = pieces.part(one, (per_row == 1).nonzero()[0])
    singles = Singles(alone, np.zeros(len(one), np.int64), _scaled(layer, listed[:1, one], alone)[0])
    bounds = (1, _FEW, len(listed)) if len(counts) > _GROUPED and len(listed) > _FEW else (1, len(listed))
    groups = []
    for low, high in pairwise(bounds):
        some = ((counts > low) & (counts <= high)).nonzero()[0]
        rows = ((per_row > low) & (per_row <= high)).nonzero()[0]
        groups.append(_group(pieces.part(some, rows), listed[:high, some], counts[some], layer))
    return groups, [singles]


def _group(pieces: Pieces, listed: np.ndarray, counts: np.ndarray, layer: LayerValues) -> Active:
    slot = np.arange(len(listed))[:, None].repeat(len(counts), axis=1)
    values = _scaled(layer, listed, pieces)
    signs = np.zeros((len(pieces.positive), values.shape[1]), np.uint64)
    crossing = np.zeros((len(pieces.positive), len(counts)), np.uint64)
    for word, begin in enumerate(range(0, len(listed), SLOTS)):
        signs[word] = _pack(values[begin : begin + SLOTS])
        full = np.minimum(np.maximum(counts - begin, 0), SLOTS).astype(np.uint64)
        crossing[word] = (np.uint64(1) << full) - np.uint64(1)
    return Active(pieces, crossing, slot, values, signs)


def _scaled(layer: LayerValues, listed: np.ndarray, pieces: Pieces) -> np.ndarray:
    """The values of the listed neurons (C, P) at the corners of the polygons, over their tolerances, (C, T)."""
    neuron = listed.repeat(pieces.sizes, axis=1)
    scaled = layer.scale[neuron]
    neuron += pieces.corners * layer.values.shape[1]
    scaled *= layer.values.reshape(-1)[neuron]
    scaled *= np.abs(scaled) > 1
    return scaled


def _pack(values: np.ndarray) -> np.ndarray:
    """The signs of up to 32 rows of values in one word per column: positive below, negative above, (C, T) -> (T,)."""
    packed = np.zeros((2, SLOTS // 8, values.shape[1]), np.uint8)
    used = -(-len(values) // 8)
    packed[0, :used] = np.packbits(values > 0, axis=0, bitorder="little")
    packed[1, :used] = np.packbits(values < 0, axis=0, bitorder="little")
    return np.ascontiguousarray(packed.reshape(8, -1).T).view("<u8")[:, 0]


def _add_settled(pattern: np.ndarray, positive: np.ndarray, listed: np.ndarray, root: np.ndarray) -> None:
    """Write the slots settled as positive (words, P) into the packed patterns, as bits of the neurons listed there."""
    lower = np.ascontiguousarray(positive.T).view(np.uint8).reshape(len(root), -1, 8)[:, :, : SLOTS // 8]
    lower = lower.reshape(len(root), -1)
    if listed.shape[1] == 1:
        flags = np.unpackbits(lower, axis=1, bitorder="little")
        spread = np.zeros((len(root), len(pattern) * WORD), np.uint8)
        spread[:, listed[:, 0]] = flags[:, : len(listed)]
        pattern |= np.packbits(spread, axis=1, bitorder="little").view("<u8").T
        return
    polygon, slot = _set_bits(lower)
    neuron = listed[slot, root[polygon]]
    added = np.zeros(pattern.size, np.uint64)
    # every (polygon, neuron) comes once, so adding bits is the same as joining them
    np.add.at(added, neuron // WORD * len(root) + polygon, np.uint64(1) << (neuron % WORD).astype(np.uint64))
    pattern |= added.reshape(pattern.shape)
