"""How steep a network is on each of its regions."""

from __future__ import annotations

import numpy as np

from relucert_core.planar.complex import PlanarComplex


def local_slopes(plane: PlanarComplex) -> np.ndarray:
    """The L2 norm of C_k - C_j, for the two classes k, j on top at the middle of each region, (R,).

    How fast the lead of the best class over the second changes there; the middle is the mean of the corners.
    """
    slopes, offsets = plane.maps
    sums = np.add.reduceat(plane.vertices[plane.corners], plane.offsets[:-1], axis=0)
    middle = sums / plane.sizes[:, None]
    top = np.argsort(np.einsum("rkd,rd->rk", slopes, middle) + offsets, axis=1)[:, -2:]
    rows = np.arange(len(plane))
    return np.linalg.norm(slopes[rows, top[:, 1]] - slopes[rows, top[:, 0]], axis=1)
