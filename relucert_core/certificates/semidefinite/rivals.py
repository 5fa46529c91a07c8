"""One rival at one radius: problems of growing size and cuts, until its value is what is asked for, or gains no more.

Reduced problems come first (`lifting`), where the rival's own is large; then its own, over the ball cut by the
half-space that CROWN leaves to the rival where the network is small; then `cuts`, round by round, while they pay; then,
where the task allows it, `branches`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relucert_core.certificates.semidefinite.bounds import cut_bounds
from relucert_core.certificates.semidefinite.branches import Branches, Leaf, most_violated
from relucert_core.certificates.semidefinite.cuts import Effort, tightened
from relucert_core.certificates.semidefinite.forms import relax
from relucert_core.certificates.semidefinite.lifting import Chooser
from relucert_core.certificates.semidefinite.operator import iteration_seconds
from relucert_core.certificates.semidefinite.primal import directions
from relucert_core.certificates.semidefinite.proof import prove
from relucert_core.certificates.semidefinite.relaxation import Bounds, Relaxation
from relucert_core.certificates.semidefinite.solver import Progress, Solution, solve
from relucert_core.certificates.semidefinite.substitution import Frame, Lifting
from relucert_core.deadline import now

_ABOVE = 1 + 1e-6  # a solve stops when its value is this much above what it is asked for: the proof loses less
_LOOSE, _EXACT = 0.05, 1e-7  # gaps: where cuts follow, and where both sides may meet
_LEAF = 5e-3  # the gap of a leaf that will not get there
_HOPELESS = 0.998  # of what is asked for: a primal value below it shows that the dual one will not get there
_MOST_LIFTED = 2_500  # open neurons above which a rival's own problem is not formed: its matrices would not fit
_SMALL, _DEEP = 260, 3  # open neurons up to which, and weight layers above which, a reduced problem saves nothing
_ROUNDS = 8
_FEW_NEURONS, _FEW_ROUNDS = 150, 5  # up to so many, cuts soon cost more than all else, and each leaf has them all
_WORTH = 0.04  # of what is missing: a round of cuts that gains less is the last one
_FEW_ITERATIONS = 3


@dataclass(frozen=True, eq=False)
class Task:
    """What the rivals of one sweep share.

    bounds: over the ball of `radius`, for every rival. left, iterations_left: the seconds, of `clock`, and the solver's
    iterations that are left. offer: takes the displacements (S, D) along which an adversarial point may lie.
    branching: is a problem split where cuts gain no more?
    """

    frame: Frame
    bounds: Bounds
    radius: float
    left: Callable[[], float]
    iterations_left: Callable[[], float]
    offer: Callable[[np.ndarray], None]
    clock: Callable[[], float] = now
    branching: bool = False

    def affordable(self, problem: Relaxation, count: int = 1) -> bool:
        """Is there time for a few iterations of `count` such problems?"""
        return self.iterations_left() > 0 and count * _FEW_ITERATIONS * iteration_seconds(problem) < self.left()


class Rival:
    """The state of one rival: the proved value, the problem that it comes from, what may still be tried.

    value: every point with f_rival >= f_label within the radius has at least this squared distance. tried: has
    anything been solved? final: nothing that is left would raise the value.
    """

    def __init__(self, task: Task, rival: int) -> None:
        self.task, self.rival = task, rival
        self.value, self.tried, self.final = 0.0, False, False
        self.iterations = self.rounds = 0
        self._counted = 0  # of the iterations, those that the task knows of
        self._problem: Relaxation | None = None
        self._solution: Solution | None = None
        self._reached = False  # the last solve ended because it had what was asked for
        self._branches: Branches | None = None

    def raise_to(self, target: float) -> None:
        """Do the next thing that may raise the value to `target`, a squared distance."""
        self._counted = self.iterations
        if not self.tried:
            self.tried = True
            self._first(target)
        elif self._problem is None or not self.task.affordable(self._problem):
            self.final = True
        elif self._branches is not None:
            self._branch(self._branches, target)
        elif self._reached:
            self._solve(self._problem, target)
        else:
            self._cut(target)

    def _first(self, target: float) -> None:
        """The reduced problems, then the own one."""
        task = self.task
        neurons = sum(int(wide.sum()) for wide in task.bounds.open)
        generous: Lifting | None = None
        if neurons > _SMALL and task.frame.net.depth <= _DEEP and task.left() > 0:
            chooser = Chooser(task.frame, task.bounds, task.radius, self.rival)
            for lifting in chooser.choices():
                problem = relax(task.frame, self.rival, task.bounds, task.radius, lifting)
                if problem is not None and task.affordable(problem):
                    self._solve(problem, target)
                    if self.value >= target:
                        return
            generous = chooser.generous() if neurons > 2 * _SMALL else None
        self._own(neurons, generous, target)

    def _own(self, neurons: int, lifting: Lifting | None, target: float) -> None:
        """The rival's own problem; where the network is small, over the cut ball."""
        task, problem = self.task, None
        if neurons <= _SMALL:
            bounds = cut_bounds(task.frame, task.bounds, self.rival, task.radius)
            if bounds is None:  # no adversarial point of this rival within the radius
                self.value, self.final = task.radius**2, True
                return
            problem = relax(task.frame, self.rival, bounds, task.radius)
        if problem is None and neurons <= _MOST_LIFTED:
            problem = relax(task.frame, self.rival, task.bounds, task.radius, lifting)
        if problem is None or not task.affordable(problem):
            self.final = self._problem is None
            return
        self._solve(problem, target)

    def _cut(self, target: float) -> None:
        """One round of cuts."""
        assert self._problem is not None
        assert self._solution is not None
        few = self._problem.neurons <= _FEW_NEURONS
        effort = Effort(150, 150, 15) if few else Effort()
        cut = tightened(self._problem, self._solution, effort)
        self.rounds += 1
        if cut is None or not self.task.affordable(cut):
            self._cuts_end()
            return
        before = self.value
        self._solve(cut, target)
        gained = self.value - before
        most = _FEW_ROUNDS if few and self.task.branching else _ROUNDS
        if self.rounds >= most or (self.rounds > 1 and gained < _WORTH * (target - before)):
            self._cuts_end()

    def _cuts_end(self) -> None:
        """From here on the problem is branched on, if that is allowed and there is something to branch on."""
        problem, solution = self._problem, self._solution
        assert problem is not None
        assert solution is not None
        if self.task.branching:
            neuron = most_violated(problem, solution.moment)
            self._branches = Branches(Leaf(problem, self.value, neuron, self._reached))
        self.final = self._branches is None or self._branches.final

    def _branch(self, branches: Branches, target: float) -> None:
        """Work on the worst leaf."""
        task, worst = self.task, branches.worst

        def solve(problem: Relaxation, known: float) -> Leaf:
            solution, value, reached = self._solved(problem, target, _LEAF)
            return Leaf(problem, max(known, value), most_violated(problem, solution.moment), reached)

        if branches.final or not task.affordable(worst.problem, 2):
            self.final = True
            return
        branches.improve(solve)
        self.value = max(self.value, branches.value)

    def _solve(self, problem: Relaxation, target: float) -> None:
        """One solve of a problem that holds for the whole rival, see `_solved`."""
        self._solution, value, self._reached = self._solved(problem, target, _LOOSE)
        self.value, self._problem = max(self.value, value), problem

    def _solved(self, problem: Relaxation, target: float, gap: float) -> tuple[Solution, float, bool]:
        """A solution, the value proved with it, and whether it has the target; else its direction is offered.

        It ends when the value passes the target, or within the gap once the primal value shows that it never will.
        """
        task, goal = self.task, target * problem.basis_norm**2 * _ABOVE
        allowed = task.iterations_left() - (self.iterations - self._counted)

        def stop(now: Progress) -> bool:
            hopeless = now.infeasibility < 1e-3 and now.primal < _HOPELESS * goal
            enough = now.value > goal or now.iterations >= allowed
            return enough or (hopeless and now.primal - now.value < gap * now.value)

        left = task.left() - 2 * iteration_seconds(problem)
        solution = solve(problem, gap=_EXACT, max_seconds=left, stop=stop, clock=task.clock)
        self.iterations += solution.iterations
        value, reached = prove(problem, solution.multipliers, problem.identity, problem.cases), solution.value > goal
        if not reached:
            task.offer(directions(problem, solution.moment, 1)[:1])
        return solution, value, reached
