"""Gradients with mean slopes: the way to a rival as a whole ball sees it, not as the attacked point alone does.

method: let every ReLU have, instead of the slope 0 or 1 that it has at the point, the share of its range that lies
    above 0. Over the ball of radius r an output z of the first layer ranges over z +- r |w|, w its row; so do those of
    later layers in the network with these slopes. The rows J of that network are never made: the length of J_i is
    estimated by the root mean square of J_i d over random directions d (the same in every call). The gradient of
    f_j - f_label with these slopes leads to hollows of the boundary in which no descent from the attacked point ends,
    because the margin is flat there or its gradient turns on the way.
guarantee: none of its own, a place to begin.
cost: a forward pass of 33 columns a point, and one backward pass.
"""

from __future__ import annotations

import torch

from relucert_core.attacks.problem import Problem
from relucert_core.forward import affine_layers, apply, carried, times
from relucert_core.layers.signs import rectified
from relucert_core.norms import unit_step
from relucert_core.region import backward_rows

_PROBES = 32


def directions_with_mean_slopes(problem: Problem, rivals: torch.Tensor, reach: torch.Tensor) -> torch.Tensor:
    """(B, R, D), each of length 1 or 0: towards rivals (B, R) by the mean slopes over balls of L2 radius reach (B,)."""
    layers = affine_layers(problem.net)
    last = layers[-1].weight
    rows = backward_rows(layers, _mean_slopes(problem, reach), last[rivals] - last[problem.labels].unsqueeze(1))
    rows = torch.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)
    return unit_step(rows.masked_fill(problem.blocked(problem.points, rows), 0.0), 2.0)


def _mean_slopes(problem: Problem, reach: torch.Tensor) -> list[torch.Tensor]:
    """For each hidden layer (B, outputs): the share of each output's range that lies above 0; 1 if it is carried."""
    generator = torch.Generator(device="cpu").manual_seed(0)
    probes = torch.randn(problem.net.inputs, _PROBES, generator=generator, dtype=torch.float64, device="cpu")
    hidden, columns = problem.points, probes.expand(len(problem.points), -1, -1)
    slopes = []
    for layer in affine_layers(problem.net)[:-1]:
        values, columns = apply(layer, hidden), times(layer, columns)
        ranges = reach.unsqueeze(-1) * columns.square().mean(-1).sqrt()
        share = ((values / torch.where(ranges > 0, ranges, 1.0) + 1) / 2).clamp(0.0, 1.0)
        share = torch.where(ranges > 0, share, (values > 0).to(share.dtype))
        through = carried(layer)
        slopes.append(share if through is None else torch.where(through, 1.0, share))
        hidden, columns = rectified(values, through), slopes[-1].unsqueeze(-1) * columns
    return slopes
