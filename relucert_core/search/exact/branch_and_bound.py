"""The exact distance (norm 2) by branch and bound, anytime: both bounds are proved at every step.

Method. The lower bound starts from the cheaper certificates, the upper bound from the attacks. In small networks a try
with few nodes comes first, and then branching for as long as it is foreseen to close the gap soon (`forecast`). What is
open after that goes to the semidefinite bound (`relaxed`), which moves both sides; branching has the gap that is left,
on linear or on semidefinite bounds, whichever pays more per second.
A tree of nodes (see `facts`, `nodes`, `tree`) covers all adversarial points within a radius R: each node fixes the
signs of some neurons for one rival class, and the nearest point of its relaxation, proved by the aggregated half-space
rule (`half_spaces`), bounds its distance. When no node of distance below R is left, nothing within R is adversarial.
The linear bounds of the neurons are the tighter the smaller R, so R grows in stages, from a little above the lower
bound up to the upper bound; a tree for 10 % more radius costs several times as much, so the stages before the last one
cost little. Each node also cuts its ball by the half-space proved for its parent (`cap_minimum`): adversarial points
lie in a cap, which is much smaller than the ball once the parent's distance is near R. With two inputs a look all
around (see `polar`) takes the place of the attacks.

Sources: branch and bound with linear bounds, Wang et al., "Beta-CROWN" (2021); the search over regions, Jordan, Lewis
and Dimakis (2019). The half-space cap, the stages and the whitened coordinates are this project's.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.result import EXACT, TIME, Certificate, CertificateEntry
from relucert_core.deadline import OutOfTime
from relucert_core.network import Network
from relucert_core.search.each import certify_each
from relucert_core.search.exact.forecast import Growth
from relucert_core.search.exact.nodes import Bounded
from relucert_core.search.exact.polar import beside_corners, nearest_around, next_to, planar
from relucert_core.search.exact.relax import Ball
from relucert_core.search.exact.relaxed import Relaxed, takes_part
from relucert_core.search.exact.tree import Tree, widest
from relucert_core.search.half_spaces import Proposer, propose_weights
from relucert_core.search.improve import improve
from relucert_core.search.ledger import (
    BRANCHING,
    CLOSE_ENOUGH,
    FAR,
    LOOK_AROUND,
    MEMORY,
    NONE_FOUND,
    NOWHERE,
    POLISH,
    SEARCHING,
    Ledger,
    Pace,
    SearchStep,
)
from relucert_core.search.local_network import local_network
from relucert_core.search.start import attack_step, first_step, floor_steps, linear_step

UNPROVED = "no witness is proved"
QUEUE_BYTES = 1_000_000_000
_QUICK = 100  # nodes spent at once on the whole radius: easy points need fewer
_STEP = 0.15  # of the upper bound, from one stage to the next, to begin with
_WIDE_STEP = 0.02  # the same in wide networks
_QUICK_WIDTH = 256  # hidden neurons up to which that is worth while
_QUICK_SHARE = 0.5  # of the time left that it may take, so that the cheaper bounds have their turn
_SAME_BALL = 0.97  # a ball that is hardly smaller is not tried again
_STAGES_SHARE = 0.95  # of the time left that stages may take before the semidefinite bound
_STAGES_SECONDS = 2.0  # and no more than so long: what small networks need; wider ones lose little of their budget
_TURN_SHARE, _TURN_SECONDS = 0.1, 2.0  # of the time left, and no more: the first turn of either kind of nodes
_TICK = 1e-6  # seconds: a clock may stand still
_TOO_HIGH = 4.0  # the forecast often is, as the growth slows down near the end; giving up too early costs more
_CHEAP_TRY = 0.1  # seconds: a try that is foreseen to take less comes before CROWN-Ada
_QUICK_PLANAR = 120  # nodes spent at once with two inputs
_PATIENT = 4000  # nodes spent there after those, a layer only after the one before it: its cells are few


def explore(
    net: Network,
    point: torch.Tensor,
    label: int,
    *,
    starts: Any = None,
    max_seconds: float | None = None,
    max_regions: int | None = None,
    max_queue: int | None = None,
    proposer: Proposer = propose_weights,
) -> Iterator[SearchStep]:
    """Search from one point (D,), a step after every batch of nodes; the last step's status says why it ended.

    starts: (S, D) points for the attack. max_queue: how many nodes may wait (by default what fits in a gigabyte).
    """
    ledger = Ledger(net, point, label, 2.0, max_seconds=max_seconds, max_regions=max_regions)
    first = first_step(ledger)
    yield first
    if first.status != SEARCHING:
        return
    status = ""
    if ledger.lower < math.inf and not first.exact:
        status = yield from _Search(ledger, proposer, max_queue).run(starts)
    yield ledger.step(NOWHERE if ledger.lower == math.inf else status or UNPROVED)


class _Search:
    """The stages of one search."""

    def __init__(self, ledger: Ledger, proposer: Proposer, max_queue: int | None) -> None:
        self.ledger, self.proposer = ledger, proposer
        self.local = local_network(ledger.net, ledger.point, ledger.label)
        bytes_each = 8 * (3 * self.local.neurons + self.local.size + 40)
        self.max_queue = QUEUE_BYTES // bytes_each if max_queue is None else max_queue
        self.pace = Pace(_expected_seconds(ledger.net), widest(self.local), ledger.max_seconds)
        self.quick = self.local.neurons <= _QUICK_WIDTH
        self.far = FAR * (1 + float(ledger.point.abs().max()))
        self.tried = math.inf  # radius of the last try at the whole ball with few nodes

    def run(self, starts: Any) -> Generator[SearchStep, None, str]:
        """In small networks the cheapest means and promising stages; then the other attacks, bounds and stages.

        Returns why the search ended.
        """
        ledger, local, status = self.ledger, self.local, ""
        tries = self.quick or planar(local)
        if tries:
            status = yield from self._first_try(starts)
            if self._closed():
                return status
        if status or not tries:  # without nodes nothing but these bounds can help
            yield from floor_steps(ledger, crown_ada=not tries)
        if status:
            return status
        promising = self.quick and ledger.witness is not None and takes_part(ledger, local)
        if promising:  # DeepFool's witness will do: branching finds the nearest one by itself
            status = yield from self._stages(_STEP, while_promising=True)
        if status or self._closed():
            return status
        yield from self._attack(starts, "best")
        if self.quick:
            status = yield from self._try_whole_ball()
        if status or self._closed():
            return status
        if tries:
            yield from floor_steps(ledger, crown_ada=False)
        relaxed = Relaxed(ledger, local, self.proposer)
        yield from relaxed.before_branching()
        step = _STEP if self.quick else _WIDE_STEP
        return (yield from self._nodes(relaxed, step)) or (yield from self._stages(step))

    def _nodes(self, relaxed: Relaxed, step: float) -> Generator[SearchStep, None, str]:
        """Linear and semidefinite nodes in turn, until one of them pays more; if the latter, these until they end.

        In wide networks, where linear nodes gain next to nothing, the others come first. Returns why the search ended,
        if it did.
        """
        ledger, status = self.ledger, ""
        if not self.quick:
            yield from relaxed.branching()
        turn = min(_TURN_SHARE * (ledger.max_seconds - ledger.seconds), _TURN_SECONDS)
        while not (status or self._closed() or relaxed.ended):
            status, linear = yield from self._measured(self._stages(step, until=ledger.seconds + turn))
            if status or self._closed():
                break
            _, semidefinite = yield from self._measured(relaxed.branching(ledger.seconds + turn))
            if semidefinite > linear:
                yield from relaxed.branching()
            if linear > semidefinite:
                break
            turn *= 2
        return status

    def _measured(
        self, steps: Generator[SearchStep, None, str | None]
    ) -> Generator[SearchStep, None, tuple[str, float]]:
        """These steps; what they return, and how much they raised the lower bound per second."""
        before, began = self.ledger.lower, self.ledger.seconds
        status = yield from steps
        return status or "", (self.ledger.lower - before) / max(self.ledger.seconds - began, _TICK)

    def _first_try(self, starts: Any) -> Generator[SearchStep, None, str]:
        """CROWN-Ada, and DeepFool with a few nodes, what is foreseen to be cheaper first; why the search ended.

        With two inputs a look all around from what CROWN-Ada proves takes the place of the attack.
        """
        ledger, status = self.ledger, ""
        try_first = self.pace.expected(_QUICK) < _CHEAP_TRY and not planar(self.local)
        if not try_first:
            yield from linear_step(ledger)
        if planar(self.local):
            status = yield from self._run_planar()
        else:
            yield from self._attack(starts, "deepfool")
            if ledger.witness is not None:  # without one the ball has no end
                status = yield from self._try_whole_ball()
        if try_first and not self._closed():
            yield from linear_step(ledger)
        return status

    def _share_of_time(self, share: float) -> float:
        """When so large a share of the time left will be over, in seconds since the start."""
        return self.ledger.seconds + share * (self.ledger.max_seconds - self.ledger.seconds)

    def _attack(self, starts: Any, method: str) -> Iterator[SearchStep]:
        """An attack, and the way from its witness to a nearer one."""
        ledger = self.ledger
        yield from attack_step(ledger, starts, method)
        if ledger.witness is not None:
            ledger.maker = POLISH
            self._improve(self.local.nearby(ledger.witness))

    def _try_whole_ball(self) -> Generator[SearchStep, None, str]:
        """A few nodes on the whole ball, if it is much smaller than at the last try; returns why the search ended."""
        radius = min(self.ledger.upper, self.far)
        if radius > _SAME_BALL * self.tried or self._closed():
            return ""
        self.tried = radius
        return (yield from self._stage(radius, _QUICK, until=self._share_of_time(_QUICK_SHARE)))

    def _stages(
        self, step: float, *, while_promising: bool = False, until: float = math.inf
    ) -> Generator[SearchStep, None, str]:
        """Stage after stage, each `step` of the upper bound further; returns why the search ended, if it did.

        while_promising: only as long as it is foreseen that they close the gap sooner than the semidefinite bound.
        until: the seconds since the start at which they are left.
        """
        ledger, status, growth = self.ledger, "", Growth()
        if while_promising:
            until = min(self._share_of_time(_STAGES_SHARE), ledger.seconds + _STAGES_SECONDS)
        while not status and not self._closed() and ledger.seconds < until:
            if ledger.lower >= self.far:
                return NONE_FOUND
            before, radius = ledger.regions, min(self._next_radius(step), self.far)
            status = yield from self._stage(radius, until=until)
            used = ledger.regions - before
            growth.record(radius, used)
            foreseen = self.pace.expected(growth.nodes(ledger.upper)) / _TOO_HIGH
            if while_promising and ledger.seconds + foreseen > until:
                break
            step = min(step * 1.5, 0.2) if used < 100 else max(step / 2, 0.02) if used > 2000 else step
        return status

    def _run_planar(self) -> Generator[SearchStep, None, str]:
        """For two inputs: a look all around instead of the attacks, and two tries at the whole ball."""
        ledger, far = self.ledger, self.far
        ledger.maker = LOOK_AROUND
        near = nearest_around(self.local, ledger.lower)
        if near is not None:
            self._improve(near)
        corner = beside_corners(self.local, min(ledger.upper, far))
        at_corner = corner is not None and ledger.offer_array(self.local.inputs(corner))
        tries = ((_QUICK_PLANAR, False), (_PATIENT, True))
        for limit, layers_first in tries[1:] if at_corner else tries:  # many regions meet in a corner
            if ledger.witness is None or self._closed():
                break
            status = yield from self._stage(min(ledger.upper, far), limit, layers_first=layers_first)
            if status:
                return status
        return ""

    def _closed(self) -> bool:
        """Is the lower bound within reach of the upper one?"""
        return self.ledger.lower >= self.ledger.upper * CLOSE_ENOUGH

    def _next_radius(self, step: float) -> float:
        """The radius of the next stage: `step` more of the upper bound; four times the last one while there is none."""
        lower, upper = self.ledger.lower, self.ledger.upper
        if upper == math.inf:
            return max(4 * lower, 1e-2)
        radius = lower + step * upper
        return upper if radius + step / 2 * upper > upper else radius

    def _stage(
        self, radius: float, limit: float = math.inf, *, until: float = math.inf, layers_first: bool = False
    ) -> Generator[SearchStep, None, str]:
        """Search the ball of `radius` with up to `limit` nodes; returns why the whole search has to end, if it has.

        until: the seconds since the start at which the stage is given up; what it has proved by then counts.
        """
        ledger = self.ledger
        ball = Ball.around(self.local, radius)
        tree = Tree(ball, ledger.net.classes, self.proposer, layers_first=layers_first)
        ledger.maker, used, batches = BRANCHING, 0, 0
        while not tree.finished and used < limit and ledger.seconds < until:
            width, status = self._affordable_width(tree)
            if status:
                return status
            begun = ledger.seconds
            try:
                with ledger.in_time():
                    bounded = tree.advance(min(radius, ledger.upper * CLOSE_ENOUGH), width)
            except OutOfTime:
                return TIME
            count, batches = len(bounded.distance), batches + 1
            self.pace.done(count, ledger.seconds - begun)
            used, ledger.regions, ledger.queue = used + count, ledger.regions + count, len(tree)
            if self._worth_a_look(bounded, batches) or tree.finished:
                self._look_at(bounded, batches)
            ledger.raise_lower(tree.lower)
            yield ledger.step()
            if len(tree) > self.max_queue:
                return MEMORY
        # Rounding costs a share of the radius: what a large one could not settle a smaller one may.
        small = radius <= (ledger.upper if ledger.upper < math.inf else 8 * tree.lower)
        stuck = tree.finished and tree.lower < min(radius, ledger.upper * CLOSE_ENOUGH)
        return UNPROVED if stuck and small else ""

    def _affordable_width(self, tree: Tree) -> tuple[int, str]:
        """How many nodes the time and the regions left allow to branch at once, and the limit that forbids even one."""
        ledger = self.ledger
        width = max(1, min(self.pace.width, len(tree)))
        if ledger.max_regions < math.inf:
            width = max(1, min(width, int(ledger.max_regions - ledger.regions) // 2))
        count = tree.roots or 2 * width
        return width, ledger.stopped(seconds=self.pace.expected(count), regions=count)

    def _worth_a_look(self, bounded: Bounded, batches: int) -> bool:
        """With two inputs a look costs as much as two batches; leaves, which don't come again, are always worth one."""
        settled = (bounded.branch < 0) & (bounded.distance < self.ledger.upper * CLOSE_ENOUGH)
        return not planar(self.local) or batches <= 2 or batches % 8 == 0 or bool(settled.any())

    def _improve(self, near: np.ndarray) -> None:
        """`improve` from the point y (m,), while there is time."""
        with self.ledger.in_time():
            improve(self.ledger, self.local, near, self.proposer)

    @np.errstate(all="ignore")  # overflow is dealt with where it counts
    def _look_at(self, bounded: Bounded, batches: int) -> None:
        """Look for a nearer witness among the points where the nodes' bounds are attained."""
        local, upper = self.local, self.ledger.upper
        finite = np.flatnonzero(bounded.distance < upper * CLOSE_ENOUGH)
        if not len(finite):
            return
        gaps = local.leads(bounded.nearest[finite])
        leaf = bounded.branch[finite] < 0
        good = finite[(gaps <= 0) | leaf]
        if len(good):
            self._improve(bounded.nearest[good[bounded.distance[good].argmin()]])
        elif batches & (batches - 1) == 0:
            self._improve(bounded.nearest[finite[gaps.argmin()]])
        if planar(local):
            near = bounded.nearest[finite[bounded.distance[finite].argmin()]]
            self.ledger.offer(torch.from_numpy(local.inputs(next_to(near))))


