"""The frame that all methods share which bound the margins over a ball: centre, search, certificates."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from relucert_core.certificates.over_balls.bisection import (
    MOST_STEPS,
    SMALLEST_TRIAL,
    Found,
    MarginsAt,
    search_radius,
)
from relucert_core.certificates.over_balls.centre import Centre, centre
from relucert_core.certificates.result import LOWER_BOUND, OK, OVERFLOW, TIME, Certificate, Limit
from relucert_core.network import Network

_CHUNK_NUMBERS = 2**24
_FIRST_RATIO = 0.5


@dataclass(frozen=True, eq=False)
class BallMethod:
    """A method at work on the centres of one chunk.

    margins_at: lower bounds on the margins over balls, see `search_radius`. unlimited (B,) bool: where the method is
    proved to prove the prediction at every radius.
    """

    margins_at: MarginsAt
    unlimited: torch.Tensor


def certify_balls(
    name: str,
    net: Network,
    points: torch.Tensor,
    norm: float,
    labels: torch.Tensor | None,
    prepare: Callable[[Centre], BallMethod],
) -> list[Certificate]:
    """One certificate a point (B, D): the searched radius of the method that `prepare` sets up for a chunk of centres.

    Guarantee "lower bound": only radii that the method proved are returned. Ties and wrong predictions give 0, a
    method that never fails gives infinity. parts: "fails_at", a radius at most (1 + 1e-3) times the certified one at
    which the method fails (infinite: at none tried), and "trials", the number of radii tried.
    """
    size = max(1, _CHUNK_NUMBERS // max(1, net.outputs[min(1, len(net.outputs) - 1)] * net.inputs))
    result = []
    for part in [slice(start, start + size) for start in range(0, len(points), size)]:
        began = time.perf_counter()
        where = centre(net, points[part], norm, None if labels is None else labels[part])
        found, unlimited = _search(where, prepare)
        share = (time.perf_counter() - began) / len(where.points)
        certificates = [_certificate(name, where, found, unlimited, i) for i in range(len(where.points))]
        result += [replace(c, seconds=share) for c in certificates]
    return result


def _search(where: Centre, prepare: Callable[[Centre], BallMethod]) -> tuple[Found, torch.Tensor]:
    """The search over the centres whose prediction is proved and that have a limit."""
    count = len(where.points)
    method = prepare(where)
    unlimited = method.unlimited & where.margins.ok
    index = (where.margins.ok & ~unlimited).nonzero().squeeze(1)
    straight = where.local_distance[index]
    guess = torch.where(torch.isfinite(straight), _FIRST_RATIO * straight, 1.0)
    part = search_radius(
        lambda i, radii: method.margins_at(index[i], radii), where.gaps.amin(-1)[index], guess, straight
    )
    whole = Found(
        torch.zeros(count, dtype=torch.float64),
        torch.full((count,), torch.inf, dtype=torch.float64),
        torch.full((count,), -1),
        torch.zeros(count, dtype=torch.int64),
    )
    for full, values in zip(vars(whole).values(), vars(part).values(), strict=True):
        full[index] = values
    return whole, unlimited


def _certificate(name: str, where: Centre, found: Found, unlimited: torch.Tensor, i: int) -> Certificate:
    status = where.margins.status[i]
    radius = math.inf if unlimited[i] else float(found.proved[i])
    if status == OK and radius == 0:
        ended = found.fails_at[i] <= SMALLEST_TRIAL or found.trials[i] >= MOST_STEPS  # else its time was over
        status = OVERFLOW if ended else TIME
    rival = int(found.rival[i])
    searched = status == OK and not unlimited[i]
    return Certificate(
        method=name,
        norm=where.norm,
        radius=radius,
        guarantee=LOWER_BOUND,
        status=status,
        prediction=int(where.margins.prediction[i]),
        label=int(where.margins.label[i]),
        limit=Limit.decision(rival) if searched and rival >= 0 else None,
        parts={"fails_at": float(found.fails_at[i]), "trials": int(found.trials[i])} if searched else {},
    )
