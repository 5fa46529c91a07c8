"""What all attacks share: the question, the way uphill, and the proof of the answer.

An attack proposes points; `settle` pulls each back towards the attacked point and keeps it only when it is proved
adversarial. Whatever a search does, its answer is therefore an upper bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from relucert_core.forward import (
    activation_masks,
    affine_layers,
    at_label,
    hidden_values,
    predicted,
    proven_forward,
    rival_logits,
)
from relucert_core.network import Network
from relucert_core.region import backward_rows
from relucert_core.rounding import distance_above
from relucert_core.witness import PUSHES, proved_adversarial

STRONGEST = -1
_PULLS = 18
_HALVINGS = 50


@dataclass(frozen=True, eq=False)
class Problem:
    """A batch to attack: points (B, D) and labels (B,) of a network, the norm asked, the box and the starts.

    slack: (B,) twice the proven error of a difference of logits at the points: a margin that makes a proof likely.
    starts: (S, D) points from which to come back, or None. path: whether to keep the way to the answer.
    """

    net: Network
    points: torch.Tensor
    labels: torch.Tensor
    norm: float
    bounds: tuple[float, float] | None
    slack: torch.Tensor
    starts: torch.Tensor | None = None
    path: bool = False

    def take(self, rows: torch.Tensor) -> Problem:
        """The same problem for some of its points: an index or a mask."""
        return replace(self, points=self.points[rows], labels=self.labels[rows], slack=self.slack[rows])

    def clip(self, points: torch.Tensor) -> torch.Tensor:
        """The points (B, D) moved into the box, if there is one."""
        return points if self.bounds is None else points.clamp(*self.bounds)

    def blocked(self, points: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """Where a step along `directions` (B, ..., D) from the points (B, D) would leave the box at once."""
        if self.bounds is None:
            return torch.zeros_like(directions, dtype=torch.bool)
        points = points.view(len(points), *[1] * (directions.ndim - 2), -1)
        return ((points <= self.bounds[0]) & (directions < 0)) | ((points >= self.bounds[1]) & (directions > 0))

    def excess(self, points: torch.Tensor) -> torch.Tensor:
        """(B,): the largest f_j - f_label less the slack, at points (B, D); above 0 the class has changed."""
        return self.excess_of(self.net.logits(points))

    def excess_of(self, logits: torch.Tensor) -> torch.Tensor:
        """The same from logits (B, K); minus infinity where a number is not finite."""
        rivals = rival_logits(logits, self.labels).amax(-1)
        return torch.nan_to_num(
            rivals - logits.gather(1, self.labels.view(-1, 1)).squeeze(1) - self.slack, -math.inf, -math.inf
        )


@dataclass(frozen=True, eq=False)
class Found:
    """points (B, D), success (B,): proved adversarial; way: its stations, (B, D) each, if they were asked for.

    Where success is False the point is the attacked one.
    """

    points: torch.Tensor
    success: torch.Tensor
    way: tuple[torch.Tensor, ...] = ()


def make_problem(
    net: Network,
    points: torch.Tensor,
    labels: torch.Tensor | None,
    norm: float,
    bounds: tuple[float, float] | None = None,
    *,
    starts: torch.Tensor | None = None,
    path: bool = False,
) -> Problem:
    """The problem for checked float64 points (B, D); labels None means the predicted classes."""
    forward = proven_forward(net, points)
    logits, errors = forward.values[-1], forward.errors[-1]
    labels = predicted(logits) if labels is None else labels
    slack = 4 * torch.nan_to_num(errors, nan=math.inf).amax(-1)
    return Problem(net, points, labels, norm, bounds, slack, starts, path)


def uphill(
    problem: Problem, points: torch.Tensor, rivals: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The direction (B, D) in which the cross-entropy of the label grows fastest, and the excess (B,), at the points.

    `rivals` (B,) names for each point the one class j whose f_j - f_label is to grow instead; STRONGEST for the one
    that leads the others there.

    The gradient is sum_j p_j (grad f_j - grad f_k) over the rivals j. Their softmax weights stand for the p_j, which
    differ by one positive factor: so the direction survives where 1 - p_k would round to 0. Moves that the
    box blocks are 0.
    """
    layers = affine_layers(problem.net)
    values = hidden_values(layers, points)
    others = rival_logits(values[-1], problem.labels)
    if rivals is None:
        weights = torch.nan_to_num(torch.softmax(others, -1), nan=0.0)
    else:
        chosen = torch.where(rivals == STRONGEST, others.argmax(-1), rivals)
        weights = torch.zeros_like(others).scatter(-1, chosen.unsqueeze(-1), 1.0)
    weights = at_label(weights, problem.labels, -1.0)
    rows = backward_rows(layers, activation_masks(layers, values), (weights @ layers[-1].weight).unsqueeze(1)).squeeze(
        1
    )
    rows = torch.nan_to_num(rows, nan=0.0)
    return rows.masked_fill(problem.blocked(points, rows), 0.0), problem.excess_of(values[-1])


