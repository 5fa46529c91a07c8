"""DeepFool (Moosavi-Dezfooli, Fawzi and Frossard, 2016): walk to the nearest decision plane of the local affine map.

requires: any network. Its steps make the norm asked small, whichever it is.
returns: `Found`, points proved adversarial.
method: at x, f_j - f_k is replaced by its linear form; of all rivals j take the one whose plane is nearest, at distance
    |f_k - f_j| / ||grad(f_j - f_k)||_dual, step onto its plane in the norm asked, 2 % farther than needed, and look
    again. The point is then pulled back along the segment to where the class changes.
guarantee: an upper bound on the distance to the nearest adversarial point.
cost: one backward pass for each class a step, seldom more than 5 steps (in L1 more: a step changes one input).
deviations: the last point is pulled back, which takes the overshoot away. L1 steps, which the authors do not give,
    follow the same rule. In a box, steps are cut at its edge, as usual; after 5 steps (in L1 at once) inputs at the
    edge count as fixed, so that the rest makes up for them.
"""

from __future__ import annotations

import math

import torch

from relucert_core.attacks.problem import Found, Problem, rival_planes, settle
from relucert_core.deadline import late
from relucert_core.norms import dual, row_norms, unit_step

_CUT_STEPS = 5


def run_deepfool(problem: Problem, *, steps: int = 50, overshoot: float = 0.02) -> Found:
    """Attack by DeepFool; at most `steps` linearisations a point, each overshot by the share `overshoot`."""
    points = problem.points.clone()
    way: list[torch.Tensor] = []
    open_rows = torch.isfinite(problem.slack).nonzero().squeeze(1)
    for turn in range(steps):
        if not len(open_rows) or late():
            break
        part, here = problem.take(open_rows), points[open_rows]
        patient = problem.bounds is not None and problem.norm != 1 and turn < _CUT_STEPS
        step, length = plane_step(part, here, problem.norm, block=not patient)
        # Overshooting every step is the authors' x_0 + (1 + overshoot) (sum of the steps).
        moved = part.clip(here + (1 + overshoot) * step)
        going = torch.isfinite(length) & torch.isfinite(moved).all(-1) & (moved != here).any(-1)
        points[open_rows[going]] = moved[going]
        open_rows = open_rows[(going | patient) & ~(part.excess(points[open_rows]) > 0)]
        if problem.path:
            way.append(points.clone())
    return settle(problem, points, way)


def plane_step(
    problem: Problem, points: torch.Tensor, order: float, *, block: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """The step (B, D) from the points onto the nearest rival's plane in the norm `order`, and its length (B,).

    The length is infinite, and the step zero, where every gradient is zero. `block`: leave inputs at the edge of the
    box alone that would be moved out of it.
    """
    gaps, rows = rival_planes(problem, points, block=block)
    sizes = row_norms(rows, dual(order))
    aims = gaps.clamp(min=0.0) + 2 * problem.slack.unsqueeze(-1)
    usable = (sizes > 0) & torch.isfinite(sizes)
    lengths = torch.where(usable, aims / torch.where(usable, sizes, 1.0), math.inf)
    length, rival = torch.nan_to_num(lengths, nan=math.inf).min(-1)
    row = rows.gather(1, rival.view(-1, 1, 1).expand(-1, 1, rows.shape[-1])).squeeze(1)
    finite = torch.where(torch.isfinite(length), length, 0.0)
    return finite.unsqueeze(-1) * unit_step(torch.nan_to_num(row), order), length
