"""Networks of two inputs: witnesses found by looking all around, which is cheaper there than any attack.

Only proposals: every point found is proved adversarial by the ledger before it counts.
"""

from __future__ import annotations

import numpy as np

from relucert_core.search.whitening import LocalNetwork

_ANGLES = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_RADII, _FARTHEST = 64, 1e3
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
    logits = local.values(points)[-1]
    own = logits[:, local.label].copy()
    logits[:, local.label] = -np.inf
    found = np.flatnonzero(logits.max(1) >= own)  # in order of the radii
    return points[found[0]] if len(found) else None


def next_to(near: np.ndarray) -> np.ndarray:
    """Points on a tiny circle around `near` (2,): where many faces meet, a walk from face to face may miss a region."""
    return near + _NEXT_TO * float(np.sqrt(near @ near)) * _CIRCLE
