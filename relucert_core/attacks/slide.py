"""Slide along the decision boundary, from region to region, to where it is nearest.

requires: points at which another class leads. Any norm.
method: the boundary is piecewise flat. From a point on it, step towards the point of the local plane f_j = f_k that is
    nearest to the attacked point, over the faces of as many regions as lie on the way, then back onto the boundary
    along the ray from the attacked point. A step that gains nothing is halved.
guarantee: none of its own (a proposal, nearer than the beginning): `settle` proves the answer.
cost: for each turn one gradient and seven forward passes.
"""

from __future__ import annotations

import torch

from relucert_core.attacks.problem import STRONGEST, Problem, between, crossing, uphill
from relucert_core.deadline import late
from relucert_core.norms import dual, row_norms, unit_step

_PULLS = 4
_SHORTEST = 1e-2  # of a step
_GAIN = 1e-6  # of the distance, that makes a step worth while


def slide(problem: Problem, begin: torch.Tensor, turns: int) -> torch.Tensor:
    """Points (B, D) with an excess above 0, no farther from the attacked ones than `begin` (B, D), which has one too.

    A beginning without one stays where it is.
    """
    points, step = begin.clone(), torch.ones_like(problem.slack)
    strongest = torch.full_like(problem.labels, STRONGEST)
    rows = (problem.excess(begin) > 0).nonzero().squeeze(1)
    for _ in range(turns):
        if not len(rows) or late():
            break
        part, here = problem.take(rows), points[rows]
        ends = _towards_planes(part, here, *uphill(part, here, strongest[rows]), step[rows])
        near = between(part, ends, crossing(part, ends, _PULLS))
        before, after = (row_norms(place - part.points, problem.norm) for place in (here, near))
        gained = (after < before * (1 - _GAIN)) & (part.excess(near) > 0)
        points[rows[gained]] = near[gained]
        step[rows] = torch.where(gained, (2 * step[rows]).clamp(max=1.0), step[rows] / 2)
        rows = rows[step[rows] >= _SHORTEST]
    return points


def _towards_planes(
    problem: Problem, points: torch.Tensor, slope: torch.Tensor, excess: torch.Tensor, step: torch.Tensor
) -> torch.Tensor:
    """The share `step` (B,) of the way from the points (B, D) to the nearest points of their planes, then out again.

    slope (B, D), excess (B,): of the strongest rival at the points. "Out" is as far as the points are.
    """
    offset = points - problem.points
    steepness = row_norms(slope, dual(problem.norm))
    reach = ((slope * offset).sum(-1) - excess) / torch.where(steepness > 0, steepness, 1.0)
    tried = offset + step.unsqueeze(-1) * (reach.unsqueeze(-1) * unit_step(slope, problem.norm) - offset)
    size, length = row_norms(offset, problem.norm), row_norms(tried, problem.norm)
    return problem.clip(problem.points + tried * (size / torch.where(length > 0, length, 1.0)).unsqueeze(-1))
