"""Grow the certified ball from region to region, best first, without a solver on the way (norms 1, 2 and inf).

Every region is a pattern of switches; on its closed polyhedron the network is affine. The distance to the *whole*
hyperplane of a neuron is a lower bound on the distance to the face, and needs no program. The walk starts in the region
of the point. In each round it takes moves of the smallest keys, a batch at a time, and looks at the regions that they
lead to: it pushes all their neighbours, one neuron flipped, with the key max(k, distance to that neuron's hyperplane),
and their decision planes, with the key max(k, their distance), where k is the smallest key at the round's beginning.

**Why the smallest key is a certificate.** Let x lie at distance r. Walk from u to x: where the closed region changes at
a point y, each neuron that changes has the pre-activation 0 at y, so u's distance to its hyperplane is at most
||y - u|| <= r. Flipping these neurons one after another, y stays in the closed region each time (an activation of 0 is
the same on and off), so a chain of moves leads to the region of x, each over a hyperplane within r. As long as a region
of the chain has not been looked at, the move to the first such one waits; its key is at most r, and so is every k of
the regions before it, for in each round before theirs such a move waited too. So while a key up to r is missing among
those that wait, the region of x has been looked at, its decision planes are farther than r or settled, and x is not
adversarial. Nothing of this needs an order within a batch: with the moves' own keys for k it would, as a region may be
reached over a longer way first.
Exactly proportional first-layer rows flip together: between their flips lie only pieces of their common hyperplane,
which the closed regions on either side contain. A neuron whose sign at u rounding leaves open has the distance 0 in
every region, so that the walk can reach the true region of u at once.

A decision plane that surfaces may miss its region: then it is tightened by the proof rule (`planes`). If its nearest
point proves to be adversarial the search ends with the exact radius, if it does not, it stops with that status.
Sources: Jordan, Lewis and Dimakis, GeoCert (2019); Fromherz et al., Fast Geometric Projections (2021).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.result import EXACT, Certificate, CertificateEntry
from relucert_core.forward import proven_forward
from relucert_core.layers import active
from relucert_core.network import Network
from relucert_core.norms import NORMS, dual
from relucert_core.search.each import certify_each
from relucert_core.search.half_spaces import Proposer, propose_weights
from relucert_core.search.ledger import (
    CLOSE_ENOUGH,
    FAR,
    MEMORY,
    NONE_FOUND,
    NOWHERE,
    SEARCHING,
    WALK,
    Ledger,
    Pace,
    SearchStep,
)
from relucert_core.search.local_network import LocalNetwork, local_network
from relucert_core.search.neighbours.coincident import coincident_groups
from relucert_core.search.neighbours.frontier import Frontier
from relucert_core.search.neighbours.planes import DecisionCell, cell_distance, decision_cell, inner_points
from relucert_core.search.neighbours.regions import hyperplanes, make_atlas
from relucert_core.search.start import attack_step, first_step

STALLED = "a decision plane surfaced that neither a proof nor a witness settles"
QUEUE = 20_000_000  # moves of 16 bytes
_BATCH = 256
_ENTRY_SECONDS = 1e-7  # what it takes to set out, for each entry of the first layer
_NUMBERS = 4_000_000  # in the rows of a batch


def walk(
    net: Network,
    point: torch.Tensor,
    label: int,
    *,
    norm: float = 2.0,
    starts: Any = None,
    max_seconds: float | None = None,
    max_regions: int | None = None,
    max_queue: int | None = None,
    proposer: Proposer = propose_weights,
) -> Iterator[SearchStep]:
    """Search from one point (D,), a step after every batch of regions; the last step's status says why it ended.

    max_queue: how many moves may wait; beyond, the farthest are forgotten, and the search ends at the nearest of those.
    """
    ledger = Ledger(net, point, label, norm, max_seconds=max_seconds, max_regions=max_regions)
    first = first_step(ledger)
    yield first
    if first.status != SEARCHING:
        return
    status = ""
    if ledger.lower < math.inf and not first.exact:
        yield from attack_step(ledger, starts, "best")
        status = ledger.stopped(seconds=_ENTRY_SECONDS * net.affine[0].inputs * net.affine[0].outputs)
        if not status:
            status = yield from _Walk(ledger, proposer, QUEUE if max_queue is None else max_queue).run()
    yield ledger.step(NOWHERE if ledger.lower == math.inf else status or STALLED)


class _Walk:
    """The regions seen and the moves that wait. Moves: 0..G-1 flip a group, then K decisions, then K tightened ones."""

    def __init__(self, ledger: Ledger, proposer: Proposer, limit: int) -> None:
        net = ledger.net
        local = local_network(net, ledger.point, ledger.label, whiten=ledger.norm == 2)
        self.ledger, self.proposer = ledger, proposer
        self.atlas, self.frontier = make_atlas(local, dual(ledger.norm)), Frontier(limit)
        groups = _groups(local, net)
        self.leads = np.array([group[0][0] for group in groups], dtype=np.int64)
        self.flips = np.zeros((len(groups), local.neurons), dtype=bool)
        for g, group in enumerate(groups):
            self.flips[g, [neuron for neuron, _ in group]] = True
        start, open_signs = _start(ledger, groups, local.carried)
        self.open = open_signs[self.leads]
        self.patterns = np.zeros((1024, local.neurons), dtype=bool)
        self.patterns[0] = start
        self.seen, self.floor = set(_names(start[None])), math.inf
        widest = max(1, min(_BATCH, _NUMBERS // (local.size * (local.neurons + self.atlas.classes))))
        work = local.size * sum(weight.size for weight in local.weights)
        self.pace = Pace(2e-5 + 2e-10 * work, widest, ledger.max_seconds)
        self.settling = 1e-3

    @property
    def lower(self) -> float:
        """What is proved: the smallest key that waits, was dropped or could not be settled."""
        return min(self.frontier.least, self.floor)

    def run(self) -> Generator[SearchStep, None, str]:
        """Walk until something ends it; returns why."""
        ledger = self.ledger
        ledger.maker = WALK
        status = ledger.stopped(seconds=self.pace.each)
        if status:
            return status
        yield self._look(np.arange(1), 0.0)
        while True:
            ledger.raise_lower(self.lower)
            ended = self._ended()
            if ended is not None:
                return ended
            least = self.frontier.least
            taken = self.frontier.pop(4 * self.pace.width)
            flips = taken["move"] < len(self.leads)
            allowed = int(min(self.pace.width, ledger.max_regions - ledger.regions))
            fresh, left = self._enter(taken[flips], allowed)
            self._put_back(left)
            for move in (late := taken[~flips]):
                if not ledger.stopped(seconds=self.settling, regions=0):
                    self._settle(*move.tolist())
                    late = late[1:]
            self._put_back(late)
            if not len(fresh):
                continue
            status = ledger.stopped(seconds=self.pace.expected(len(fresh)), regions=len(fresh))
            if status:
                ledger.raise_lower(min(self.lower, least))
                return status
            yield self._look(fresh, least)

    def _ended(self) -> str | None:
        """Why the search is over, "" where the bounds meet; None while it is not."""
        ledger, lower = self.ledger, self.lower
        if ledger.lower >= ledger.upper * CLOSE_ENOUGH:
            return ""
        if lower >= FAR * (1 + float(ledger.point.abs().max())):
            return NONE_FOUND
        if lower >= self.floor:
            return STALLED
        if lower >= self.frontier.horizon:
            return MEMORY
        return ledger.stopped(seconds=self.pace.each, regions=1) or None

    def _put_back(self, moves: np.ndarray) -> None:
        """Let moves wait again."""
        self.frontier.push(moves["key"], moves["region"], moves["move"])

    def _look_for_witness(self, cell: DecisionCell, near: np.ndarray, bound: float) -> None:
        """Offer the nearest point of a cell; points a little inside it where that one cannot be proved."""
        ledger, inputs = self.ledger, self.atlas.local.inputs
        upper = ledger.upper
        ledger.offer_beyond(inputs(near))
        if ledger.upper * CLOSE_ENOUGH > bound:
            for point in inner_points(cell, near, self.proposer):
                ledger.offer_beyond(inputs(point))
        if ledger.upper < upper:
            self.frontier.trim(ledger.upper)

    def _put_back_one(self, key: float, region: int, move: int) -> None:
        """Let one move wait."""
        self.frontier.push(np.array([key]), np.array([region]), np.array([move]))

    def _enter(self, moves: np.ndarray, allowed: int) -> tuple[np.ndarray, np.ndarray]:
        """Write down up to `allowed` regions not seen yet that the moves lead to: their numbers, and the moves left."""
        flipped = self.patterns[moves["region"]] ^ self.flips[moves["move"]]
        names = _names(flipped)
        keep: list[int] = []
        stop = len(names)
        for i, name in enumerate(names):
            if name not in self.seen:
                if len(keep) >= allowed:
                    stop = i
                    break
                self.seen.add(name)
                keep.append(i)
        begin, end = len(self.seen) - len(keep), len(self.seen)
        while end > len(self.patterns):
            self.patterns = np.concatenate([self.patterns, np.zeros_like(self.patterns)])
        self.patterns[begin:end] = flipped[keep]
        return np.arange(begin, end), moves[stop:]

    @np.errstate(all="ignore")  # overflow is dealt with where it counts
    def _look(self, regions: np.ndarray, least: float) -> SearchStep:
        """Look at regions: push their neighbours and decision planes below the upper bound, with keys from `least`."""
        ledger, begun = self.ledger, self.ledger.seconds
        patterns = self.patterns[regions]
        found = hyperplanes(self.atlas, patterns)
        faces = np.where(self.open, 0.0, found.faces[:, self.leads])
        ahead = np.maximum(np.concatenate([faces, found.decisions], axis=1), least)
        place, move = np.nonzero(ahead < ledger.upper)
        self.frontier.push(ahead[place, move], regions[place], move)
        ledger.regions += len(regions)
        ledger.queue = len(self.frontier)
        self.pace.done(len(regions), ledger.seconds - begun)
        return ledger.step(patterns=patterns[:, ~self.atlas.local.carried])

    @np.errstate(all="ignore")  # overflow is dealt with where it counts
    def _settle(self, key: float, region: int, move: int) -> None:
        """A decision plane surfaced: prove it farther, or find the witness; else the search cannot get beyond."""
        ledger, classes, begun = self.ledger, self.atlas.classes, self.ledger.seconds
        again, rival = divmod(move - len(self.leads), classes)
        if key >= ledger.upper:
            return
        if again:
            self.floor = min(self.floor, key)
            return
        far = FAR * (1 + float(ledger.point.abs().max()))
        radius = min(ledger.upper, far)
        cell = decision_cell(self.atlas, self.patterns[region], rival)
        bound, near = cell_distance(cell, radius, self.proposer)
        if 4 * bound < radius:  # rounding costs a share of the radius: ask again for a smaller one
            bound, near = max((bound, near), cell_distance(cell, 2 * max(bound, key), self.proposer), key=_first)
        if bound < radius:  # the plane may well reach its region there
            self._look_for_witness(cell, near, bound)
            self._put_back_one(max(key, bound), region, move + classes)
        elif radius < ledger.upper:
            self._put_back_one(far, region, move + classes)
        self.settling = 0.8 * self.settling + 0.2 * (ledger.seconds - begun)


def _names(patterns: np.ndarray) -> list[bytes]:
    """Whole patterns (B, N) as bytes, eight neurons each."""
    packed = np.packbits(patterns, axis=1)
    names: list[bytes] = packed.view(f"V{packed.shape[1]}").ravel().tolist() if len(packed) else []
    return names


def _first(pair: tuple[float, Any]) -> float:
    return pair[0]


def _groups(local: LocalNetwork, net: Network) -> list[list[tuple[int, int]]]:
    """The neurons that flip together, as `coincident_groups` lists them, and all others alone; carried ones never."""
    first, stop = np.flatnonzero(~local.carried[local.slices[0]]), local.slices[0].stop
    together = coincident_groups(net.affine[0].weight.numpy()[first], net.affine[0].bias.numpy()[first])
    groups = [[(int(first[neuron]), side) for neuron, side in group] for group in together]
    return groups + [[(int(neuron), 1)] for neuron in stop + np.flatnonzero(~local.carried[stop:])]


def _start(ledger: Ledger, groups: list[list[tuple[int, int]]], carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pattern (N,) at the point, a group's signs following its first one, and which signs rounding leaves open."""
    forward = proven_forward(ledger.net, ledger.point.unsqueeze(0))
    values = torch.cat(forward.values[:-1], dim=1)[0].numpy()
    errors = torch.cat(forward.errors[:-1], dim=1)[0].numpy()
    pattern = active(values, carried)
    for group in groups:
        for neuron, side in group:
            pattern[neuron] = pattern[group[0][0]] == (side > 0)
    return pattern, ~(np.abs(values) > errors)


