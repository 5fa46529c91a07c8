"""The exact subdivision of the plane by a network of two inputs, as one frozen record.

Source: Singla and Feizi (2019), sections 3 and 4: the activation regions are polyhedra on which the network is affine.
Everything but the subdivision, the class cells and the boundary is computed when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np

from relucert_core.arrays import (
    IndexPairs,
    Indices,
    Matrix,
    Numbers,
    Objects,
    SignRows,
    Signs,
    Stack,
    Vector,
    Words,
)
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_points, as_tensor
from relucert_core.planar.adjacency import Edges, find_edges
from relucert_core.planar.boundary import nearest_on_segments
from relucert_core.planar.decision import Decision, decide
from relucert_core.planar.horizon import Pieces, inner_pieces, outer_pieces
from relucert_core.planar.maps import region_maps, unpack
from relucert_core.planar.place import locate_points, ties_at
from relucert_core.planar.rounds import starts_of
from relucert_core.planar.subdivide import Budget, OverBudget, Subdivision, subdivide

MAX_REGIONS = 200_000
LARGEST = 1e150  # of a coordinate of the box: products of two must stay in the range of float64
Pattern = tuple[Signs, ...]


class Patterns(Sequence[Pattern]):
    """One activation pattern per region: a tuple of bool arrays (N_i,), True where the neuron is positive inside."""

    def __init__(self, bits: tuple[Words, ...], widths: tuple[int, ...]) -> None:
        self._bits, self._widths = bits, widths

    def __len__(self) -> int:
        return self._bits[0].shape[1]

    @overload
    def __getitem__(self, index: int) -> Pattern: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pattern]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return tuple(unpack(words[:, [index]], width)[0] for words, width in zip(self._bits, self._widths, strict=True))

    def __iter__(self) -> Iterator[Pattern]:
        return (self[i] for i in range(len(self)))

    def layer(self, number: int) -> SignRows:
        """The patterns of hidden layer `number` (from 0) for all regions, (R, N) bool."""
        return unpack(self._bits[number], self._widths[number])


@dataclass(frozen=True, eq=False)
class PlanarComplex:
    """Every activation region of `network` inside `box`, the class cells and the decision boundary.

    `vertices` (V, 2); region i has the corners `vertices[corners[offsets[i] : offsets[i + 1]]]`, counter-clockwise;
    `bits`: per hidden layer a (words, R) uint64 array of packed patterns; `decision`: see `planar.decision.Decision`.
    Coordinates are float64, correct up to rounding; a neuron whose value at a vertex is within rounding of 0 counts
    as 0 there, so two regions may be joined across a strip of that width. A neuron that is 0 all over a region counts
    as not positive. `status` says in a sentence how many regions there are.
    """

    network: Network
    box: Matrix
    vertices: Matrix
    offsets: Indices
    corners: Indices
    bits: tuple[Words, ...]
    decision: Decision
    status: str

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> Indices:
        """How many corners each region has, (R,)."""
        return np.diff(self.offsets)

    @property
    def patterns(self) -> Patterns:
        """One pattern per region, as `activation_region` gives them."""
        return Patterns(self.bits, self.network.widths)

    def pattern(self, index: int) -> Pattern:
        """The pattern of region `index`."""
        return self.patterns[index]

    def polygon(self, index: int) -> Matrix:
        """The corners of region `index`, (k, 2), counter-clockwise."""
        return self.vertices[self.corners[self.offsets[index] : self.offsets[index + 1]]]

    @cached_property
    def polygons(self) -> Objects:
        """The regions as shapely polygons, an object array (R,)."""
        return _shapely(self.vertices, self.corners, self.sizes)

    @cached_property
    def cell_polygons(self) -> Objects:
        """The class cells as shapely polygons, an object array (C,)."""
        return _shapely(self.decision.vertices, self.decision.corners, self.decision.sizes)

    @property
    def decision_segments(self) -> Stack:
        """The decision boundary inside the box: end points of segments, (S, 2, 2)."""
        return self.decision.segments

    @property
    def decision_pairs(self) -> IndexPairs:
        """The two classes on top along each segment, the lower one first, (S, 2)."""
        return self.decision.pairs

    @cached_property
    def areas(self) -> Vector:
        """The area of each region, (R,); up to rounding, which can make a sliver's slightly negative."""
        return polygon_areas(self.vertices, self.corners, self.sizes)

    @cached_property
    def cell_areas(self) -> Vector:
        """The area of each class cell, (C,)."""
        return polygon_areas(self.decision.vertices, self.decision.corners, self.decision.sizes)

    @cached_property
    def maps(self) -> tuple[Stack, Matrix]:
        """The affine maps C (R, K, 2) and d (R, K): the logits at x in region i are C[i] x + d[i]."""
        return region_maps(self.network.weights, self.network.biases, self.patterns.layer, len(self))

    @cached_property
    def edges(self) -> Edges:
        """Every edge with the regions beside it and the neuron that draws it."""
        return find_edges(self.corners, self.sizes, len(self.vertices), self.bits)

    @cached_property
    def adjacency(self) -> IndexPairs:
        """Pairs of regions that share an edge, (A, 2), in the order of the inner edges."""
        return self.edges.regions[self.edges.regions[:, 1] >= 0]

    def neurons_between(self, one: int, other: int) -> list[tuple[int, int]]:
        """The neurons (layer, index), from 0, whose signs differ between two regions: those that bend between."""
        pairs = zip(self.pattern(one), self.pattern(other), strict=True)
        return [(layer, int(j)) for layer, (a, b) in enumerate(pairs) for j in np.flatnonzero(a != b)]

    def locate(self, points: Numbers) -> Indices:
        """The region that holds each point, (B, 2) -> (B,) int64; -1 outside the box. On an edge, one of the two."""
        tensor, _ = as_points(self.network, points)
        return locate_points(self, tensor.numpy())

    @cached_property
    def _inside(self) -> Pieces:
        return inner_pieces(self.decision.segments, self.decision.tied_points)

    @cached_property
    def _everywhere(self) -> Pieces | None:
        """The boundary in the whole plane, or None when that needs more regions than the budget."""
        try:
            outside = outer_pieces(self.network.weights, self.network.biases, self.box, Budget(MAX_REGIONS))
        except OverBudget:
            return None
        return self._inside.joined(outside)

    def boundary_distance(self, points: Numbers, *, beyond: bool = True) -> tuple[Vector, Matrix, Signs]:
        """Exact L2 distance from each point to the decision boundary: distance (B,), nearest (B, 2), proven (B,).

        The boundary is where two classes tie for the first place, ties over an area included: so it is the distance to
        the closed set f_j >= f_k, k the prediction. It is proven where it is at most the distance to the edge of the
        box. For the other points the boundary outside the box is computed too, up to infinity, unless `beyond` is
        False or that takes more than 200,000 regions; then `proven` stays False for them, and what is given is an upper
        bound. Infinity, when proven, means that there is no boundary anywhere. Float64 geometry, not rounded outward.
        """
        tensor, _ = as_points(self.network, points)
        places = tensor.numpy()
        room = np.minimum(places - self.box[:, 0], self.box[:, 1] - places).min(1)
        distance, nearest = _nearest(places, self._inside)
        proven = distance <= room
        pieces = None if proven.all() or not beyond else self._everywhere
        if pieces is not None:
            rest = ~proven
            distance[rest], nearest[rest] = _nearest(places[rest], pieces)
            proven[:] = True
        tied = ties_at(self.network, places)
        distance[tied], nearest[tied], proven[tied] = 0.0, places[tied], True
        return distance, nearest, proven


