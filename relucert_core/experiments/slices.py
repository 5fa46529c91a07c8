"""A plane through three points of the input space, and what a network does on it: exact polyhedra, or a raster.

Distances in the plane are distances in the input space, for its axes are orthonormal; the distance to something *seen
in the plane* is only an upper bound of the true one, since the nearest such point may lie outside the plane.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.network import Network
from relucert_core.planar.complex import PlanarComplex, assemble, box_corners, checked_box
from relucert_core.planar.slices import slice_network
from relucert_core.planar.subdivide import Budget, OverBudget, subdivide

MAX_REGIONS = 100_000
PATIENCE = 1.2  # seconds for the subdivision, so that a zoom level is there within two
_RASTER = 320  # pixels a side where rows are cut exactly
_FEWEST, _RASTER_WORK = 88, 9e9  # pixels a side at least, and multiplications at most, where every pixel is asked
_NEARLY_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class SlicePlane:
    """The plane origin + s u + t v. origin, u, v: (D,); u and v orthonormal. second, third: their (s, t)."""

    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray
    second: tuple[float, float]
    third: tuple[float, float]

    def point(self, s: float, t: float) -> np.ndarray:
        """The input at (s, t), (D,)."""
        return self.origin + s * self.u + t * self.v


@dataclass(frozen=True, eq=False)
class SliceView:
    """What the network does on the square [-half, half]^2 of a plane.

    complex: the exact subdivision, or None where it was too much for the time or the budget. classes: (n, n) uint8, the
    class at each pixel's centre, first row at t = -half. regions: how many, or None. words: what it is, in a sentence.
    """

    network: Network
    half: float
    complex: PlanarComplex | None
    classes: np.ndarray
    words: str
    seconds: float

    @property
    def regions(self) -> int | None:
        """The number of activation regions that meet the square; None when it is not known."""
        return None if self.complex is None else len(self.complex)

    @property
    def edges(self) -> np.ndarray:
        """The edges between regions, (E, 2, 2), without the rim."""
        if self.complex is None:
            return np.zeros((0, 2, 2))
        edges = self.complex.edges
        return self.complex.vertices[edges.ends[edges.regions[:, 1] >= 0]]

    @property
    def segments(self) -> np.ndarray:
        """The decision boundary, (S, 2, 2); empty where only the raster is known."""
        return np.zeros((0, 2, 2)) if self.complex is None else self.complex.decision_segments


def plane_through(origin: np.ndarray, second: np.ndarray, third: np.ndarray) -> SlicePlane:
    """The plane through three points (D,): `origin` at (0, 0), `second` on the first axis, `third` above it.

    Raises InvalidInput when the three lie on one line or have different shapes.
    """
    if not (origin.shape == second.shape == third.shape) or origin.ndim != 1 or len(origin) < 2:
        raise InvalidInput(f"A plane needs three points of one shape (D,); {origin.shape}, {second.shape} and "
                           f"{third.shape} came.")  # fmt: skip
    along, beyond = second - origin, third - origin
    length, reach = float(np.linalg.norm(along)), float(np.linalg.norm(beyond))
    if not (math.isfinite(length) and math.isfinite(reach)) or length == 0:
        raise InvalidInput("A plane needs two different points: the first two are the same, or not finite.")
    u = along / length
    across = beyond - u * (u @ beyond)
    across -= u * (u @ across)  # once more, for what rounding left
    height = float(np.linalg.norm(across))
    if height <= _NEARLY_ZERO * max(reach, length):
        raise InvalidInput("The three points lie on one line: choose another third point.")
    return SlicePlane(origin, u, across / height, (length, 0.0), (float(u @ beyond), height))


def random_third(origin: np.ndarray, seed: int, length: float = 1.0) -> np.ndarray:
    """A point (D,) at distance `length` from `origin` in a random direction."""
    direction = np.random.default_rng(seed).standard_normal(len(origin))
    return np.asarray(origin + length * direction / np.linalg.norm(direction))


def on_plane(net: Network, plane: SlicePlane) -> Network:
    """The network of the two coordinates (s, t)."""
    return slice_network(net, plane.origin, plane.u, plane.v)


def view_slice(
    flat: Network, half: float, *, max_regions: int = MAX_REGIONS, patience: float = PATIENCE, exact: bool = True
) -> SliceView:
    """Look at the square [-half, half]^2 of a network of two inputs.

    Exact up to `max_regions` regions and `patience` seconds of counting; beyond that (or with exact=False) a raster
    whose every pixel shows the class at its centre, which can miss what is thinner than a pixel.
    """
    begun = time.perf_counter()
    box = checked_box(((-half, half), (-half, half)))
    if exact:
        try:
            budget = Budget(max_regions, time.monotonic() + patience)
            whole = assemble(flat, box, subdivide(flat.weights, flat.biases, box_corners(box), budget))
            classes = rows_cut(flat, whole.decision_segments, half)
            count = len(whole)
            words = f"Exact: {count:,} polyhedr{'a meet' if count != 1 else 'on fills'} this square of the plane."
            return SliceView(flat, half, whole, classes, words, time.perf_counter() - begun)
        except OverBudget:
            pass
    classes = raster(flat, half)
    words = (
        f"Too many polyhedra for an exact picture at once (the limit is {max_regions:,}, or two seconds of work): each "
        f"of the {len(classes)} × {len(classes)} pixels shows the class at its centre. Zoom in for the exact polyhedra."
    )
    return SliceView(flat, half, None, classes, words, time.perf_counter() - begun)


def raster(flat: Network, half: float, side: int | None = None) -> np.ndarray:
    """The class at the centre of each of `side` x `side` pixels, (side, side) uint8; None: as many as are quick."""
    if side is None:
        work = sum(weight.size for weight in flat.weights)
        side = int(np.clip(math.sqrt(_RASTER_WORK / work), _FEWEST, 256))
    centres = _centres(half, side)
    rows = [np.stack([centres, np.full(side, t)], axis=1) for t in centres]
    return np.stack([_classes(flat, row) for row in rows])


def rows_cut(flat: Network, segments: np.ndarray, half: float, side: int = _RASTER) -> np.ndarray:
    """As `raster`, by the exact decision boundary (S, 2, 2): along a row the class changes only where it is crossed."""
    centres = _centres(half, side)
    row, place = _crossings(segments, centres)
    span = 4 * half
    order = np.argsort(row * span + place, kind="stable")
    row, place = row[order], np.clip(place[order], -half, half)
    counts = np.bincount(row, minlength=side)
    begins = np.cumsum(counts + 2) - (counts + 2)
    stops = np.empty(len(row) + 2 * side)  # each row: left end, crossings, right end
    stops[begins], stops[begins + counts + 1] = -half, half
    stops[np.arange(len(row)) + 2 * row + 1] = place
    middles = (stops[:-1] + stops[1:]) / 2
    rows_of = np.repeat(np.arange(side), counts + 2)
    inside = np.delete(np.arange(len(middles) + 1), begins + counts + 1)  # not from one row's end to the next's start
    found = _classes(flat, np.stack([middles[inside], centres[rows_of[inside]]], axis=1))
    pixel_row = np.repeat(np.arange(side), side)
    before = np.searchsorted(row * span + place, pixel_row * span + np.tile(centres, side))
    return found[before + pixel_row].reshape(side, side)


def _crossings(segments: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the segments cross the rows at `heights`: row numbers (C,) and coordinates (C,)."""
    low, high = segments[:, :, 1].min(1), segments[:, :, 1].max(1)
    first, last = np.searchsorted(heights, low), np.searchsorted(heights, high)
    counts = last - first
    which = np.repeat(np.arange(len(segments)), counts)
    row = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + first[which]
    start, end = segments[which, 0], segments[which, 1]
    share = (heights[row] - start[:, 1]) / (end[:, 1] - start[:, 1])
    return row, start[:, 0] + share * (end[:, 0] - start[:, 0])


def _centres(half: float, side: int) -> np.ndarray:
    return (np.arange(side) + 0.5) * (2 * half / side) - half


def _classes(flat: Network, points: np.ndarray) -> np.ndarray:
    """The predictions (B,) uint8, in blocks that stay small in memory."""
    block = max(256, 4_000_000 // max(flat.widths))
    parts = [flat(points[i : i + block]).argmax(-1) for i in range(0, len(points), block)]
    return np.concatenate(parts).astype(np.uint8)
