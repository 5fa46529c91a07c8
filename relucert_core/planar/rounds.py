"""One layer's cut of many polygons at once, in rounds: every polygon splits by its own lowest remaining neuron.

The values of a neuron are affine on every polygon that comes in, so a cut needs only its values at the corners:
a new vertex is interpolated on each of the two edges that change sign, for the point and for the values alike.
Both sides of an edge meet the same neurons in the same order and interpolate in the same direction, so they make the
bit-identical vertex and the mesh conforms. Values come divided by the neuron's tolerance, so that "not zero" reads
|value| > 1; what is nearer to zero is 0. Each polygon's neurons have slots; the signs at a corner are packed in 64-bit
words, 32 slots each: positive in the lower half, negative in the upper. Polygons with one neuron left wait for the
end, when all of them split together and no signs are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SLOTS = 32
_ONE = np.uint64(1)
_HALF = np.uint64(SLOTS)


@dataclass
class Vertices:
    """A growing table of vertices, `count` of them in use: points x + i y, and how the new ones were made.

    `made` has one entry per round: each new vertex is on the segment from vertex `first` to vertex `second`, at the
    fraction `step` of it, where `neuron` is 0. A vertex on an edge is there twice, once from each side.
    """

    point: np.ndarray
    count: int
    made: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def reserve(self, extra: int) -> slice:
        """Make room for `extra` more rows and return their place."""
        place = slice(self.count, self.count + extra)
        if place.stop > len(self.point):
            room = np.empty(max(place.stop, 2 * len(self.point)) - len(self.point), complex)
            self.point = np.concatenate([self.point, room])
        self.count = place.stop
        return place


@dataclass
class Pieces:
    """Polygons in CSR form, counter-clockwise: `corners` (T,) vertex numbers, `sizes` (P,).

    `root` (P,) is the polygon that each was cut from, and `positive` (words, P) the slots settled as positive.
    """

    corners: np.ndarray
    sizes: np.ndarray
    root: np.ndarray
    positive: np.ndarray

    def part(self, which: slice | np.ndarray, rows: slice | np.ndarray) -> Pieces:
        """The polygons `which`, whose corners are `rows`."""
        return Pieces(self.corners[rows], self.sizes[which], self.root[which], self.positive[:, which])


@dataclass
class Active:
    """Polygons with several neurons left: `crossing` (words, P) as bits, `slot` (C, P) as a list in ascending order.

    Where a polygon has fewer than C, the list is filled with anything. `values` (C, T) are the values of those neurons
    at the T corners of all polygons, `signs` (words, T) the packed signs of the slots at them.
    """

    pieces: Pieces
    crossing: np.ndarray
    slot: np.ndarray
    values: np.ndarray
    signs: np.ndarray


@dataclass
class Singles:
    """Polygons with one neuron left: its slot (P,) and its values at the corners (T,)."""

    pieces: Pieces
    slot: np.ndarray
    values: np.ndarray


def starts_of(sizes: np.ndarray) -> np.ndarray:
    """Where each block of a CSR array begins, (P,) -> (P,)."""
    return sizes.cumsum() - sizes


def next_corner(sizes: np.ndarray) -> np.ndarray:
    """For every corner the place of the next one around its polygon, (P,) -> (T,)."""
    ends = sizes.cumsum()
    following = np.arange(1, (int(ends[-1]) if len(ends) else 0) + 1)
    following[ends - 1] = ends - sizes
    return following


def slot_bits(slot: np.ndarray) -> np.ndarray:
    """The bit of each slot within its word."""
    return _ONE << (slot & (SLOTS - 1)).view(np.uint64)


def split_all(
    groups: list[Active], singles: list[Singles], listed: np.ndarray, vertices: Vertices, check: Callable[[int], None]
) -> list[Pieces]:
    """Split until no neuron crosses any polygon.

    `groups` come with ever longer lists. The last one is split until its lists are as short as those of the one before,
    then both go on together: a round of few polygons costs nearly as much as one of many. `listed` (slots, roots) names
    the neuron of every slot; `check` is told after each round how many polygons there are, and may raise.
    """
    done: list[Pieces] = []
    count = sum(len(some.slot) for some in singles)
    waiting = [group for group in groups if len(group.pieces.sizes)]
    active = waiting.pop() if waiting else None
    while active is not None:
        cut = cut_edges(active.pieces, active.values[0], listed[active.slot[0], active.pieces.root], vertices)
        leaves, ones, active = _split(active, cut)
        done.append(leaves)
        singles.append(ones)
        count += len(leaves.sizes) + len(ones.slot)
        check(count + len(active.pieces.sizes) + sum(len(group.pieces.sizes) for group in waiting))
        if waiting and (len(active.slot) <= len(waiting[-1].slot) or not len(active.pieces.sizes)):
            active = _joined(active, waiting.pop())
        elif not len(active.pieces.sizes):
            active = None
    done += _split_singles(singles, listed, vertices)
    check(sum(len(pieces.sizes) for pieces in done))
    return done


def _joined(one: Active, other: Active) -> Active:
    """The polygons of both groups, whose lists are filled up to the same length."""
    if not len(one.pieces.sizes):
        return other
    length = max(len(one.slot), len(other.slot))
    slot, values = (
        np.concatenate([_filled_up(getattr(group, name), length) for group in (one, other)], axis=1)
        for name in ("slot", "values")
    )
    pieces = Pieces(*(np.concatenate([getattr(group.pieces, name) for group in (one, other)], -1) for name in _FIELDS))
    crossing, signs = (
        np.concatenate([getattr(group, name) for group in (one, other)], axis=1) for name in ("crossing", "signs")
    )
    return Active(pieces, crossing, slot, values, signs)


def _filled_up(rows: np.ndarray, length: int) -> np.ndarray:
    """The rows with zeros below, `length` in all."""
    return np.concatenate([rows, np.zeros((length - len(rows), rows.shape[1]), rows.dtype)])


@dataclass
class Cut:
    """One round's new vertices and the children's corners.

    New vertex i lies on the edge from corner `first[i]` to `second[i]` of polygon `where[i]`, at fraction `step[i]`.
    `source` (T',) are the children's corners as rows of [old corners, new vertices]: all positive children, then all
    negative ones; `sizes` (2 P,).
    """

    first: np.ndarray
    second: np.ndarray
    step: np.ndarray
    where: np.ndarray
    vertex: np.ndarray
    source: np.ndarray
    sizes: np.ndarray


def cut_edges(pieces: Pieces, value: np.ndarray, neuron: np.ndarray, vertices: Vertices) -> Cut:
    """Put a vertex on every edge on which `value` (T,), of the polygons' neurons (P,), changes sign; make children."""
    corners, sizes = pieces.corners, pieces.sizes
    following = next_corner(sizes)
    cut = (value * value[following] < 0).nonzero()[0]
    other = following[cut]
    # complex numbers compare by real part, then by imaginary part: one direction, whichever side asks
    swap = vertices.point[corners[cut]] > vertices.point[corners[other]]
    first = np.where(swap, other, cut)
    second = cut + other - first
    start = value[first]
    step = start / (start - value[second])
    place = vertices.reserve(len(cut))
    a, b = corners[first], corners[second]
    begin = vertices.point[a]
    vertices.point[place] = begin + step * (vertices.point[b] - begin)
    polygon = np.arange(len(sizes)).repeat(sizes)
    where = polygon[cut]
    vertices.made.append((a, b, step, neuron[where]))
    vertex = np.concatenate([corners, np.arange(place.start, place.stop)])
    source, counts = _children(value, cut, polygon, len(sizes))
    return Cut(first, second, step, where, vertex, source, counts)


def _children(value: np.ndarray, cut: np.ndarray, polygon: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the positive children, then of the negative ones, as rows of [old, new], and their numbers."""
    old, added = len(value), len(cut)
    every = np.arange(old + added)
    source = np.empty(old + added, np.int64)
    kept = np.ones(old + added, bool)
    place = cut + every[1 : added + 1]
    kept[place] = False
    source[place] = every[old:]
    source[kept] = every[:old]
    signs = np.concatenate([value, np.zeros(added)])[source]
    owner = np.concatenate([polygon, polygon[cut]])[source]
    sides = np.concatenate([signs >= 0, signs <= 0])
    picked = sides.nonzero()[0]
    if len(picked) > old + 2 * added:
        sides[old + added :] = _one_of_a_run(signs, np.bincount(owner, minlength=count), sides[old + added :])
        picked = sides.nonzero()[0]
    sizes = np.bincount(np.concatenate([owner, owner + count])[picked], minlength=2 * count)
    return np.concatenate([source, source])[picked], sizes


def _one_of_a_run(value: np.ndarray, sizes: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Of several zeros in a row the negative child takes only the one beside its negative corners.

    Else the two children would share more than the chord.
    """
    following = next_corner(sizes)
    negative = value < 0
    beside = negative[following]
    beside[following] |= negative
    return below & (negative | beside)


def _split(active: Active, cut: Cut) -> tuple[Pieces, Singles, Active]:
    """The children: finished ones, those with one neuron left, and the others."""
    values, signs = _at_new_vertices(active, cut)
    signs = signs.take(cut.source, axis=1)
    around = np.bitwise_or.reduceat(signs, starts_of(cut.sizes), axis=1)
    parent = np.arange(len(active.pieces.sizes))
    parent = np.concatenate([parent, parent])
    positive = around & active.crossing.take(parent, axis=1)
    crossing = positive & (around >> _HALF)
    positive ^= crossing
    positive |= active.pieces.positive.take(parent, axis=1)
    left = np.bitwise_count(crossing[0]) if len(crossing) == 1 else np.bitwise_count(crossing).sum(0, dtype=np.uint8)
    kind = np.minimum(left, 2)
    # sorted by kind, so that the three kinds are slices; one-byte keys are sorted in linear time
    order, rows = kind.argsort(kind="stable"), kind.repeat(cut.sizes).argsort(kind="stable")
    counts = np.bincount(kind, minlength=3)
    source, sizes, parent = cut.source[rows], cut.sizes[order], parent[order]
    children = Pieces(cut.vertex[source], sizes, active.pieces.root[parent], positive.take(order, axis=1))
    crossing, signs = crossing.take(order, axis=1), signs.take(rows, axis=1)
    one, more = int(counts[0]), int(counts[0] + counts[1])
    first, second = int(sizes[:one].sum()), int(sizes[:more].sum())
    slots = active.slot[1:].take(parent[one:], axis=1)
    leaves = children.part(slice(one), slice(first))
    singles = _singles(
        children.part(slice(one, more), slice(first, second)),
        crossing[:, one:more],
        slots[:, : more - one],
        values,
        source[first:second],
    )
    pieces = children.part(slice(more, None), slice(second, None))
    return (
        leaves,
        singles,
        _next_active(pieces, crossing[:, more:], slots[:, more - one :], values, signs[:, second:], source[second:]),
    )


def _at_new_vertices(active: Active, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
    """The remaining neurons' values (C - 1, T + N) and the packed signs (words, T + N), new vertices included."""
    old = active.values[1:]
    start = old.take(cut.first, axis=1)
    new = old.take(cut.second, axis=1)
    new -= start
    new *= cut.step
    new += start
    positive, negative = new > 1, new < -1
    new *= positive | negative
    slot = active.slot[1:].take(cut.where, axis=1)
    bits = slot_bits(slot)
    bits = np.where(positive, bits, np.where(negative, bits << _HALF, np.uint64(0)))
    words = len(active.signs)
    if words == 1:
        signs = np.bitwise_or.reduce(bits, axis=0)[None]
    else:
        slot //= SLOTS
        signs = np.stack([np.bitwise_or.reduce(np.where(slot == w, bits, np.uint64(0)), axis=0) for w in range(words)])
    return np.concatenate([old, new], axis=1), np.concatenate([active.signs, signs], axis=1)


def _singles(
    pieces: Pieces, crossing: np.ndarray, slots: np.ndarray, values: np.ndarray, source: np.ndarray
) -> Singles:
    """Those with one slot left: find it in the parent's list, and take along its values only."""
    slot = lowest_bit(crossing, SLOTS)
    if not len(slot):
        return Singles(pieces, slot, values[0, :0])
    flat = ((slots == slot).argmax(0) * values.shape[1]).repeat(pieces.sizes)
    flat += source
    return Singles(pieces, slot, values.reshape(-1)[flat])


def lowest_bit(crossing: np.ndarray, per_word: int) -> np.ndarray:
    """The number of the lowest bit set in each column, (words, P) -> (P,), with `per_word` bits used of every word."""
    slot = np.zeros(crossing.shape[1], np.int64)
    for number in reversed(range(len(crossing))):
        word = crossing[number]
        lowest = np.bitwise_count((word & (~word + _ONE)) - _ONE)
        slot = np.where(word != 0, lowest + np.int64(per_word * number), slot)
    return slot


def _next_active(
    pieces: Pieces, crossing: np.ndarray, slots: np.ndarray, values: np.ndarray, signs: np.ndarray, source: np.ndarray
) -> Active:
    """Move each polygon's remaining slots to the first places of its list and take along only their values."""
    if not len(pieces.sizes):
        return Active(pieces, crossing, slots, values[:, :0], signs)
    bits = slot_bits(slots)
    words = crossing[0] if len(crossing) == 1 else np.take_along_axis(crossing, slots // SLOTS, axis=0)
    # a filler may repeat a slot that is alive: only its first place counts, and a filler never comes before that
    alive = (words & bits) != 0
    rank = alive.cumsum(axis=0)
    total = np.bitwise_count(crossing).sum(0)
    alive &= rank <= total
    width = int(total.max())
    old, column = alive.nonzero()
    place = (rank[old, column] - 1) * len(total) + column
    origin = np.zeros((width, len(total)), np.int64)
    origin.reshape(-1)[place] = old
    slot = slots[origin, np.arange(len(total))]
    flat = (origin * values.shape[1]).repeat(pieces.sizes, axis=1)
    flat += source
    return Active(pieces, crossing, slot, values.reshape(-1)[flat], signs)


def _split_singles(singles: list[Singles], listed: np.ndarray, vertices: Vertices) -> list[Pieces]:
    """Split all polygons that had one neuron left."""
    pieces = Pieces(*(np.concatenate([getattr(some.pieces, name) for some in singles], axis=-1) for name in _FIELDS))
    if not len(pieces.sizes):
        return []
    slot = np.concatenate([some.slot for some in singles])
    values = np.concatenate([some.values for some in singles])
    cut = cut_edges(pieces, values, listed[slot, pieces.root], vertices)
    above = pieces.positive.copy()
    above[slot // SLOTS, np.arange(len(slot))] |= slot_bits(slot)
    positive = np.concatenate([above, pieces.positive], axis=1)
    return [Pieces(cut.vertex[cut.source], cut.sizes, np.concatenate([pieces.root] * 2), positive)]


_FIELDS = ("corners", "sizes", "root", "positive")
