"""Where both searches start: the cheap certificates below, the attacks above."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from relucert_core.attacks import attack
from relucert_core.certificates.linear_bounds import ENTRIES
from relucert_core.certificates.margins import margins
from relucert_core.certificates.result import OK
from relucert_core.certificates.simplex import simplex
from relucert_core.forward import proven_forward
from relucert_core.search.ledger import SEARCHING, Ledger, SearchStep

_CROWN = next(entry for entry in ENTRIES if entry.name == "crown-ada")
# What a method takes, in forward passes of one point and fixed seconds: generous guesses that keep budgets.
_COST = {"crown-ada": (150, 0.05), "best": (700, 0.15), "deepfool": (150, 0.02)}
_SHARE = 0.5  # of the time left that the best attack may take; else DeepFool alone has to do


def first_step(ledger: Ledger) -> SearchStep:
    """The simplex certificate as the first step; a tie, a wrong prediction or an overflow ends the search here."""
    points = ledger.point.unsqueeze(0)
    found = margins(proven_forward(ledger.net, points), ledger.labels)
    status = found.status[0]
    if status != OK:
        ledger.offer(points)
        return ledger.step(status)
    certificate = simplex(ledger.net, points, norm=ledger.norm, labels=ledger.labels)[0]
    ledger.raise_lower(certificate.radius)
    ledger.offer_array(certificate.witness)
    return ledger.step(SEARCHING)


def expected_seconds(ledger: Ledger, method: str) -> float:
    """What a method will take about, from the time of a forward pass."""
    begun = time.perf_counter()
    for _ in range(3):
        ledger.net.logits(ledger.point.unsqueeze(0))
    passes, fixed = _COST[method]
    return passes * (time.perf_counter() - begun) / 3 + fixed


def linear_step(ledger: Ledger) -> Iterator[SearchStep]:
    """CROWN-Ada as a step, if there is time."""
    if not ledger.stopped(seconds=expected_seconds(ledger, "crown-ada"), regions=0):
        certificate = _CROWN.run(ledger.net, ledger.point.unsqueeze(0), norm=ledger.norm, labels=ledger.labels)[0]
        ledger.raise_lower(certificate.radius)
        yield ledger.step()


def attack_step(ledger: Ledger, starts: Any, method: str) -> Iterator[SearchStep]:
    """An attack as a step, if there is time; DeepFool in place of `best` where the time is short."""
    left = ledger.max_seconds - ledger.seconds
    if method == "best" and expected_seconds(ledger, "best") > _SHARE * left:
        method = "deepfool"
    if expected_seconds(ledger, method) > left:
        return
    found = attack(ledger.net, ledger.point, method, ledger.norm, label=ledger.label, starts=starts)
    if found.success:
        ledger.offer_array(found.point)
    yield ledger.step()
