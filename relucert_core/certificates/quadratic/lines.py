"""From the outputs of a deeper layer down to the first layer's ReLUs, by lines whose slopes are improved for each row.

With A the coefficients on a layer's outputs, a lower bound takes under an open neuron with A > 0 a line lambda z, any
0 <= lambda <= 1, and over one with A < 0 the chord between its bounds. CROWN picks lambda by the neuron alone; here
each row has its own. The derivative of the row's bound by lambda is A times the value that z takes where the bound is
attained (the envelope theorem), and Adam's steps follow it. Sound whatever the slopes are: a line's loss at the centre
is computed from the slope that is used. Deviations from the centre and rounding as in `linear_pass`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.over_balls.linear_pass import Pass
from relucert_core.certificates.quadratic.first_layer import FirstLayer
from relucert_core.certificates.quadratic.memory import Start
from relucert_core.certificates.quadratic.moments import Moments, Proposal, worst_moments

_RATE, _CAREFUL, _FALL = 0.25, 0.075, 0.93  # of Adam's steps, from a start, and by how much they shrink each time
_MEMORY, _SQUARES = 0.7, 0.9
_FEW, _MANY = 8, 16  # steps of `worst_moments`: going on; from nothing, and at the end of that


@dataclass(frozen=True)
class Effort:
    """How often slopes are improved, from nothing (`steps`) and from a start (`more`); vectors: of a proposal."""

    steps: int
    more: int
    vectors: int


@dataclass(frozen=True, eq=False)
class Carried:
    """R lower bounds, brought down to sums of weights (R, n) over the first layer's ReLUs.

    The functional lies at most loss + doubt + (the maximum over the ball of minus the sum) below its value at the
    centre: loss (R,) is what the lines lose there, not rounded outward, doubt (R,) bounds all errors.
    """

    weights: torch.Tensor
    loss: torch.Tensor
    doubt: torch.Tensor
    passed: tuple[torch.Tensor, ...] = ()


def carry_to_first(state: Pass, rows: torch.Tensor, slopes: list[torch.Tensor]) -> Carried:
    """Bring functionals `rows` (R, N) of the last relaxed layer's outputs down; T = 1.

    slopes: for each relaxed layer after the first (R, n), the lambdas of its kept neurons; used where a neuron is open.
    passed: the coefficients met at these layers.
    """
    side = rows[:, state.layers[-1].kept]
    loss, doubt = side.new_zeros(len(side)), side.new_zeros(len(side))
    passed = []
    for depth in range(len(state.layers) - 1, 0, -1):
        layer, slope = state.layers[depth], slopes[depth - 1].clamp(0.0, 1.0)
        open_ = layer.lines.gap[0] > 0
        values = state.centre.forward.values[depth][state.index[0]][layer.kept]
        slope = torch.where(open_, slope, layer.lines.slope_below[0])
        under = torch.where(open_, torch.where(values > 0, (1 - slope) * values, -slope * values), 0.0)
        positive, negative = side.clamp(min=0.0), side.clamp(max=0.0).neg()
        loss = loss + (positive * under).sum(-1) + negative @ layer.lines.loss_above[0]
        doubt = doubt + side.abs() @ layer.doubt[0]
        passed.append(side)
        weight = state.centre.net.affine[depth].weight
        moved = positive * slope - negative * layer.lines.slope_above[0]
        side = moved @ weight[layer.kept.unsqueeze(-1), state.layers[depth - 1].kept]
    return Carried(side, loss, doubt + side.abs() @ state.layers[0].doubt[0], tuple(reversed(passed)))


def lowest(
    state: Pass, first: FirstLayer, rows: torch.Tensor, effort: Effort, start: Start | None = None
) -> tuple[Carried, tuple[torch.Tensor, ...], Proposal]:
    """`rows` (R, N) carried down by the best slopes that were found, these, and the proposal for minus the sums.

    start: from another ball, to go on from.
    """
    slopes = [layer.lines.slope_below.expand(len(rows), -1) for layer in state.layers[1:]]
    moments: Moments | None = None
    often, last, steps, rate = _MANY, _MANY, effort.steps, _RATE
    if start is not None:
        moments, often, last, steps, rate = start.moments, _FEW, _FEW, effort.more, _CAREFUL
        slopes = [torch.where(torch.isnan(old), new, old) for old, new in zip(start.slopes, slopes, strict=True)]
    if not slopes:
        carried = carry_to_first(state, rows, slopes)
        return carried, (), worst_moments(first, -carried.weights, often, vectors=effort.vectors, start=moments)
    climbers = [_Adam(slope, rate) for slope in slopes]
    best_slopes, best = slopes, torch.full_like(rows[:, 0], -torch.inf)
    for _ in range(steps + 1):
        carried = carry_to_first(state, rows, slopes)
        moments = worst_moments(first, -carried.weights, often, vectors=effort.vectors, start=moments)
        often = _FEW
        value = -(carried.loss + moments.value)
        better = (value > best).unsqueeze(-1)
        best_slopes = [torch.where(better, new, old) for new, old in zip(slopes, best_slopes, strict=True)]
        best = torch.maximum(best, value)
        steep = _derivatives(state, carried, slopes, moments.outputs)
        slopes = [climber.step(s, g) for climber, s, g in zip(climbers, slopes, steep, strict=True)]
    carried = carry_to_first(state, rows, best_slopes)
    return carried, tuple(best_slopes), worst_moments(first, -carried.weights, last, start=moments)


def _derivatives(
    state: Pass, carried: Carried, slopes: list[torch.Tensor], outputs: torch.Tensor
) -> list[torch.Tensor]:
    """The derivatives of R bounds by their slopes: coefficient times the neuron's value where they are attained."""
    found = []
    for depth, (layer, side, slope) in enumerate(zip(state.layers[1:], carried.passed, slopes, strict=True), start=1):
        own = state.centre.net.affine[depth]
        values = outputs @ own.weight[layer.kept.unsqueeze(-1), state.layers[depth - 1].kept].T + own.bias[layer.kept]
        open_ = layer.lines.gap[0] > 0
        found.append(torch.where(open_ & (side > 0), side * values, 0.0))
        middle = state.centre.forward.values[depth][state.index[0]][layer.kept]
        chord = middle.clamp(min=0.0) + layer.lines.loss_above[0] + layer.lines.slope_above[0] * (values - middle)
        below = torch.where(open_, slope, layer.lines.slope_below[0]) * values
        outputs = torch.where(open_ & (side < 0), chord, below)
    return found


class _Adam:
    """Adam's steps uphill for slopes (R, n) in [0, 1], each row scaled by its own mean derivative."""

    def __init__(self, slopes: torch.Tensor, rate: float) -> None:
        self.mean, self.square, self.count, self.rate = torch.zeros_like(slopes), torch.zeros_like(slopes), 0, rate

    def step(self, slopes: torch.Tensor, derivative: torch.Tensor) -> torch.Tensor:
        self.count += 1
        scale = derivative.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-300)
        scaled = derivative / scale
        self.mean = _MEMORY * self.mean + (1 - _MEMORY) * scaled
        self.square = _SQUARES * self.square + (1 - _SQUARES) * scaled.square()
        mean = self.mean / (1 - _MEMORY**self.count)
        size = (self.square / (1 - _SQUARES**self.count) + 1e-3).sqrt()
        return (slopes + self.rate * _FALL**self.count * mean / size).clamp(0.0, 1.0)
