"""The semidefinite bound inside the exact search: both sides, before anything is branched on.

It runs where a try at the whole ball with few nodes has not closed the gap. Every improvement is a step of the search;
the directions that it finds are followed to the boundary by the search's own means. With a limit of nodes alone, which
promises the same answer every time, it is left out, and so it is in two dimensions, where branching needs no help.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from relucert_core.certificates.semidefinite.radius import improvements
from relucert_core.search.exact.polar import planar
from relucert_core.search.half_spaces import Proposer
from relucert_core.search.improve import improve_along
from relucert_core.search.ledger import Ledger, SearchStep
from relucert_core.search.local_network import LocalNetwork
from relucert_core.search.start import quadratic_step

_SHORTEST = 0.05  # seconds left from which it is worth while
_SHALLOW = 2  # weight layers with which the quadratic bound gives what the relaxation does, in a tenth of the time


def takes_part(ledger: Ledger, local: LocalNetwork) -> bool:
    """Does the semidefinite bound work in this search?"""
    return not planar(local) and ledger.max_regions == math.inf


def semidefinite_steps(ledger: Ledger, local: LocalNetwork, proposer: Proposer) -> Iterator[SearchStep]:
    """Raise the ledger's lower bound and lower its upper one by the semidefinite bound, step by step, in time."""
    left = ledger.max_seconds - ledger.seconds
    if not takes_part(ledger, local) or left < _SHORTEST:
        return

    def follow(direction: np.ndarray) -> float:
        improve_along(ledger, local, direction, proposer)
        return ledger.upper

    if ledger.net.depth == _SHALLOW:
        yield from quadratic_step(ledger)
        left = ledger.max_seconds - ledger.seconds
    ledger.maker = "semidefinite"
    search = improvements(
        ledger.net,
        ledger.point,
        ledger.label,
        lower=ledger.lower,
        upper=ledger.upper,
        max_seconds=left,
        follow=follow,
    )
    for found in search:
        ledger.raise_lower(found.lower)
        yield ledger.step()
