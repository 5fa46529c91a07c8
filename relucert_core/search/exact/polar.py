"""Networks of two inputs: witnesses found by looking all around, which is cheaper there than any attack.

Only proposals: every point found is proved adversarial by the ledger before it counts.
"""

from __future__ import annotations

import numpy as np

from relucert_core.search.local_network import LocalNetwork

_ANGLES = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_RADII, _FARTHEST = 64, 1e3
_CORNERS = 64
_NEXT_TO = 5e-8  # of the distance: within what a witness may be away from its bound


def planar(local: LocalNetwork) -> bool:
    """Does the network see two dimensions only?"""
    return local.size == 2


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def nearest_around(local: LocalNetwork, least: float) -> np.ndarray | None:
    """The nearest point (2,) of a polar grid around 0 that is read differently; its circles begin at `least`."""
    farthest = _FARTHEST * (1 + max(least, float(np.abs(local.point).max())))
    if not np.isfinite(farthest):
        return None
    radii = np.geomspace(max(least, 1e-6), farthest, _RADII)
    points = (radii[:, None, None] * _CIRCLE).reshape(-1, 2)
    return _first_read_otherwise(local, points)


@np.errstate(all="ignore")  # parallel lines meet nowhere
def corners_around(local: LocalNetwork, farthest: float) -> np.ndarray:
    """Where lines of first-layer neurons meet, (C, 2): the nearest ones to 0, none beyond `farthest`."""
    i, j = np.triu_indices(len(local.first), 1)
    (a, b), (c, d), e, f = local.first[i].T, local.first[j].T, -local.offset[i], -local.offset[j]
    points = np.stack([e * d - b * f, a * f - e * c], axis=1) / (a * d - b * c)[:, None]
    distance = np.sqrt((points * points).sum(1))
    points = points[np.argsort(distance)][: np.count_nonzero(distance < farthest)]
    apart = np.concatenate([[True], np.abs(np.diff(points, axis=0)).max(1, initial=0.0) > _NEXT_TO * farthest])
    return points[apart[: len(points)]][:_CORNERS]


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def beside_corners(local: LocalNetwork, farthest: float) -> np.ndarray | None:
    """The nearest point next to one of the corners that is read differently."""
    corners = corners_around(local, farthest)
    if not len(corners):
        return None
    points = np.concatenate([next_to(corner) for corner in corners])
    return _first_read_otherwise(local, points)


def next_to(near: np.ndarray) -> np.ndarray:
    """Points on a tiny circle around `near` (2,): where many faces meet, a walk from face to face may miss a region."""
    return near + _NEXT_TO * float(np.sqrt(near @ near)) * _CIRCLE


def _first_read_otherwise(local: LocalNetwork, points: np.ndarray) -> np.ndarray | None:
    """The first of the points (B, 2), which come in the order of their distances, that is read differently."""
    found = np.flatnonzero(local.leads(points) <= 0)
    return points[found[0]] if len(found) else None
