"""A quadratic above a weighted sum of ReLUs: parabolas above the positive weights, lines below the negative ones.

With phi_j(s) = relu(A_j + s) - relu(A_j) and stored floats h_j >= 0 and e_j, the smallest k_j with
c_j phi_j(s) <= h_j s^2 + e_j s + k_j for all |s| <= rho_j is a maximum of concave parabolas, since relu(a) = max(0, a):

    c_j relu(A_j) + k_j = max over |s| <= rho_j of (-e_j s - h_j s^2)  and of  (c_j A_j + (c_j - e_j) s - h_j s^2).

Each is bounded by its tangent at any s_0: b s - h s^2 <= h s_0^2 + |b - 2 h s_0| rho. So h and e may come from
anywhere: the constant alone is proved, and rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, sum_above

_ROUNDINGS = 16 * UNIT_ROUNDOFF


@dataclass(frozen=True, eq=False)
class Quadratic:
    """sum over j of h_j s_j^2 + e_j s_j, plus a constant, above a weighted sum of ReLUs: for R sums over n neurons.

    curvature h >= 0 and slope e, (R, n), are exact as stored; constant (R,) >= 0 is rounded up.
    """

    curvature: torch.Tensor
    slope: torch.Tensor
    constant: torch.Tensor


def enclose(
    weights: torch.Tensor,
    values: torch.Tensor,
    reach: torch.Tensor,
    open_: torch.Tensor,
    half_widths: torch.Tensor,
    slopes: torch.Tensor,
) -> Quadratic:
    """A quadratic above sum of c_j (relu(A_j + s_j) - relu(A_j)) for all |s_j| <= reach_j, of R sums.

    weights c (R, n); values A (n,), exact as stored; reach (n,) >= 0. open_ (n,) bool: the others are on everywhere and
    count as c_j s_j. half_widths t (R, n): parabolas c (a + t)^2 / 4t where c > 0; where t is infinite a line of the
    given slope. slopes (R, n): lines c lambda a where c < 0, forced into [0, 1]. No choice of these two can make the
    answer wrong; a NaN among them makes it a NaN.
    """
    curved = open_ & (weights > 0)
    straight = open_ & ~curved
    curvature = torch.where(curved, weights / (4 * half_widths), 0.0).clamp(min=0.0)
    tangent = weights * ((values + half_widths) / (2 * half_widths))
    line = weights * slopes.clamp(0.0, 1.0)
    slope = torch.where(curved & ~torch.isinf(half_widths), tangent, torch.where(open_, line, weights))
    constants = torch.where(curved, _above_parabola(weights, values, reach, curvature, slope), 0.0)
    constants = torch.where(straight, _below_line(weights, values, slope), constants)
    return Quadratic(curvature, slope, sum_above(constants.sum(-1), constants.shape[-1] + 2))


def _above_parabola(
    weights: torch.Tensor, values: torch.Tensor, reach: torch.Tensor, curvature: torch.Tensor, slope: torch.Tensor
) -> torch.Tensor:
    """The k_j >= 0 of the module's docstring, rounded up; c_j relu(A_j) is taken off the branch that contains it."""
    level = weights * values.abs()
    off = _highest(-slope, curvature, reach)
    on = _highest(weights - slope, curvature, reach)
    over = torch.where(values > 0, on, off)
    under = torch.where(values > 0, off, on)
    less = under - level
    return torch.maximum(over, less + _ROUNDINGS * (under + level) + 16 * SMALLEST).clamp(min=0.0)


def _highest(slope: torch.Tensor, curvature: torch.Tensor, reach: torch.Tensor) -> torch.Tensor:
    """An upper bound on the largest b s - h s^2, |s| <= reach, for every b that rounds to `slope`."""
    best = torch.where(curvature > 0, slope / (2 * curvature), 0.0)
    best = torch.maximum(torch.minimum(best, reach), -reach)
    steep = 2 * curvature * best
    missing = (slope - steep).abs() + _ROUNDINGS * (slope.abs() + steep.abs())
    return (curvature * (best * best) + missing * reach) * (1 + _ROUNDINGS) + 16 * SMALLEST * (1 + reach + curvature)


def _below_line(weights: torch.Tensor, values: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """c relu(A + s) <= e (A + s) for c <= e <= 0, so the constant is e A - c relu(A) >= 0; rounded up."""
    steep = torch.where(values > 0, slope - weights, slope)
    return (steep * values).abs() * (1 + _ROUNDINGS) + 4 * SMALLEST
