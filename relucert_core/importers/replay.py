"""Points on which a network that was read must agree with its source, and how closely."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from relucert_core.errors import InvalidInput

POINTS = 32
TOLERANCE = 1e-9


def sample_points(inputs: int, real: np.ndarray | None = None) -> np.ndarray:
    """(n, D): a third uniform in [0, 1], a third Gaussian of deviation 1, a third of deviation 10, and real points."""
    draw = np.random.default_rng(0)
    third = POINTS // 3
    parts = [
        draw.random((POINTS - 2 * third, inputs)),
        draw.standard_normal((third, inputs)),
        10 * draw.standard_normal((third, inputs)),
    ]
    if real is not None and len(real):
        parts.append(np.asarray(real[:POINTS], dtype=np.float64).reshape(-1, inputs))
    return np.concatenate(parts)


def largest_difference(
    ours: Callable[[np.ndarray], np.ndarray], source: Callable[[np.ndarray], np.ndarray], points: np.ndarray
) -> float:
    """The largest relative difference between two networks on points; InvalidInput where it exceeds the tolerance.

    A difference counts relative to the largest score of its point, or to the median of those over all points where
    that is larger.
    """
    mine, theirs = ours(points), source(points)
    if mine.shape != theirs.shape:
        raise InvalidInput(f"The source gives scores of shape {theirs.shape[1:]}; {mine.shape[1:]} were read.")
    if not np.isfinite(theirs).all():
        raise InvalidInput("The source gives NaN or infinity on sample points: it is no network of real numbers.")
    sizes = np.abs(theirs).max(axis=1)
    scale = np.maximum(sizes, np.median(sizes))
    relative = np.abs(mine - theirs).max(axis=1) / np.where(scale > 0, scale, 1.0)
    worst = float(relative.max())
    if not worst <= TOLERANCE:
        raise InvalidInput(
            f"The network as read differs from its source by {worst:.1e} of the scores on sample points (at most "
            f"{TOLERANCE:.0e} is accepted): it is not read."
        )
    return worst
