"""Many descents: DDN towards each rival from several beginnings, then a slide along the boundary from the nearest ends.

requires: any network; the descents make the L2 norm small, the slides the norm asked.
returns: `Found`, points proved adversarial.
method: a single descent ends in one of many hollows of the boundary. The descents aim at one rival each, those with the
    nearest planes first. The first ones start at the distance of the nearest point known, in the rivals' directions by
    mean slopes over that ball (`mean_slopes`); the next ones at the attacked point; the rest in random directions (the
    same for every point, so that no answer depends on its neighbours in a batch) at that distance.
guarantee: an upper bound on the distance to the nearest adversarial point. Deterministic.
cost: for each descent `steps` gradients and a slide; all of them in one batch, for norm 2 in the span of the first
    layer's rows.
"""

from __future__ import annotations

import math

import torch

from relucert_core.attacks.ddn import descend
from relucert_core.attacks.first_span import in_first_span
from relucert_core.attacks.mean_slopes import directions_with_mean_slopes
from relucert_core.attacks.problem import Found, Problem, rival_planes, settle
from relucert_core.attacks.slide import slide
from relucert_core.norms import row_norms, unit_step

_MOST, _FEWEST = 16, 5
_WORK = 1_600_000  # weights that one step of all the descents of a point may touch
_SLIDES, _TURNS = 8, 16  # from the nearest so many ends


def run_descents(problem: Problem, known: Found, *, steps: int, descents: int | None = None) -> Found:
    """The nearest end of so many descents, or of a slide from the `known` points.

    descents: by default as many as suit the network's size, between 5 and 16.
    """
    span = in_first_span(problem)
    if span is None:
        return settle(problem, _nearest_end(problem, known.points, steps, descents), [])
    begin = span.problem.points + (known.points - problem.points) @ span.basis
    return settle(problem, span.lift(_nearest_end(span.problem, begin, steps, descents)), [])


def _nearest_end(problem: Problem, known: torch.Tensor, steps: int, descents: int | None) -> torch.Tensor:
    """The nearest (B, D) of the ends of slides, from the nearest of the known points and of the ends of descents."""
    count = descents or min(_MOST, max(_FEWEST, _WORK // sum(layer.entries for layer in problem.net.layers)))
    lengths, order = _plane_distances(problem).sort(-1)
    rivals = order[:, : min(count, problem.net.classes - 1)]
    reach = row_norms(known - problem.points, 2.0)
    reach = torch.where(reach > 0, reach, torch.nan_to_num(lengths[:, 0], posinf=0.0))
    aims = rivals.repeat(1, -(-count // rivals.shape[1]))[:, :count]  # each of the three kinds of beginnings in turn
    part = _repeated(problem, count)
    begin = part.clip(part.points + _offsets(problem, rivals, reach, count).flatten(0, 1))
    scales = lengths[:, :1].expand(-1, count).flatten()
    ends = descend(part, begin, scales, steps=steps, rivals=aims.flatten()).view(len(known), count, -1)
    return _nearest_slid(problem, torch.cat([known.unsqueeze(1), ends], 1))


def _offsets(problem: Problem, rivals: torch.Tensor, reach: torch.Tensor, count: int) -> torch.Tensor:
    """(B, count, D): where descents begin, seen from the points: towards rivals (B, R) by mean slopes; 0; around."""
    mean = directions_with_mean_slopes(problem, rivals, reach)
    still = torch.zeros_like(mean)[:, : count - mean.shape[1]]
    around = _directions(max(0, count - 2 * mean.shape[1]), problem.net.inputs).expand(len(mean), -1, -1)
    return reach.view(-1, 1, 1) * torch.cat([mean, still, around], 1)


def _plane_distances(problem: Problem) -> torch.Tensor:
    """(B, K): the L2 distances of the rivals' planes at the points; infinite at the label and without a gradient."""
    gaps, rows = rival_planes(problem, problem.points)
    sizes = row_norms(rows, 2.0)
    usable = (sizes > 0) & torch.isfinite(sizes)
    aims = gaps.clamp(min=0.0) + 2 * problem.slack.unsqueeze(-1)
    lengths = torch.where(usable, aims / torch.where(usable, sizes, 1.0), math.inf)
    return torch.nan_to_num(lengths, nan=math.inf, posinf=math.inf)


def _directions(count: int, inputs: int) -> torch.Tensor:
    """(count, inputs): random directions of length 1, the same in every call."""
    generator = torch.Generator(device="cpu").manual_seed(0)
    return unit_step(torch.randn(count, inputs, generator=generator, dtype=torch.float64, device="cpu"), 2.0)


def _nearest_slid(problem: Problem, begin: torch.Tensor) -> torch.Tensor:
    """The nearest (B, D) of the ends of slides from the nearest of the points `begin` (B, R, D)."""
    order = _sizes(problem, begin).argsort(-1)[:, :_SLIDES]
    begin = begin.gather(1, order.unsqueeze(-1).expand(-1, -1, begin.shape[2]))
    ends = slide(_repeated(problem, begin.shape[1]), begin.flatten(0, 1), _TURNS).view(begin.shape)
    best = _sizes(problem, ends).argmin(-1)
    return ends[torch.arange(len(ends)), best]


def _sizes(problem: Problem, points: torch.Tensor) -> torch.Tensor:
    """(B, R): the distances of points (B, R, D) in the norm asked, infinite where the class has not changed."""
    part, flat = _repeated(problem, points.shape[1]), points.flatten(0, 1)
    sizes = row_norms(flat - part.points, problem.norm)
    return torch.where(part.excess(flat) > 0, sizes, math.inf).view(points.shape[:2])


def _repeated(problem: Problem, count: int) -> Problem:
    """Every point `count` times, in turn."""
    return problem.take(torch.arange(len(problem.points)).repeat_interleave(count))
