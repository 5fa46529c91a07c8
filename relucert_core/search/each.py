"""A search for each point of a batch, run to its end, as certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from relucert_core.certificates.result import EXACT, LOWER_BOUND, OK, OVERFLOW, TIE, WRONG, Certificate, Limit
from relucert_core.forward import predicted, rival_logits
from relucert_core.network import Network
from relucert_core.search.ledger import EXACT_STATUS, NOWHERE, SearchStep
from relucert_core.words import down, up


def certify_each(
    name: str,
    start: Callable[[torch.Tensor, int], Iterator[SearchStep]],
    net: Network,
    points: torch.Tensor,
    norm: float,
    labels: torch.Tensor | None,
) -> list[Certificate]:
    """The last step of `start(point, label)` for each point (B, D), as a certificate."""
    predictions = predicted(net.logits(points))
    found = []
    for i, point in enumerate(points):
        label = int(predictions[i] if labels is None else labels[i])
        step, first = None, None
        for step in start(point, label):
            first = step if first is None else first
        assert step is not None
        assert first is not None
        found.append(_certificate(name, norm, int(predictions[i]), label, first, step, _limit(net, label, step)))
    return found


def _certificate(
    name: str, norm: float, prediction: int, label: int, first: SearchStep, last: SearchStep, limit: Limit | None
) -> Certificate:
    """The record of one search, with the first step's bound (the simplex certificate) among its parts."""
    decided = last.exact and last.status not in (TIE, WRONG, OVERFLOW)
    return Certificate(
        method=name,
        norm=norm,
        radius=last.lower,
        guarantee=EXACT if decided else LOWER_BOUND,
        status=described(last),
        prediction=prediction,
        label=label,
        limit=limit,
        witness=None if last.witness is None else np.array(last.witness),
        upper=last.upper,
        parts={"regions": last.regions, "simplex": first.lower},
        seconds=last.seconds,
    )


def _limit(net: Network, label: int, last: SearchStep) -> Limit | None:
    """The class that the nearest adversarial point known belongs to: the ball cannot grow past it. None without one."""
    if last.witness is None or last.status in (TIE, WRONG, OVERFLOW):
        return None
    logits = net.logits(torch.from_numpy(np.array(last.witness)).unsqueeze(0))
    return Limit.decision(int(rival_logits(logits, label).argmax()))


def described(step: SearchStep) -> str:
    """The status of a last step as a certificate prints it: "exact", or why the search ended and the interval."""
    if step.status in (OK, EXACT_STATUS, NOWHERE, TIE, WRONG, OVERFLOW):
        return step.status
    low, high = down(step.lower, 6, power="e"), up(step.upper, 6, power="e")
    return f"{step.status}: between {low} and {high}"
