"""The largest radius that the semidefinite bound proves, against all rivals, anytime.

Over the ball of radius r every rival j has a proved value v_j(r): all its adversarial points within r lie at a squared
distance of at least v_j(r). So min(r^2, min_j v_j(r)) bounds the squared distance from below. v is not monotone in r;
each r tried is a proof of its own, and the largest result counts. A sweep over the rivals goes from the hardest, by the
quadratic bound of its margin, to the easiest; rivals that this bound excludes cost nothing. As soon as one rival has
only v_j < r^2, the others are asked for no more than that at first; once all have a value, the least one is worked on.
A sweep that cannot beat the radius proved so far is given up. The radii tried lie between that radius and the nearest
adversarial point known; with none known they double. `rivals` has what is tried for each rival. Where a sweep gains
little, the next ones branch as well. The directions of all solutions go to the caller, who may follow them to
the boundary: adversarial points come for free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from relucert_core.certificates.semidefinite.bounds import Balls
from relucert_core.certificates.semidefinite.rivals import Rival, Task
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.deadline import OutOfTime, ends_at, now
from relucert_core.network import Network
from relucert_core.rounding import below

CLOSED = 1 / (1 + 4e-7)
FAR = 1e9  # times one more than the largest number of the point: the search goes no further
_CAUTIOUS = 200  # hidden neurons from which the first radius is not the upper bound at once
_STALE = 0.99  # a sweep over a ball is given up when an adversarial point comes this near to its centre
_IDLE_SWEEPS = 2
_LITTLE = 0.5  # of what a sweep was asked for: one that gains less is the last one without branching
_FIRST_STEP, _LARGE_STEP = 0.45, 0.6  # of the gap to the upper bound, from one radius to the next
# Where the time left is less than this many times what the last radius took, the step is shorter: the nearer the
# radius, the fewer rivals are left to solve for, and the easier each.
_SHORT_TIME, _SHORT_STEP = 6.0, 0.2
Follow = Callable[[np.ndarray], float]


@dataclass(frozen=True, eq=False)
class Improvement:
    """Both sides so far. rival: the class that limits the last sweep, or -1. iterations: of the solver, in all.

    spent: at the last step, did the budget end the search? branching: have sweeps begun to branch?
    """

    lower: float
    upper: float
    rival: int
    iterations: int
    seconds: float
    spent: bool = False
    branching: bool = False


def improvements(
    net: Network,
    point: torch.Tensor,
    label: int,
    *,
    lower: float = 0.0,
    upper: float = math.inf,
    max_seconds: float = math.inf,
    max_iterations: float = math.inf,
    follow: Follow | None = None,
    known: Callable[[], float] = lambda: 0.0,
    clock: Callable[[], float] = now,
) -> Iterator[Improvement]:
    """Search from one point (D,); a step after every improvement of either side, the last one when it ends.

    From where sweeps branch on there is a step after every problem, improvement or not, so that a caller may do
    something else for a while: known() is the radius that is proved by now. lower: one proved before. upper: the
    distance, rounded up, of an adversarial point known before. follow: looks for a nearer one along a displacement (D,)
    and returns the distance, rounded up, of the nearest that is known to the caller, who keeps it; without it the upper
    bound stays. max_seconds are those of `clock`, max_iterations the solver's. Nothing is yielded where the label is
    not proved to win at the point.
    """
    frame = Frame.around(net, point, label)
    if frame.margins.status[0] != "ok":
        return
    yield from _Search(frame, lower, upper, max_seconds, max_iterations, follow, known, clock).run()


class _Search:
    """One search: the two sides, the clock, the bounds of the radii tried."""

    def __init__(
        self, frame: Frame, lower: float, upper: float, max_seconds: float, max_iterations: float,
        follow: Follow | None, known: Callable[[], float], clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.known = known
        self.frame, self.lower, self.upper, self.follow, self.clock = frame, lower, upper, follow, clock
        self.began, self.max_seconds, self.max_iterations = clock(), max_seconds, max_iterations
        self.balls = Balls(frame)
        self.rival, self.iterations = -1, 0
        self.idle = 0  # sweeps in a row that moved neither side
        self.branching = False
        widths = frame.net.outputs
        self.bound_seconds = 0.02 + 2e-6 * sum(a * b for a, b in pairwise(widths))  # a guess before any is measured

    @property
    def seconds(self) -> float:
        """Seconds since the search began."""
        return self.clock() - self.began

    @property
    def left(self) -> float:
        """Seconds of the budget that are left; none where the iterations are used up."""
        return self.max_seconds - self.seconds if self.iterations < self.max_iterations else 0.0

    def step(self) -> Improvement:
        """The state as a record."""
        return Improvement(self.lower, self.upper, self.rival, self.iterations, self.seconds, branching=self.branching)

    def run(self) -> Iterator[Improvement]:
        """Radius after radius, until the two sides meet, the time is up or nothing is gained any more."""
        share, cautious = _FIRST_STEP, sum(self.frame.net.widths) > _CAUTIOUS
        far = FAR * (1 + float(np.abs(self.frame.point).max()))
        while (
            self.lower < min(self.upper * CLOSED, far) and self.left > self.bound_seconds and self.idle < _IDLE_SWEEPS
        ):
            radius = self._next_radius(share, cautious)
            if not 0 < radius < math.inf:
                break
            lower, upper, began, iterations = self.lower, self.upper, self.seconds, self.iterations
            for _ in self._sweep(radius):
                yield self.step()
                self._take_in_known()
            spent, solved = self.seconds - began, self.iterations > iterations
            moved = self.lower > lower * (1 + 1e-4) or self.upper < upper * (1 - 1e-4)
            self.idle = 0 if moved else self.idle + 1
            if not self.branching and upper == self.upper and self.lower - lower < _LITTLE * (radius - lower):
                self.branching, self.idle = True, 0
                yield self.step()
                self._take_in_known()
            if self.lower >= radius:
                share = self._step_after(spent, solved)
            elif self.upper > _STALE * radius:
                share, cautious = max(0.05, share * (0.5 if self.lower == lower else 0.7)), True
        yield replace(self.step(), spent=self.left <= self.bound_seconds)

    def _take_in_known(self) -> None:
        self.lower = max(self.lower, self.known())

    def _step_after(self, spent: float, solved: bool) -> float:
        """The step after a radius that was proved in so many seconds, or by the bounds alone.

        In the latter case nothing is known yet of what the next radius will cost.
        """
        if solved and spent < 0.1 * self.left:
            return _LARGE_STEP
        return _FIRST_STEP if _SHORT_TIME * spent < self.left else _SHORT_STEP

    def _next_radius(self, share: float, cautious: bool) -> float:
        """The next radius to try: up to the upper bound at once, or where that is near, else part of the way."""
        lower, upper = self.lower, self.upper
        if upper == math.inf:
            return 2 * lower if lower > 0 else float(self.frame.gaps.min()) / self._steepness()
        if not cautious or lower > 0.97 * upper:
            return upper
        return lower + share * (upper - lower)

    def _steepness(self) -> float:
        """A rough upper bound of how fast margins change: a scale for a first radius where none is known."""
        return max(1e-300, 2 * math.prod(max(layer.frobenius, 1e-100) for layer in self.frame.net.affine))

    def _sweep(self, radius: float) -> Iterator[None]:
        """Try all rivals at one radius; yields whenever a side has improved."""
        began = self.seconds
        try:
            with ends_at(now() + self.left):
                bounded = self.balls.at(radius)
        except OutOfTime:  # of a network so large that its bounds alone take longer
            return
        self.bound_seconds = max(self.bound_seconds, self.seconds - began)
        task = Task(
            self.frame, bounded.bounds, radius, lambda: self.left, lambda: self.max_iterations - self.iterations,
            self._follow, self.clock, self.branching,
        )  # fmt: skip
        order = [int(j) for j in np.argsort(bounded.margins) if not bounded.margins[j] > 0]
        rivals = [Rival(task, j) for j in order]
        while self.left > 0:
            lower, upper = self.lower, self.upper
            self._claim(rivals, radius)
            chosen = self._chosen(rivals, radius)
            if chosen is not None:
                before = chosen.iterations
                chosen.raise_to(self._target(rivals, chosen, radius))
                self.iterations += chosen.iterations - before
            self._claim(rivals, radius)
            if self.branching or self.lower > lower or self.upper < upper:
                yield
            if chosen is None or self.upper < _STALE * radius:  # the ball is larger than need be, its bounds looser
                return

    def _claim(self, rivals: list[Rival], radius: float) -> None:
        """Once every rival has a value, the least of them counts."""
        if not all(rival.tried for rival in rivals):
            return
        least = min(rivals, key=lambda rival: rival.value, default=None)
        if least is None or least.value >= radius * radius:
            self.lower = max(self.lower, radius)
        elif math.sqrt(least.value) > self.lower:
            self.lower, self.rival = max(self.lower, float(below(math.sqrt(below(least.value))))), least.rival

    def _chosen(self, rivals: list[Rival], radius: float) -> Rival | None:
        """The rival to work on: the least value while it is not above the radius proved, then those not tried yet.

        None where nothing can be gained any more: a value is final and no more than what is proved, or all are enough.
        """
        tried = [rival for rival in rivals if rival.tried]
        least = min(tried, key=lambda rival: rival.value, default=None)
        if least is not None and least.value <= self.lower**2:
            return None if least.final else least
        fresh = next((rival for rival in rivals if not rival.tried), None)
        if fresh is not None:
            return fresh
        return None if least is None or least.final or least.value >= radius * radius else least

    def _target(self, rivals: list[Rival], chosen: Rival, radius: float) -> float:
        """What to ask a rival for: no more than the final values of the others allow, at first no more than theirs."""
        others = [
            rival.value for rival in rivals if rival is not chosen and rival.tried and (rival.final or not chosen.tried)
        ]
        return min([radius * radius, *others])

    def _follow(self, ways: np.ndarray) -> None:
        """Look for adversarial points along each of the displacements (S, D)."""
        follow = self.follow
        if follow is not None:
            self.upper = min([self.upper, *map(follow, ways)])
