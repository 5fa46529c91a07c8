"""Decoupled direction and norm (Rony et al., 2019): a small L2 attack in few gradients.

requires: any network; the steps make the L2 norm small, other norms are only measured.
returns: `Found`, points proved adversarial.
method: step along the gradient of the cross-entropy, then put the perturbation on a sphere around the
    attacked point, which shrinks by a few per cent after a change of class and grows after none. The step falls along a
    cosine. Where no point changed the class, begin again from the nearest start of another class, if starts were given.
guarantee: an upper bound on the distance to the nearest adversarial point.
cost: `steps` gradients.
deviations: float64; lengths are measured by the distance of the nearest plane of the local affine map, so that nothing
    depends on the scale of the inputs; the shrinking slows down as the step does; the answer is pulled back along the
    segment to where the class changes.
"""

from __future__ import annotations

import math

import torch

from relucert_core.attacks.deepfool import plane_step
from relucert_core.attacks.problem import Found, Problem, from_starts, nearer, settle, uphill
from relucert_core.deadline import late
from relucert_core.norms import row_norms, unit_step

_LAST_STEP = 0.01


def run_ddn(problem: Problem, *, steps: int = 100, shrink: float = 0.1) -> Found:
    """Attack by DDN with `steps` gradients; the sphere's radius changes by the share `shrink`, less and less."""
    _, scale = plane_step(problem, problem.points, 2.0)
    found = _settled(problem, problem.points, scale, steps, shrink)
    rows = (~found.success).nonzero().squeeze(1)
    if problem.starts is None or not len(rows):
        return found
    part = problem.take(rows)
    back = from_starts(part)
    size = row_norms(back.points - part.points, 2.0)
    back = nearer(part, back, _settled(part, back.points, size, steps, shrink))
    points, success = found.points.clone(), found.success.clone()
    points[rows], success[rows] = back.points, back.success
    return Found(points, success, (*found.way, points) if problem.path else ())


def _settled(problem: Problem, begin: torch.Tensor, scale: torch.Tensor, steps: int, shrink: float) -> Found:
    """`descend`, with what it finds pulled back and proved."""
    way: list[torch.Tensor] = []
    return settle(problem, descend(problem, begin, scale, steps=steps, shrink=shrink, way=way), way)


def descend(
    problem: Problem,
    begin: torch.Tensor,
    scale: torch.Tensor,
    *,
    steps: int,
    shrink: float = 0.1,
    rivals: torch.Tensor | None = None,
    way: list[torch.Tensor] | None = None,
) -> torch.Tensor:
    """DDN from `begin` (B, D) with first step and radius `scale` (B,): the nearest points with an excess above 0.

    Where none was met, or without a finite scale, the answer is the beginning. `rivals` (B,): the class that each
    descent aims at, see `uphill`. `way` receives the stations if the problem keeps a path.
    """
    rows = (torch.isfinite(scale) & torch.isfinite(problem.slack) & (scale > 0)).nonzero().squeeze(1)
    part, here, radius = problem.take(rows), begin[rows], scale[rows]
    aims = None if rivals is None else rivals[rows]
    best, best_size = begin.clone(), torch.full_like(scale, math.inf)
    for count in range(steps if len(rows) else 0):
        wave = _LAST_STEP + (1 - _LAST_STEP) * (1 + math.cos(math.pi * count / steps)) / 2
        if late():
            break
        gradient, excess = uphill(part, here, aims)
        size, crossed = row_norms(here - part.points, 2.0), excess > 0
        better = crossed & (size < best_size[rows])
        best[rows[better]], best_size[rows[better]] = here[better], size[better]
        if problem.path and way is not None:
            way.append(problem.points.index_copy(0, rows, here))
        change = shrink * max(wave, 0.1)
        radius = torch.where(crossed, radius * (1 - change), radius * (1 + change))
        offset = here - part.points + (wave * scale[rows]).unsqueeze(-1) * unit_step(gradient, 2.0)
        here = part.clip(part.points + radius.unsqueeze(-1) * unit_step(offset, 2.0))
    return best