def neighbours(
    net: Network,
    points: torch.Tensor,
    *,
    norm: float,
    labels: torch.Tensor | None,
    max_seconds: float | None = 10.0,
    max_regions: int | None = None,
) -> list[Certificate]:
    """Growing over the neighbouring regions from each point of a batch (B, D).

    requires: norm 1, 2 or inf; max_seconds, max_regions: budgets of each point, kept within 10 % (None: without).
    returns: the smallest key as the radius, never below the simplex certificate; `upper` and `witness` of the best
    attack or of the walk; guarantee "exact" when the witness is within (1 + 1e-6) radius. parts: "regions".
    guarantee: a lower bound with proven rounding (see the module).
    """

    def start(point: torch.Tensor, label: int) -> Iterator[SearchStep]:
        return walk(net, point, label, norm=norm, max_seconds=max_seconds, max_regions=max_regions)

    return certify_each(ENTRY.name, start, net, points, norm, labels)


ENTRY = CertificateEntry(
    name="neighbours",
    place=100,
    title="Neighbouring regions",
    run=neighbours,
    norms=NORMS,
    any_layers=True,
    guarantee=EXACT,
    sentence="Starts as the ball of the own region, then walks into the neighbouring regions, the nearest first, and "
    "lets the ball grow for as long as no other class turns up.",
    reference="Jordan et al., GeoCert (2019); Fromherz et al., Fast Geometric Projections (2021)",
    options={
        "max_seconds": "seconds for each point (10; none: no limit)",
        "max_regions": "regions looked at for each point",
    },
)
