"""Linear lower bounds of neurons and margins over target sets, by going back layer by layer (CROWN), rounded down.

A linear function of the outputs a = max(z, 0) of a layer becomes one of z: where its coefficient is negative, a is
replaced by a line that is proved above max(z, 0) on [lower, upper], where positive by slope z, slope in [0, 1].

**Rounding.** All points y of a target set have |z_i| <= size_i for every neuron, with proved `sizes` (`magnitudes`).
An error e in a coefficient therefore changes the function by at most |e| size. So errors of coefficients are not
carried along: each is turned at once into an error of the constant, gamma |coefficients| . sizes. The bound
constant + a . y <= function then holds with the rounded a, exactly as stored, for every y of the target set.

**Why there are two such passes.** `certificates.over_balls.linear_pass` (torch) bounds all of a batch of balls and
keeps another contract: its radius never exceeds the exact value of the method's own formula, so errors are measured by
how far neurons stray from the centre. Here (NumPy, whitened inputs, fixed signs, caps) only soundness on the set is
promised, and the linear function itself is needed as stored, for the half-space rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.deadline import check_time
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma
from relucert_core.search.local_network import LocalNetwork

_DOUBT = 1.01  # covers the rounding inside error bounds themselves: gamma is far below 1 %


@dataclass(frozen=True, eq=False)
class Lines:
    """For each neuron (B, N): slope and offset of a line above max(z, 0), slope of a line through 0 below it."""

    slope: np.ndarray
    offset: np.ndarray
    below: np.ndarray


def lines(lower: np.ndarray, upper: np.ndarray, carried: np.ndarray) -> Lines:
    """The lines for the bounds (B, N); the lower slope of an open neuron leaves the smaller area (CROWN-Ada).

    The slope of the upper line may be any number in [0, 1]: its offset is chosen such that both ends of the interval
    are covered, which covers the convex function between. Outputs that are carried (N,) are their own line.
    """
    on = (lower >= 0) | carried
    open_ = (upper > 0) & ~on
    width = upper - lower
    slope = np.where(open_, np.divide(upper, width, out=np.ones_like(upper), where=open_ & np.isfinite(width)), on)
    offset = np.maximum(-slope * lower, (1 - slope) * upper) * (1 + 8 * UNIT_ROUNDOFF) + SMALLEST
    return Lines(slope, np.where(open_, offset, 0.0), np.where(open_, upper > -lower, on).astype(np.float64))


def magnitudes(local: LocalNetwork, radius: float) -> list[np.ndarray]:
    """sizes of layers 1, ..., M: (N_k,) each, proven upper bounds on |z_i| and on |W| |a| + |b| over the whole ball."""
    norms = np.sqrt((local.first**2).sum(1)) * (1 + 2 * gamma(local.size + 4)) + SMALLEST
    sizes = [_DOUBT * (norms * radius + np.abs(local.offset) + local.offset_error) + SMALLEST]
    for weight, bias in zip(local.weights, local.biases, strict=True):
        sizes.append(_DOUBT * (np.abs(weight) @ sizes[-1] + np.abs(bias)) + len(bias) * SMALLEST)
    return sizes


@dataclass(frozen=True, eq=False)
class Ball:
    """A local network, the radius R within which adversarial points are looked for, and the `magnitudes` there."""

    local: LocalNetwork
    radius: float
    sizes: list[np.ndarray]

    @classmethod
    @np.errstate(all="ignore")  # overflow is dealt with where it counts
    def around(cls, local: LocalNetwork, radius: float) -> Ball:
        """The ball of `radius` around the point of `local`."""
        return cls(local, radius, magnitudes(local, radius))


def linear_bounds(
    ball: Ball, relaxed: Lines, rows: np.ndarray, constants: np.ndarray, node: np.ndarray, layer: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Linear lower bounds in y of functions rows . a^(layer) + constants over the target sets of their nodes.

    rows: (P, N_layer); constants: (P,); node: (P,) indexes the batch of `relaxed`; layer counts from 1.
    Returns a (P, m), c (P,) and the coefficients (P, N_k) of a^(k) met on the way down, k = layer, ..., 1:
    a . y + c <= rows . a^(layer) + constants on the target set, with the rounding counted in c.
    """
    local = ball.local
    weights, biases = (local.first, *local.weights), (local.offset, *local.biases)
    total, error, met = constants, np.abs(constants), []
    absolute = np.zeros((len(rows), len(local.offset)))
    for k in range(layer, 0, -1):
        check_time()
        part = local.slices[k - 1]
        met.append(rows)
        lifted = np.einsum("pn,pn->p", np.minimum(rows, 0.0), relaxed.offset[:, part][node])
        rows = rows * np.where(rows < 0, relaxed.slope[:, part][node], relaxed.below[:, part][node])
        absolute = np.abs(rows)
        error = error - lifted + absolute @ ball.sizes[k - 1]
        total = total + lifted + rows @ biases[k - 1]
        rows = rows @ weights[k - 1]
    error *= _DOUBT * 2 * gamma(max(map(len, ball.sizes)) + local.size + 8 * layer)
    error += absolute @ local.offset_error * _DOUBT
    tiny = 4 * layer * SMALLEST * sum(float(sizes.sum()) + len(sizes) for sizes in ball.sizes)
    return rows, total - error - UNIT_ROUNDOFF * 4 * np.abs(total) - tiny, met
