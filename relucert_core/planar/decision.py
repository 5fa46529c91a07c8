"""Class cells and the decision boundary of a subdivided plane.

The logits are affine on every region. A region whose corners share one winner, without a tie, is one class cell. Every
other region is clipped once per class k by the half-planes f_k >= f_j: what is left is the cell where k wins, and the
edges that the clipping drew are the decision boundary. So a class that wins inside a region but at none of its corners
is found too. Where two classes are tied over an area, the cell belongs to the lower class, as argmax has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.arrays import IndexPairs, Indices, Matrix, Stack
from relucert_core.planar.layers import BLOCK, inverse_tolerance, last_values, positive_somewhere
from relucert_core.planar.rounds import next_corner, starts_of
from relucert_core.planar.subdivide import Subdivision

_OLD = -1


@dataclass(frozen=True, eq=False)
class Decision:
    """Class cells in CSR form and the decision boundary.

    `vertices` (Vc, 2) are those of the regions, then the new ones; `corners` (sum,), `sizes` (C,), `classes` (C,) and
    `regions` (C,) describe the cells. `segments` (S, 2, 2) with `pairs` (S, 2), lower class first, and
    `segment_regions` (S,). `tied_points` (T, 2): corners where two classes tie, but that lie on no segment.
    """

    vertices: Matrix
    corners: Indices
    sizes: Indices
    classes: Indices
    regions: Indices
    segments: Stack
    pairs: IndexPairs
    segment_regions: Indices
    tied_points: Matrix


def decide(cut: Subdivision, weight: np.ndarray, bias: np.ndarray) -> Decision:
    """Cut the regions into class cells by the output layer `weight` (K, n), `bias` (K,)."""
    logits, tolerance = vertex_logits(cut, weight, bias)
    winner, tied = _winners(logits, tolerance)
    starts = starts_of(cut.sizes)
    around = winner[cut.corners]
    lowest, highest = np.minimum.reduceat(around, starts), np.maximum.reduceat(around, starts)
    mixed = (lowest != highest) | np.logical_or.reduceat(tied[cut.corners], starts)
    pieces = _clip_all(cut, np.flatnonzero(mixed), logits, tolerance)
    plain = np.flatnonzero(~mixed)
    segments, pairs, regions = _segments(pieces, len(bias))
    return Decision(
        vertices=np.stack([pieces.x, pieces.y], axis=1),
        corners=np.concatenate([cut.corners[np.repeat(~mixed, cut.sizes)], pieces.corners]),
        sizes=np.concatenate([cut.sizes[plain], pieces.sizes]),
        classes=np.concatenate([lowest[plain], pieces.winner]),
        regions=np.concatenate([plain, pieces.region]),
        segments=segments,
        pairs=pairs,
        segment_regions=regions,
        tied_points=_tied_points(pieces, segments),
    )


def vertex_logits(cut: Subdivision, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logits (V, K) at the regions' vertices and the tolerance of each class (K,)."""
    used = positive_somewhere(cut.values.max(0))
    hidden, weight = last_values(cut.values, cut.made, cut.levels, used), weight[:, used]
    logits, highest = np.empty((len(hidden), len(bias))), np.zeros(len(used))
    block = max(16, BLOCK // max(1, len(used)))
    for begin in range(0, len(hidden), block):  # in blocks and in place: fresh memory costs as much as the product
        part = hidden[begin : begin + block]
        np.maximum(part, 0, out=part)
        np.maximum(highest, part.max(0), out=highest)
        np.matmul(part, weight.T, out=logits[begin : begin + block])
    logits += bias
    return logits, 1 / inverse_tolerance(highest, weight, bias)


def _winners(logits: np.ndarray, tolerance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class on top at every vertex, and whether another one ties with it, (V,) and (V,)."""
    winner = logits.argmax(1)
    gap = logits[np.arange(len(logits)), winner][:, None] - logits
    return winner, (gap <= tolerance[winner][:, None] + tolerance).sum(1) > 1


@dataclass
class _Cells:
    """Cells being clipped: `lead` (K, T) is f_k - f_j at their corners, `drawn` (T,) the class that drew the edge from
    each corner to the next, or -1."""

    x: np.ndarray
    y: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray
    winner: np.ndarray
    region: np.ndarray
    lead: np.ndarray
    drawn: np.ndarray


def _clip_all(cut: Subdivision, mixed: np.ndarray, logits: np.ndarray, tolerance: np.ndarray) -> _Cells:
    """The class cells of the regions `mixed`."""
    cells = _candidates(cut, mixed, logits, tolerance)
    for rival in range(len(tolerance)):
        if len(cells.sizes):
            slack = tolerance[cells.winner] + tolerance[:, None]
            cells = _clip(cells, rival, slack)
    return cells


def _candidates(cut: Subdivision, mixed: np.ndarray, logits: np.ndarray, tolerance: np.ndarray) -> _Cells:
    """One copy of every mixed region for every class that no other one beats at all its corners."""
    pick = np.zeros(len(cut.sizes), bool)
    pick[mixed] = True
    rows, sizes = cut.corners[np.repeat(pick, cut.sizes)], cut.sizes[mixed]
    values, starts, classes = logits[rows].T, starts_of(sizes), len(tolerance)
    copies = []
    for k in range(classes):
        lead = values[k] - values
        lead[np.abs(lead) <= (tolerance[k] + tolerance)[:, None]] = 0
        keep = (np.maximum.reduceat(lead, starts, axis=1) >= 0).all(0) if len(mixed) else np.zeros(0, bool)
        chosen = np.repeat(keep, sizes)
        copies.append((rows[chosen], sizes[keep], np.full(int(keep.sum()), k), mixed[keep], lead[:, chosen]))
    corners, counts, winner, region, lead = zip(*copies, strict=True)
    return _Cells(
        cut.vertices[:, 0], cut.vertices[:, 1], np.concatenate(corners), np.concatenate(counts),
        np.concatenate(winner), np.concatenate(region), np.concatenate(lead, axis=1),
        np.full(sum(len(some) for some in corners), _OLD),
    )  # fmt: skip


def _clip(cells: _Cells, rival: int, slack: np.ndarray) -> _Cells:
    """Keep of every cell the part where its class is not behind `rival`; slack (K, C) is what counts as a tie."""
    lead, starts = cells.lead[rival], starts_of(cells.sizes)
    ahead, behind = np.maximum.reduceat(lead, starts) > 0, np.minimum.reduceat(lead, starts) < 0
    # a tie all over goes to the lower class; a class is never behind itself
    keep = ahead | (~behind & (cells.winner <= rival))
    if not keep.all():
        cells, behind, slack = _pick(cells, keep), behind[keep], slack[:, keep]
    return _cut_off(cells, rival, slack) if behind.any() else cells


def _pick(cells: _Cells, keep: np.ndarray) -> _Cells:
    rows = np.repeat(keep, cells.sizes)
    return _Cells(
        cells.x, cells.y, cells.corners[rows], cells.sizes[keep], cells.winner[keep], cells.region[keep],
        cells.lead[:, rows], cells.drawn[rows],
    )  # fmt: skip


def _cut_off(cells: _Cells, rival: int, slack: np.ndarray) -> _Cells:
    """Cut every cell along f_k = f_rival and drop the part where the rival leads; all cells have a part that stays."""
    lead, following = cells.lead[rival], next_corner(cells.sizes)
    cut = np.flatnonzero(lead * lead[following] < 0)
    polygon = np.repeat(np.arange(len(cells.sizes)), cells.sizes)
    x, y, new = _new_vertices(cells, rival, cut, following[cut])
    new[np.abs(new) <= slack[:, polygon[cut]]] = 0
    new[rival] = 0
    old, fresh = len(lead), np.arange(len(cut))
    order = np.insert(np.arange(old), cut + 1, old + fresh)
    values = np.concatenate([cells.lead, new], axis=1)[:, order]
    corners = np.concatenate([cells.corners, len(cells.x) + fresh])[order]
    drawn = np.concatenate([cells.drawn, cells.drawn[cut]])[order]
    polygon = np.concatenate([polygon, polygon[cut]])[order]
    stays = values[rival] >= 0
    after = next_corner(np.bincount(polygon, minlength=len(cells.sizes)))
    drawn[stays & ~stays[after]] = rival
    sizes = np.bincount(polygon[stays], minlength=len(cells.sizes))
    return _Cells(
        np.concatenate([cells.x, x]), np.concatenate([cells.y, y]), corners[stays], sizes, cells.winner, cells.region,
        values[:, stays], drawn[stays],
    )  # fmt: skip


def _new_vertices(cells: _Cells, rival: int, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, ...]:
    """Interpolate on the edges from corner `one` to corner `other`, in the direction that the coordinates give."""
    a, b = cells.corners[one], cells.corners[other]
    swap = (cells.x[a] > cells.x[b]) | ((cells.x[a] == cells.x[b]) & (cells.y[a] > cells.y[b]))
    first, second = np.where(swap, other, one), np.where(swap, one, other)
    a, b = cells.corners[first], cells.corners[second]
    start = cells.lead[:, first]
    step = start[rival] / (start[rival] - cells.lead[rival, second])
    x = cells.x[a] + step * (cells.x[b] - cells.x[a])
    y = cells.y[a] + step * (cells.y[b] - cells.y[a])
    return x, y, start + step * (cells.lead[:, second] - start)


def _segments(cells: _Cells, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The edges that clipping drew, each from the lower class's side, and the region edges along which classes tie."""
    if not len(cells.sizes):
        return np.zeros((0, 2, 2)), np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    following = next_corner(cells.sizes)
    winner, region = np.repeat(cells.winner, cells.sizes), np.repeat(cells.region, cells.sizes)
    drawn = np.flatnonzero((cells.drawn >= 0) & (winner < cells.drawn))
    found = [(drawn, cells.drawn[drawn])]
    for rival in range(classes):
        tie = (cells.lead[rival] == 0) & (cells.lead[rival, following] == 0)
        along = np.flatnonzero(tie & (winner != rival) & (cells.drawn == _OLD))
        found.append((along, np.full(len(along), rival)))
    rows, rivals = (np.concatenate(some) for some in zip(*found, strict=True))
    ends = np.stack([cells.corners[rows], cells.corners[following[rows]]], axis=1)
    pairs = np.sort(np.stack([winner[rows], rivals], axis=1), axis=1)
    # neighbouring cells name an edge along which they tie twice
    key = np.concatenate([np.sort(ends, axis=1), pairs], axis=1)
    once = np.arange(len(drawn)) if len(rows) == len(drawn) else np.sort(np.unique(key, axis=0, return_index=True)[1])
    segments = np.stack([cells.x[ends[once]], cells.y[ends[once]]], axis=2)
    return segments, pairs[once], region[rows[once]]


def _tied_points(cells: _Cells, segments: np.ndarray) -> np.ndarray:
    """Corners at which two classes tie for the first place and that end no segment, (T, 2)."""
    if not len(cells.sizes):
        return np.zeros((0, 2))
    tied = (cells.lead == 0).sum(0) > 1
    corners = cells.corners[tied]
    places = np.unique(cells.x[corners] + 1j * cells.y[corners])
    places = places[~np.isin(places, segments[:, :, 0] + 1j * segments[:, :, 1])]
    return np.stack([places.real, places.imag], axis=1)