def planar_complex(net: Network, box: Numbers, max_regions: int = MAX_REGIONS) -> PlanarComplex:
    """The exact subdivision of `box`, ((x0, x1), (y0, y1)), by a network of 2 inputs, any depth, width and classes.

    Raises Unsupported for another number of inputs (see `slice_network`), InvalidInput for a bad box, and OverBudget,
    with a sentence to show, past `max_regions` regions. Cost: 2 to 5 microseconds a region on one thread.
    """
    if net.inputs != 2:
        raise Unsupported(
            f"The network has {net.inputs} inputs; the exact subdivision is for 2. Take a plane through the input "
            "space with slice_network(net, origin, u, v)."
        )
    frame = checked_box(box)
    try:
        with np.errstate(over="raise"):
            cut = subdivide(net.weights, net.biases, box_corners(frame), Budget(max_regions))
            return assemble(net, frame, cut)
    except FloatingPointError:
        raise InvalidInput(
            "The network's values overflow in this box: take a smaller box, or scale the network's weights down."
        ) from None


def assemble(net: Network, box: np.ndarray, cut: Subdivision) -> PlanarComplex:
    """The record of a finished subdivision, with class cells and boundary."""
    decision = decide(cut, net.weights[-1], net.biases[-1])
    offsets = np.concatenate([[0], np.cumsum(cut.sizes)])
    arrays = (box, cut.vertices, offsets, cut.corners, *cut.bits)
    for array in arrays:
        array.flags.writeable = False
    count = len(cut.sizes)
    status = f"complete: {count:,} region{'s' * (count != 1)} in the box"
    return PlanarComplex(net, box, cut.vertices, offsets, cut.corners, cut.bits, decision, status)


def checked_box(box: Any) -> np.ndarray:
    """The box as an array [[x0, x1], [y0, y1]]; InvalidInput unless both sides are positive and within LARGEST of 0."""
    array = as_tensor(box, "the box").numpy()
    if array.shape != (2, 2):
        raise InvalidInput(f"Give the box as ((x0, x1), (y0, y1)); an array of shape {array.shape} came.")
    with np.errstate(over="ignore"):
        sides = array[:, 1] - array[:, 0]
    if not (sides > 0).all() or not np.abs(array).max() <= LARGEST:
        raise InvalidInput(
            f"The box must have x0 < x1 and y0 < y1, all within {LARGEST:g} of 0; {array.tolist()} came."
        )
    return array


def box_corners(box: np.ndarray) -> np.ndarray:
    """The four corners (4, 2), counter-clockwise."""
    (x0, x1), (y0, y1) = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def polygon_areas(vertices: np.ndarray, corners: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Areas of CSR polygons, (P,): fans of triangles around the first corner, which is accurate for small ones."""
    starts = starts_of(sizes)
    local = vertices[corners] - np.repeat(vertices[corners[starts]], sizes, axis=0)
    cross = local[:-1, 0] * local[1:, 1] - local[:-1, 1] * local[1:, 0]
    # the product across two polygons vanishes, as each one's first corner is its origin
    return np.add.reduceat(np.append(cross, 0.0), starts) / 2


def _nearest(points: np.ndarray, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    return nearest_on_segments(points, pieces.start, pieces.step, pieces.rays)


def _shapely(vertices: np.ndarray, corners: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    import shapely

    rings = shapely.linearrings(vertices[corners], indices=np.repeat(np.arange(len(sizes)), sizes))
    return shapely.polygons(rings)