def rival_planes(problem: Problem, points: torch.Tensor, *, block: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """The gaps f_k - f_j (B, K) and the gradients of f_j - f_k (B, K, D) at the points; k is the label.

    The label's own row is zero; so are moves that the box blocks, if `block`.
    """
    layers, index = affine_layers(problem.net), problem.labels.view(-1, 1)
    values = hidden_values(layers, points)
    last = layers[-1].weight
    rows = backward_rows(
        layers, activation_masks(layers, values), last.unsqueeze(0) - last[problem.labels].unsqueeze(1)
    )
    rows = rows.masked_fill(problem.blocked(points, rows), 0.0) if block else rows
    return values[-1].gather(1, index) - values[-1], rows


def settle(problem: Problem, candidates: torch.Tensor, way: list[torch.Tensor] | None = None) -> Found:
    """The proved adversarial points nearest to the attacked ones on the segments to the candidates (B, D).

    The excess is piecewise linear along a segment, so halving and interpolation take turns. Any crossing will do: it
    need not be the first one. A candidate whose class has changed as computed, or seems short of that by no more than
    the slack, is pushed outward until that is proved; one that cannot be proved is a failure.
    """
    candidates = torch.where(torch.isfinite(candidates), problem.clip(candidates), problem.points)
    candidates, success = _proved_ends(problem, candidates)
    points = problem.points.clone()
    rows = success.nonzero().squeeze(1)
    if len(rows):
        part, ends = problem.take(rows), candidates[rows]
        share = crossing(part, ends)
        ties = ~(part.excess(ends) > 0)
        if ties.any():
            share[ties] = _first_tie(part.take(ties.nonzero().squeeze(1)), ends[ties])
        points[rows] = _nearest_proved(part, ends, share, ties)
    stations = (problem.points, *way, points) if problem.path and way is not None else ()
    return Found(points, success, stations)


def _proved_ends(problem: Problem, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The ends (B, D), those whose class may have changed pushed outward until it is proved; and which are proved (B,).

    The error of the logits may be larger at an end than at the attacked point, where the slack was taken. An end that
    was across in other coordinates (`first_span`) may fall short in these by rounding alone, where the margin is flat.
    """
    success = proved_adversarial(problem.net, ends, problem.labels, rational=True)
    open_rows = (~success & (problem.excess(ends) >= -problem.slack)).nonzero().squeeze(1)
    if not len(open_rows):
        return ends, success
    ends, success = ends.clone(), success.clone()
    for push in PUSHES[1:]:
        part = problem.take(open_rows)
        tried = part.clip(part.points + (1 + push) * (ends[open_rows] - part.points))
        proved = proved_adversarial(problem.net, tried, part.labels)
        ends[open_rows[proved]], success[open_rows[proved]] = tried[proved], True
        open_rows = open_rows[~proved]
        if not len(open_rows):
            break
    return ends, success


def between(problem: Problem, ends: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """The points at `share` (B,) of the way from the attacked points to `ends` (B, D), inside the box; ends at 1."""
    share = share.unsqueeze(-1)
    inner = problem.clip(problem.points + share * (ends - problem.points))
    return torch.where(share < 1, inner, ends)


def crossing(problem: Problem, ends: torch.Tensor, pulls: int = _PULLS) -> torch.Tensor:
    """(B,): shares of the way to `ends` at which the excess is above 0, a little beyond a place where it is 0.

    Where it is not above 0 at the end itself the answer means nothing.
    """
    low, high = torch.zeros_like(problem.slack), torch.ones_like(problem.slack)
    below_zero = problem.excess(problem.points).clamp(max=0.0)
    above_zero = problem.excess(ends).clamp(min=0.0)
    for turn in range(pulls):
        share = (low + high) / 2
        if turn % 2:
            rise = above_zero - below_zero
            exact = low + (high - low) * (-below_zero / torch.where(rise > 0, rise, 1.0))
            inner = torch.isfinite(exact) & (exact > low) & (exact < high)
            # Just beyond the root, so that it ends the bracket from above.
            share = torch.where(inner, exact + 1e-6 * (high - exact), share)
        value = problem.excess(between(problem, ends, share))
        crossed = value > 0
        high, above_zero = torch.where(crossed, share, high), torch.where(crossed, value, above_zero)
        low, below_zero = torch.where(crossed, low, share), torch.where(crossed, below_zero, value)
    return high


def _first_tie(problem: Problem, ends: torch.Tensor) -> torch.Tensor:
    """(B,): shares of the way to ends that only tie, by halving, at which another class has caught up as computed."""
    low, high = torch.zeros_like(problem.slack), torch.ones_like(problem.slack)
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        caught = problem.excess(between(problem, ends, share)) >= -problem.slack
        high, low = torch.where(caught, share, high), torch.where(caught, low, share)
    return high


def _nearest_proved(problem: Problem, ends: torch.Tensor, share: torch.Tensor, ties: torch.Tensor) -> torch.Tensor:
    """The points (B, D) at `share` of the way, pushed outward until proved adversarial; `ends` are proved already.

    Without rounding only where the end no more than ties (B,): elsewhere the next push, by 1e-13, costs far less.
    """
    points, open_rows = ends.clone(), torch.arange(len(ends))
    for push in PUSHES:
        part = problem.take(open_rows)
        tried = between(part, ends[open_rows], (share[open_rows] * (1 + push)).clamp(max=1.0))
        proved, tied = proved_adversarial(problem.net, tried, part.labels), ties[open_rows]
        if tied.any():
            proved[tied] = proved_adversarial(problem.net, tried[tied], part.labels[tied], rational=True)
        points[open_rows[proved]] = tried[proved]
        open_rows = open_rows[~proved]
        if not len(open_rows):
            break
    return points


def from_starts(problem: Problem) -> Found:
    """For each point the nearest start where another class leads or ties, pulled back along the segment.

    Fails where there is no such start. `problem.starts` must be given.
    """
    assert problem.starts is not None
    starts = problem.starts
    logits = torch.nan_to_num(problem.net.logits(starts), nan=-math.inf)
    (first, second), (leader, _) = (part.unbind(-1) for part in logits.topk(2))
    strongest = torch.where(leader.unsqueeze(1) == torch.arange(logits.shape[1]), second[:, None], first[:, None])
    distances = torch.cdist(problem.points, starts, p=problem.norm)
    distances = distances.masked_fill((logits > strongest).T[problem.labels], math.inf)
    nearest = distances.argmin(-1)
    return settle(problem, starts[nearest], [])


def nearer(problem: Problem, first: Found, second: Found) -> Found:
    """Point by point, the success at the smaller distance in the norm asked (the first one when equal)."""
    better = distances_of(problem, second) < distances_of(problem, first)
    points = torch.where(better.unsqueeze(-1), second.points, first.points)
    way: tuple[torch.Tensor, ...] = ()
    if problem.path:
        way = _merged_ways(first.way, second.way, better)
    return Found(points, first.success | second.success, way)


def distances_of(problem: Problem, found: Found) -> torch.Tensor:
    """(B,): the distances of the points found, in the norm asked, rounded up; infinite after a failure."""
    distances = distance_above(found.points, problem.points, problem.norm)
    return torch.where(found.success, torch.nan_to_num(distances, nan=math.inf), math.inf)


def _merged_ways(
    first: tuple[torch.Tensor, ...], second: tuple[torch.Tensor, ...], take_second: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Station by station the first way or the second; the shorter one waits at its end."""
    if not first or not second:
        return first or second
    count, mask = max(len(first), len(second)), take_second.unsqueeze(-1)
    return tuple(
        torch.where(mask, second[min(i, len(second) - 1)], first[min(i, len(first) - 1)]) for i in range(count)
    )


def already_adversarial(problem: Problem) -> torch.Tensor:
    """(B,) bool: is the attacked point itself adversarial (a tie, or a wrong prediction against the given label)?"""
    return proved_adversarial(problem.net, problem.points, problem.labels, rational=True)
