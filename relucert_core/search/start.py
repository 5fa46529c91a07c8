"""Where both searches start: the cheap certificates below, the attacks above."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relucert_core.attacks import attack
from relucert_core.certificates.linear_bounds import ENTRIES
from relucert_core.certificates.margins import margins
from relucert_core.certificates.result import OK
from relucert_core.certificates.simplex import simplex
from relucert_core.region import proven_forward
from relucert_core.search.steps import SEARCHING, Ledger, SearchStep

_CROWN = next(entry for entry in ENTRIES if entry.name == "crown-ada")
_SHORT = 30  # gradients of the attack where the time is short
_LONG = 100
_TIGHT = 0.1  # of the time: what an attack may be expected to take before it is shortened


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


def linear_step(ledger: Ledger) -> Iterator[SearchStep]:
    """CROWN-Ada as a step, if there is time."""
    if not ledger.stopped(regions=0):
        certificate = _CROWN.run(ledger.net, ledger.point.unsqueeze(0), norm=ledger.norm, labels=ledger.labels)[0]
        ledger.raise_lower(certificate.radius)
        yield ledger.step()


def attack_step(ledger: Ledger, starts: Any, method: str) -> Iterator[SearchStep]:
    """An attack as a step, if there is time; `best` with fewer gradients where the time is short."""
    if ledger.stopped(regions=0):
        return
    steps = _LONG if ledger.seconds < _TIGHT * ledger.max_seconds else _SHORT
    options: dict[str, Any] = {"steps": steps} if method == "best" else {}
    found = attack(ledger.net, ledger.point, method, ledger.norm, label=ledger.label, starts=starts, **options)
    if found.success:
        ledger.offer_array(found.point)
    yield ledger.step()
