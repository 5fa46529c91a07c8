"""Which regions of a plane the search over neighbours has worked through, and when its ball reaches each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from relucert_core.planar.complex import PlanarComplex


@dataclass(frozen=True, eq=False)
class Explored:
    """The explored regions that lie in a complex, the nearest first.

    regions: (E,) numbers in the complex. distances: (E,) L2 from `centre` to each, 0 for the one that holds it: the
    ball has reached a region when its radius is at least that.
    """

    regions: np.ndarray
    distances: np.ndarray


def explored_regions(plane: PlanarComplex, patterns: np.ndarray, centre: tuple[float, float] = (0.0, 0.0)) -> Explored:
    """The regions of `plane` whose pattern is among `patterns` (S, N) bool, with their distances from `centre`.

    Of the patterns that the walk has worked through, those that are nobody's in the box are left out: they are empty,
    or lie elsewhere.
    """
    import shapely

    signs = np.concatenate([plane.patterns.layer(i) for i in range(len(plane.bits))], axis=1)
    if patterns.shape[1:] != signs.shape[1:]:
        return Explored(np.zeros(0, np.int64), np.zeros(0))
    known = {row.tobytes() for row in np.ascontiguousarray(patterns)}
    regions = np.flatnonzero([row.tobytes() in known for row in np.ascontiguousarray(signs)])
    distances = shapely.distance(plane.polygons[regions], shapely.Point(*centre))
    order = np.argsort(distances, kind="stable")
    return Explored(regions[order], np.asarray(distances[order]))
