"""A proposal for the parabolas: the worst random d in the ball, seen through means and variances alone.

Let d be random with E|d|^2 <= r^2. Of a neuron with mean m and variance v, E relu(a) <= (m + sqrt(m^2 + v)) / 2 and
E relu(a) >= max(0, m). The largest value that these allow for sum c_j relu(a_j) is the dual of the best quadratic
bound. With d = mean + y * sign, a fair sign and one vector y, m_j = A_j + w_j . mean and v_j = (w_j . y)^2; one vector
y was enough on all networks tried, and where it is not, the bound only gets weaker. The pair (mean, y) is moved to r
times the gradient's direction, again and again; for a positive c_j the function is convex, so that no step can lower
it. The lines' slopes under negative c_j move by Newton's step for their own neuron. Within the ball a_j also lies
between two bounds, so that E relu(a_j) is at most the chord's value at m_j as well; where that is less, the chord is
used. All vectors are combinations of the rows of W^(1), so that a step is two products with the Gram matrix.

Nothing here is proved or needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.quadratic.first_layer import FirstLayer

STEPS = 20
_SPREAD = 0.05  # the length of y at the start, in radii
_DAMPING = 0.5
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Proposal:
    """For R sums over n neurons: half_widths (R, n), infinite where a line is better; slopes (R, n); multiplier (R,).

    means, spreads (R, n): w_j . mean and w_j . y of the random point. outputs (R, n): the expected relu(a_j) that the
    moments allow. value (R,): the expected sum: what the proved bound should come close to.
    """

    half_widths: torch.Tensor
    slopes: torch.Tensor
    multiplier: torch.Tensor
    means: torch.Tensor
    spreads: torch.Tensor
    outputs: torch.Tensor
    value: torch.Tensor


def worst_moments(
    first: FirstLayer, weights: torch.Tensor, steps: int = STEPS, start: Proposal | None = None
) -> Proposal:
    """The worst moments for R sums of weights c (R, n) over the neurons of `first`.

    start: the moments of R similar sums, to go on from.
    """
    curved = first.open & (weights > 0)
    straight = first.open & ~curved
    stiffness = 2 * _DAMPING / (weights.abs() * first.norms.square() + _TINY)
    if start is None:
        slopes = torch.where(first.open, (first.values > 0).to(weights.dtype), 1.0)
        means, spreads = _start(first, weights * slopes, curved)
        multiplier = torch.zeros_like(means[:, :1])
    else:
        slopes, means, spreads = start.slopes, start.means, start.spreads
        multiplier = start.multiplier.unsqueeze(-1)
    low, high = first.values - first.reach, first.values + first.reach
    chord = high / (high - low)
    for step in range(steps + 1):
        middle = first.values + means
        widths = torch.sqrt(middle.square() + spreads.square()).clamp(min=_TINY)
        bent, lined = 0.5 * (middle + widths), chord * (middle - low)
        parabola = curved & (bent < lined)
        if step == steps:
            break
        moved = (slopes + stiffness * multiplier * middle).clamp(0.0, 1.0)
        slopes = torch.where(straight, moved, torch.where(parabola, bent / widths, torch.where(curved, chord, 1.0)))
        pull = weights * slopes
        push = torch.where(parabola, weights / (2 * widths) * spreads, 0.0)
        means, spreads = pull @ first.gram, push @ first.gram
        length = ((pull * means).sum(-1, keepdim=True) + (push * spreads).sum(-1, keepdim=True)).clamp(min=_TINY).sqrt()
        means, spreads = means * (first.radius / length), spreads * (first.radius / length)
        multiplier = length / (2 * first.radius)
    outputs = torch.where(straight, middle.clamp(min=0.0), torch.where(curved, torch.minimum(bent, lined), middle))
    value = (weights * (outputs - first.values.clamp(min=0.0))).sum(-1)
    widths = torch.where(curved & ~parabola, torch.inf, widths)
    return Proposal(widths, slopes, multiplier.squeeze(-1), means, spreads, outputs, value)


def _start(first: FirstLayer, pull: torch.Tensor, curved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """w_j . mean for a mean along the gradient at the centre, and w_j . y for a small y in any direction."""
    source = torch.Generator().manual_seed(0)
    push = torch.randn(pull.shape[-1], generator=source, dtype=pull.dtype) * curved
    found = []
    for rows, length in ((pull, 1.0), (push, _SPREAD)):
        along = rows @ first.gram
        size = (rows * along).sum(-1, keepdim=True).clamp(min=_TINY).sqrt()
        found.append(along * (length * first.radius / size))
    return found[0], found[1]
