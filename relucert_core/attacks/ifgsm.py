"""The iterative fast gradient sign method (Kurakin, Goodfellow and Bengio, 2016), the paper's upper bound.

requires: any network. returns: `Found`, points proved adversarial.
method: `steps` equal steps along the signs of the gradient of the cross-entropy, stopped where the class changes. The
    step size is doubled until that happens, then bisected; of all crossings the nearest one in the norm asked is kept
    and pulled back along the segment.
guarantee: an upper bound on the distance to the nearest adversarial point. Its steps make the Linf norm small.
cost: `rounds` times at most `steps` gradients.
deviations: the original has one fixed step size; the bisection makes the distance mean something in every norm.
"""

from __future__ import annotations

import math

import torch

from relucert_core.attacks.deepfool import plane_step
from relucert_core.attacks.problem import Found, Problem, settle, uphill
from relucert_core.deadline import late
from relucert_core.norms import row_norms


def run_ifgsm(problem: Problem, *, steps: int = 10, rounds: int = 10) -> Found:
    """Attack by the iterative fast gradient sign method: `rounds` walks of `steps` steps."""
    _, reach = plane_step(problem, problem.points, math.inf)
    active = torch.isfinite(reach) & torch.isfinite(problem.slack)
    reach = torch.where(active, reach, 0.0)
    low, high = torch.zeros_like(reach), torch.full_like(reach, math.inf)
    best, best_distance = problem.points.clone(), torch.full_like(reach, math.inf)
    way: list[torch.Tensor] = []
    for _ in range(rounds):
        if late():
            break
        ends, crossed = _walk(problem, reach / steps, steps, active)
        distance = torch.where(crossed, row_norms(ends - problem.points, problem.norm), math.inf)
        better = distance < best_distance
        best = torch.where(better.unsqueeze(-1), ends, best)
        best_distance = torch.where(better, distance, best_distance)
        high, low = torch.where(crossed, reach, high), torch.where(crossed, low, reach)
        reach = torch.where(torch.isfinite(high), (low + high) / 2, 2 * reach)
        if problem.path:
            way.append(ends)
    return settle(problem, best, way)


def _walk(problem: Problem, step: torch.Tensor, steps: int, active: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`steps` sign steps of size `step` (B,); the points reached (B, D) and whether the class changed there (B,)."""
    points, crossed = problem.points.clone(), torch.zeros_like(active)
    open_rows = active.nonzero().squeeze(1)
    for count in range(steps + 1):
        part, here = problem.take(open_rows), points[open_rows]
        rows, excess = uphill(part, here)
        crossed[open_rows] = excess > 0
        going = (excess <= 0) & rows.any(-1)
        moved = part.clip(here + step[open_rows].unsqueeze(-1) * rows.sign())
        open_rows = open_rows[going]
        if count == steps or not len(open_rows) or late():
            break
        points[open_rows] = moved[going]
    return points, crossed
