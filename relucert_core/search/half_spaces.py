"""The one proof rule: half-spaces aggregated with non-negative multipliers. Solvers propose, this module decides.

If g_i . y >= h_i holds on a target set for all i, then for any weights w >= 0 so does (sum w_i g_i) . y >= sum w_i h_i,
a half-space at distance sum w_i h_i / ||sum w_i g_i|| from the centre y = 0. Evaluated with rounding, that is a lower
bound on the norm of every point of the target set, whoever chose w. A distance beyond the radius proves the set empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma
from relucert_core.solvers import linear_program, nonnegative_least_squares

_HEAVIEST = 1e7
Proposer = Callable[[np.ndarray, np.ndarray], np.ndarray]


def propose_weights(rows: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Weights w (q,) >= 0 that make the aggregated half-space of {rows (q, m) . y >= levels (q,)} the farthest.

    Lawson and Hanson: the nearest point of the polyhedron follows from non-negative least squares on the matrix
    (rows^T; levels^T) against (0, ..., 0, 1). Nothing is promised about the answer.
    """
    matrix = np.concatenate([rows, levels[:, None]], axis=1).T
    target = np.zeros(len(matrix))
    target[-1] = 1.0
    answer = nonnegative_least_squares(matrix, target)
    return np.zeros(len(levels)) if answer is None else answer[0]


def propose_by_program(rows: np.ndarray, levels: np.ndarray, dual: float) -> tuple[np.ndarray, np.ndarray]:
    """The same for the norms 1 and inf by a linear program; also the nearest point y (m,) of the half-spaces.

    Maximises w . levels with ||sum w_i rows_i||_dual <= 1 and w bounded (it is not where nothing satisfies all
    half-spaces: large weights prove that). Nothing is promised about the answer.
    """
    count, size = rows.shape
    if dual == np.inf:
        matrix, upper = np.vstack([rows.T, -rows.T]), np.full(count, _HEAVIEST)
        limits, cost = np.ones(2 * size), -levels
    else:  # two more numbers for each coordinate: its positive and its negative part
        parts = np.hstack([-np.eye(size), np.eye(size)])
        matrix = np.vstack([np.hstack([rows.T, parts]), np.hstack([-rows.T, -parts]), np.ones((1, count + 2 * size))])
        matrix[-1, :count] = 0.0
        limits, cost = np.append(np.zeros(2 * size), 1.0), np.append(-levels, np.zeros(2 * size))
        upper = np.append(np.full(count, _HEAVIEST), np.full(2 * size, math.inf))
    answer = linear_program(cost, matrix, limits, upper)
    if answer is None:
        return np.zeros(count), np.zeros(size)
    weights, slopes = answer
    return weights[:count], slopes[:size] - slopes[size : 2 * size]


def farthest_aggregate(
    rows: np.ndarray, levels: np.ndarray, weights: np.ndarray, radius: float, dual: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Proven distance (B,) and direction (B, m) of the half-spaces rows (B, q, m) . y >= levels (B, q) aggregated.

    Every y with ||y|| <= radius in all the half-spaces has direction . y >= distance, and ||direction||_dual <= 1 (the
    norm of y is the one whose dual order is `dual`). A distance above the radius, at most twice that, says that there
    is no such y at all. A
    direction of 0 at distance 0 is the answer where the weights (B, q) prove nothing. Weights that are negative,
    infinite or NaN count as 0, and so do those of rows with a level that is not finite.

    Rounding: the coefficients of the sum err by at most gamma sum w |g|, which changes it by at most
    radius gamma sum w ||g|| within the ball; scaling the direction to length 1 errs by 4 u radius more.
    """
    usable = np.isfinite(weights) & (weights > 0) & np.isfinite(levels)
    weights = np.where(usable, weights, 0.0)
    weights = weights / np.maximum(weights.max(axis=1, keepdims=True, initial=0.0), SMALLEST)
    weights = np.where(np.isfinite(weights), weights, 0.0)
    levels = np.where(usable, levels, 0.0)
    total = np.einsum("bq,bqm->bm", weights, rows)
    reached = (weights * levels).sum(1)
    sizes = lengths_above(rows, dual)
    terms = rows.shape[1] + rows.shape[2] + 16
    loss = 4 * gamma(terms) * (weights * (np.abs(levels) + radius * sizes)).sum(1) + terms * (1 + radius) * SMALLEST
    size = lengths_above(total, dual)
    with np.errstate(all="ignore"):
        distance = (reached - loss) / size * (1 - 8 * UNIT_ROUNDOFF) - 16 * UNIT_ROUNDOFF * radius
        direction = total / size[:, None]
    good = (distance > 0) & np.isfinite(direction).all(1)
    return np.where(good, np.minimum(distance, 2 * radius), 0.0), np.where(good[:, None], direction, 0.0)


def lengths_above(rows: np.ndarray, dual: float) -> np.ndarray:
    """Upper bounds on the norms of order `dual` (1, 2 or inf) of rows as stored, (..., m) -> (...)."""
    if dual == np.inf:
        return np.abs(rows).max(-1)
    terms = rows.shape[-1] + 8
    if dual == 1:
        return np.abs(rows).sum(-1) * (1 + 2 * gamma(terms)) + SMALLEST
    # Squares of entries below 1e-154 may vanish: 1e-150 is more than they can add to the root of 1e6 of them.
    return np.sqrt(np.einsum("...m,...m->...", rows, rows)) * (1 + 2 * gamma(terms)) + 1e-150
