"""Best-first branch and bound within one ball: the queue of nodes and what it proves."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import replace

import numpy as np

from relucert_core.search.exact.facts import Facts, branched, everything, pack, unpack
from relucert_core.search.exact.nodes import Bounded, bound_nodes, bound_tightened
from relucert_core.search.exact.relax import Ball
from relucert_core.search.exact.tighten import tighten
from relucert_core.search.half_spaces import Proposer
from relucert_core.search.local_network import LocalNetwork

_WORK = 2_000_000  # numbers in the widest array of a batch, about
_WIDEST = 32  # nodes branched at once


def widest(local: LocalNetwork) -> int:
    """How many nodes to branch on at once, at most: larger batches leave the processor's cache."""
    return max(1, min(_WIDEST, _WORK // max(local.neurons**2, 1)))


class Tree:
    """The nodes of one ball. `floor` and the queue always cover every adversarial point of the ball.

    For every such point y: ||y|| >= `lower`. Nodes at or above the threshold given to `advance` are dropped and only
    lower the floor. layers_first: branch on a layer only where the ones before it are settled.
    """

    def __init__(self, ball: Ball, classes: int, proposer: Proposer, *, layers_first: bool = False) -> None:
        local = ball.local
        self.ball, self.proposer, self.layers_first = ball, proposer, layers_first
        self.floor = math.inf
        rivals = np.array([j for j in range(classes) if j != local.label])
        self._roots: Facts | None = everything(rivals, np.concatenate(ball.sizes[:-1]), local.size)
        self._heap: list[tuple[float, int, np.ndarray, int]] = []
        self._count = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def lower(self) -> float:
        """The smallest proved distance over the ball's adversarial points; at most the ball's radius."""
        if self._roots is not None:
            return 0.0
        waiting = self._heap[0][0] if self._heap else math.inf
        return min(self.floor, waiting, self.ball.radius)

    @property
    def finished(self) -> bool:
        """Is there nothing left to branch on below the floor?"""
        return self._roots is None and (not self._heap or self._heap[0][0] >= self.floor)

    @property
    def roots(self) -> int:
        """How many roots the first `advance` bounds; 0 afterwards."""
        return 0 if self._roots is None else len(self._roots)

    @np.errstate(all="ignore")  # overflow is dealt with where it counts
    def advance(self, threshold: float, width: int) -> Bounded:
        """Branch on the `width` nearest nodes (or bound the roots) and queue the children below the threshold.

        Should anything fail half-way, the nodes taken are put back: the tree stays a cover.
        """
        if self._roots is not None:
            one = tighten(self.ball, self._roots.take(slice(0, 1)))  # nothing yet tells the rivals' sets apart
            known = one.take(np.zeros(len(self._roots), dtype=np.int64))
            known = replace(known, rival=self._roots.rival)
            bounded, self._roots = bound_tightened(self.ball, known, self.proposer, self.layers_first), None
        else:
            taken = [heapq.heappop(self._heap) for _ in range(max(1, min(width, len(self._heap))))]
            parents = unpack(np.stack([entry[2] for entry in taken]), self.ball.local.neurons)
            try:
                children = branched(parents, np.array([entry[3] for entry in taken]))
                bounded = bound_nodes(self.ball, children, self.proposer, self.layers_first)
            except BaseException:
                for entry in taken:
                    heapq.heappush(self._heap, entry)
                raise
        self._queue(bounded, threshold)
        return bounded

    def _queue(self, bounded: Bounded, threshold: float) -> None:
        rows = pack(bounded.facts)
        for i, distance in enumerate(bounded.distance.tolist()):
            if distance < threshold and bounded.branch[i] >= 0:
                heapq.heappush(self._heap, (distance, next(self._count), rows[i].copy(), int(bounded.branch[i])))
            else:
                self.floor = min(self.floor, distance)
