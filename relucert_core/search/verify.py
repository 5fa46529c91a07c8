"""The field's question: is every input within eps read the same? Answered as soon as either side is proved."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from relucert_core.arrays import Norm, Numbers, Vector
from relucert_core.errors import InvalidInput
from relucert_core.network import Network, as_points
from relucert_core.norms import check_norm
from relucert_core.search import search
from relucert_core.search.ledger import SearchStep

ROBUST, BROKEN, UNKNOWN = "robust", "broken", "unknown"


@dataclass(frozen=True, eq=False)
class Verdict:
    """The answer to `verify`.

    answer: "robust" (no adversarial point within eps, the sphere included: lower > eps), "broken" (`witness`, (D,), is
    proved adversarial at a distance of at most eps), or "unknown" when the time was up first. lower, upper: the exact
    radius lies between them, both proved, in `norm`. seconds: the time spent.
    """

    answer: str
    eps: float
    norm: float
    lower: float
    upper: float
    witness: Vector | None
    seconds: float

    @property
    def robust(self) -> bool:
        """Is it proved that no adversarial point lies within eps?"""
        return self.answer == ROBUST


def verify(
    net: Network,
    x: Numbers,
    eps: float,
    norm: Norm = 2,
    label: int | None = None,
    *,
    max_seconds: float | None = None,
    starts: Numbers | None = None,
) -> Verdict:
    """Is every input within `eps` of x (D,) read as `label` (default: the prediction at x)?

    method: the anytime search (`exact` in norm 2, `neighbours` in the norms 1 and inf), ended as soon as its lower
    bound passes eps or a witness lies within eps. guarantee: both "robust" and "broken" are proved; ties count as
    adversarial. A tie or a wrong prediction at x is "broken" with x as its witness where that is proved, else unknown.
    Raises InvalidInput for an eps that is negative or not finite, or a bad point, label or budget.
    """
    if isinstance(eps, bool) or not isinstance(eps, (int, float, np.integer, np.floating)) or not 0 <= eps < math.inf:
        raise InvalidInput(f"eps must be a finite number of at least 0; {eps!r} came.")
    order, radius = check_norm(norm), float(eps)
    as_points(net, x)
    begun = time.perf_counter()
    method = "exact" if order == 2 else "neighbours"
    steps = search(net, x, order, method, label=label, starts=starts, max_seconds=max_seconds)
    last = _followed(steps, radius)
    answer = UNKNOWN
    if last.witness is not None and last.upper <= radius:
        answer = BROKEN
    elif last.lower > radius:
        answer = ROBUST
    witness = last.witness if answer == BROKEN else None
    return Verdict(answer, radius, order, last.lower, last.upper, witness, time.perf_counter() - begun)


def _followed(steps: Iterator[SearchStep], eps: float) -> SearchStep:
    """The first step that decides, else the last one."""
    step = None
    try:
        for step in steps:
            if step.lower > eps or (step.witness is not None and step.upper <= eps):
                break
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()
    assert step is not None  # a search yields its start at once
    return step
