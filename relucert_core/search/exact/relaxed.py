"""The semidefinite bound inside the exact search: both sides, and nodes of its own where these pay.

It runs where a try at the whole ball with few nodes has not closed the gap. Every improvement is a step of the search;
the directions that it finds are followed to the boundary by the search's own means. Once it would have to branch
(`certificates.semidefinite.branches`), the search may give linear nodes a turn. With a limit of nodes alone, which
promises the same answer every time, it is left out, and so it is in two dimensions, where branching needs no help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator

import numpy as np

from relucert_core.certificates.semidefinite.radius import Improvement, improvements
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


class Relaxed:
    """The semidefinite bound at work on a ledger; it may be left and taken up again.

    ended: it has nothing more to give, or never had.
    """

    def __init__(self, ledger: Ledger, local: LocalNetwork, proposer: Proposer) -> None:
        self.ledger, self.local, self.proposer = ledger, local, proposer
        self.ended = False
        self._found: Iterator[Improvement] | None = None

    def before_branching(self) -> Iterator[SearchStep]:
        """Raise the lower bound and lower the upper one, step by step, until it would have to branch."""
        ledger = self.ledger
        self.ended = not takes_part(ledger, self.local) or self._left < _SHORTEST
        if not self.ended:
            if ledger.net.depth == _SHALLOW:
                yield from quadratic_step(ledger)
            yield from self._steps(lambda found: found.branching)

    def branching(self, until: float = math.inf) -> Generator[SearchStep, None, None]:
        """Go on from there, until so many seconds since the start have gone by."""
        if not self.ended:
            yield from self._steps(lambda _: self.ledger.seconds >= until)

    @property
    def _left(self) -> float:
        return self.ledger.max_seconds - self.ledger.seconds

    def _steps(self, enough: Callable[[Improvement], bool]) -> Iterator[SearchStep]:
        """A step of the search for each improvement, until that is enough."""
        ledger, ledger.maker = self.ledger, "semidefinite"
        if self._found is None:
            self._found = improvements(
                ledger.net, ledger.point, ledger.label, lower=ledger.lower, upper=ledger.upper,
                max_seconds=self._left, follow=self._follow, known=lambda: ledger.lower,
            )  # fmt: skip
        for found in self._found:
            ledger.raise_lower(found.lower)
            yield ledger.step()
            if enough(found):
                return
        self.ended = True

    def _follow(self, direction: np.ndarray) -> float:
        improve_along(self.ledger, self.local, direction, self.proposer)
        return self.ledger.upper