def _expected_seconds(net: Network) -> float:
    """A guess of the time that one node takes, before any is measured."""
    operations, below = 0.0, 0.0
    sizes = (min(net.inputs, net.outputs[0]), *net.outputs)
    for k in range(1, len(sizes)):
        operations += 4.0 * sizes[k] * below
        below += float(sizes[k - 1] * sizes[k])
    return 1e-4 + operations / 5e9


def exact(
    net: Network,
    points: torch.Tensor,
    *,
    norm: float,
    labels: torch.Tensor | None,
    max_seconds: float | None = 10.0,
    max_regions: int | None = None,
) -> list[Certificate]:
    """The exact distance in the norm 2, or the interval reached within the budgets, point by point.

    requires: norm 2; max_seconds, max_regions: budgets of each point, kept within 10 % (None: without).
    returns: the lower bound as the radius; `upper` and `witness` with it; guarantee "exact" when the witness is within
    (1 + 1e-6) radius. status: "exact", or what stopped the search and the interval; parts: "regions" (nodes).
    guarantee: a lower bound with proven rounding, never below the simplex and the CROWN-Ada certificates.
    """

    def start(point: torch.Tensor, label: int) -> Iterator[SearchStep]:
        return explore(net, point, label, max_seconds=max_seconds, max_regions=max_regions)

    return certify_each(ENTRY.name, start, net, points, norm, labels)


ENTRY = CertificateEntry(
    name="exact",
    place=110,
    title="Exact search",
    run=exact,
    norms=(2.0,),
    any_layers=True,
    guarantee=EXACT,
    sentence="Splits the ball along the neurons' switches until every piece is proved free of other classes, and so "
    "finds the true distance, where the time suffices; else what is proved by then.",
    reference="branch and bound with linear bounds: Wang et al., Beta-CROWN (2021); Jordan et al., GeoCert (2019)",
    options={
        "max_seconds": "seconds for each point (10; none: no limit)",
        "max_regions": "pieces of the ball looked at for each point",
    },
)
