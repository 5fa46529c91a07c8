"""The exact L2 distance from one point to the decision boundary in the plane, wherever that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relucert_core.arrays import Numbers, Vector
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network, as_points
from relucert_core.planar.boundary import nearest_on_segments
from relucert_core.planar.complex import MAX_REGIONS, box_corners
from relucert_core.planar.decision import decide
from relucert_core.planar.horizon import Pieces, inner_pieces, outer_pieces
from relucert_core.planar.place import ties_at
from relucert_core.planar.subdivide import Budget, OverBudget, subdivide
from relucert_core.words import down

# 8^-12 is 1e-11: a square below that is no use
_SHRINKS = 12
# the distance and the nearest point, infinity and NaN when there is none
Found = tuple[float, np.ndarray]


@dataclass(frozen=True, eq=False)
class PlanarDistance:
    """The distance to the closed set f_j >= f_k, k the prediction, and the point of it that is nearest.

    `lower` <= the true distance <= `upper`, both up to float64 rounding of the geometry. They are equal when the answer
    is exact; infinite when there is no boundary in the whole plane. `distance` is `upper` when exact, else `lower`: "at
    least". `nearest` is (2,), or None when no boundary point was found. `status` says it in words.
    """

    distance: float
    lower: float
    upper: float
    nearest: Vector | None
    status: str

    @property
    def exact(self) -> bool:
        """Whether the distance is known, not only bounded."""
        return self.lower == self.upper


def planar_distance(
    net: Network, point: Numbers, *, max_regions: int = MAX_REGIONS, max_seconds: float | None = None
) -> PlanarDistance:
    """The exact L2 distance from `point` (2,) to the decision boundary of a network of two inputs.

    Method: subdivide a square around the point; a boundary nearer than its edge is the answer. If there is none, the
    outside is subdivided too, to infinity (`planar.horizon`), so that even "no boundary anywhere" is found out. A
    budget that ends (regions alive at once, or seconds) gives what is known so far: at least the half side of the
    largest empty square. Ties count, and give 0. Float64 geometry, not rounded outward: an oracle and a picture, while
    a certificate must be rounded. Raises InvalidInput and Unsupported.
    """
    if net.inputs != 2:
        raise Unsupported(f"The network has {net.inputs} inputs; this distance is for 2. Use slice_network first.")
    places, single = as_points(net, point)
    if not single:
        raise InvalidInput(f"Give one point of shape (2,); a batch of {len(places)} came. See boundary_distance.")
    place = places.numpy()[0]
    if ties_at(net, places.numpy())[0]:
        return PlanarDistance(0.0, 0.0, 0.0, place, "exact: two classes tie at the point itself")
    budget = Budget(max_regions, None if max_seconds is None else time.monotonic() + max_seconds)
    return _search(net, place, budget)


def _search(net: Network, place: np.ndarray, budget: Budget) -> PlanarDistance:
    """A square that fits the budget; then all that is outside of it; then larger squares, if that was too much."""
    half, seen = _first_square(net, place, budget)
    if seen is None:
        return PlanarDistance(0.0, 0.0, np.inf, None, "at least 0: the budget ended before anything was known")
    if seen[0] <= half:
        return _exact(seen)
    outside = _within_budget(_outside, net, place, half, budget)
    if outside is not None:
        return _exact(min(seen, outside, key=lambda pair: pair[0]))
    while (wider := _within_budget(_in_square, net, place, 2 * half, budget)) is not None:
        half, seen = 2 * half, wider
        if seen[0] <= half:
            return _exact(seen)
    text = f"at least {down(half, 6)}: the budget ended, and there is no boundary nearer than that"
    return PlanarDistance(half, half, seen[0], seen[1], text)


def _first_square(net: Network, place: np.ndarray, budget: Budget) -> tuple[float, Found | None]:
    """Half the side of a square that fits the budget, at most 1, and the nearest boundary point in it."""
    half = 1.0
    for _ in range(_SHRINKS):
        found = _within_budget(_in_square, net, place, half, budget)
        if found is not None or budget.late():
            return half, found
        half /= 8
    return half, None


def _within_budget(
    search: Callable[[Network, np.ndarray, float, Budget], Found],
    net: Network,
    place: np.ndarray,
    half: float,
    budget: Budget,
) -> Found | None:
    """What the search finds, or None when the budget ends."""
    try:
        return search(net, place, half, budget)
    except OverBudget:
        return None


def _in_square(net: Network, place: np.ndarray, half: float, budget: Budget) -> Found:
    cut = subdivide(net.weights, net.biases, box_corners(_square(place, half)), budget)
    decision = decide(cut, net.weights[-1], net.biases[-1])
    return _nearest(place, inner_pieces(decision.segments, decision.tied_points))


def _outside(net: Network, place: np.ndarray, half: float, budget: Budget) -> Found:
    return _nearest(place, outer_pieces(net.weights, net.biases, _square(place, half), budget))


def _square(place: np.ndarray, half: float) -> np.ndarray:
    return np.stack([place - half, place + half], axis=1)


def _nearest(place: np.ndarray, pieces: Pieces) -> Found:
    distance, nearest = nearest_on_segments(place[None], pieces.start, pieces.step, pieces.rays)
    return float(distance[0]), nearest[0]


def _exact(found: Found) -> PlanarDistance:
    distance, nearest = found
    if distance == np.inf:
        return PlanarDistance(distance, distance, distance, None, "exact: no boundary anywhere in the plane")
    return PlanarDistance(distance, distance, distance, nearest, "exact")
