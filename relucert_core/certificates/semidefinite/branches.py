"""Branching: a problem split at one neuron after the other, its value the least of its leaves'.

At the point d of `forms` zeta_i omega_i = 0 holds without any error: zeta_i = 0 (side `OFF`) or omega_i = 0 (`ON`).
So d is a point of one of two problems, each the old one with a further form that is not negative there,
    delta - zeta_i      or      delta - omega_i,          delta > 0 small,
and with its product with the constant one. That is all a case needs: E[zeta_i^2] <= E[zeta_i] <= delta then, which
leaves the neuron next to no freedom in the moment matrix, and delta keeps an interior for the solver. The stored
network, and with it the equality of the margin, is the same in all cases, so that nothing has to be proved anew.
(Fixing the neuron's sign in the network instead would change the margin outside the case, where the segment to an
adversarial point runs, and the equality with it.)

A leaf's value bounds only the points of its cases: no leaf says that there is no adversarial point. The whole problem's
value is the least of all leaves', which cover every d because a leaf goes only when both of its halves take its place.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from relucert_core.certificates.semidefinite.relaxation import Relaxation
from relucert_core.rounding import UNIT_ROUNDOFF

OFF, ON = 0, 1
DELTA = 1e-3  # of zeta and omega, which lie in [0, 1]
_MOST_LEAVES, _MOST_NUMBERS = 2_000, 2e7  # of one rival; the numbers of the further forms, of which each has its own
_LEAST_VIOLATION = 2 * DELTA  # what is below it a case does not change


@dataclass(frozen=True, eq=False)
class Leaf:
    """One case. value: every point of the rival in it has at least this squared distance.

    neuron: at which it is best split, None where no split would change it. reached: the solver stopped because it had
    what it was asked for, not because there was no more.
    """

    problem: Relaxation
    value: float
    neuron: int | None
    reached: bool


Solve = Callable[[Relaxation, float], Leaf]


class Branches:
    """The leaves of one rival's problem; at first the problem itself."""

    def __init__(self, root: Leaf) -> None:
        self._order = count()
        self._leaves = [(root.value, next(self._order), root)]
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._leaves)

    @property
    def value(self) -> float:
        """What holds for the rival: the least value of a leaf."""
        return self._leaves[0][0]

    @property
    def worst(self) -> Leaf:
        """The leaf of the least value."""
        return self._leaves[0][2]

    @property
    def final(self) -> bool:
        """Is there nothing that would raise the value, or no room for more leaves?"""
        worst = self.worst
        full = len(self) >= _MOST_LEAVES or self._numbers > _MOST_NUMBERS
        return not worst.reached and (worst.neuron is None or full)

    def improve(self, solve: Solve) -> None:
        """Solve the worst leaf again if it had reached what was asked for, else its two halves; not where `final`.

        solve: a leaf of a problem, of at least a value that is known. Where it raises, the leaf stays.
        """
        worst = self.worst
        if worst.reached or worst.neuron is None:
            halves = [worst.problem]
        else:
            halves = [case(worst.problem, worst.neuron, side) for side in (OFF, ON)]
        found = [solve(half, worst.value) for half in halves]
        heapq.heappop(self._leaves)
        self._numbers += sum(half.extras.size for half in halves) - worst.problem.extras.size
        for leaf in found:
            heapq.heappush(self._leaves, (leaf.value, next(self._order), leaf))


def case(problem: Relaxation, neuron: int, side: int) -> Relaxation:
    """The problem with zeta_neuron = 0 (OFF) or omega_neuron = 0 (ON) at its points."""
    row = -(problem.omega[neuron] if side == ON else problem.zeta_rows()[neuron])
    row[0] += DELTA
    error = float(problem.omega_error[neuron]) if side == ON else 0.0
    # The form is delta at the true point; the sum in the first entry rounds once.
    errors = np.array([error + 2 * UNIT_ROUNDOFF * (abs(row[0]) + DELTA)])
    place = problem.one + 1 + len(problem.extras)
    found = problem.with_extras(row[None], errors, np.array([DELTA]))
    found = found.with_cuts(np.concatenate([problem.cuts, [[problem.one, place]]]))
    return replace(found, cases=(*problem.cases, (neuron, side)))


@np.errstate(all="ignore")
def most_violated(problem: Relaxation, moment: np.ndarray | None) -> int | None:
    """The neuron whose relation zeta omega = 0 the mean of the moment matrix (N, N) violates most; None where none."""
    if moment is None or not problem.neurons:
        return None
    mean = moment[:, 0]
    zeta, omega = problem.zeta_rows() @ mean, problem.omega @ mean
    violation = np.minimum(zeta, omega)
    neuron = int(np.argmax(violation))
    return neuron if violation[neuron] > _LEAST_VIOLATION else None
