"""The best that is known of one point: the largest proved radius and the nearest adversarial point, with their methods.

One record answers for a network, a point and a norm wherever a headline is shown. It is compared by content (digests),
and two records of the same content make one that is at least as good as either: both bounds hold, so the larger lower
bound and the smaller upper one hold together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from relucert_core.arrays import Vector
from relucert_core.certificates.result import ESTIMATE, Certificate
from relucert_core.errors import InvalidInput
from relucert_core.experiments.search_run import SearchRun, rival_at
from relucert_core.experiments.store import point_digests
from relucert_core.network import Network
from relucert_core.rounding import below
from relucert_core.search import search
from relucert_core.search.ledger import BRANCHING, EXACT_STATUS, LOOK_AROUND, POLISH, RAYS, WALK, SearchStep
from relucert_core.witness import WITNESS_SLACK
from relucert_core.words import down, norm_name, up

_MAKERS = {
    RAYS: "rays in straight lines",
    POLISH: "the way on from region to region",
    BRANCHING: "branch and bound",
    LOOK_AROUND: "the look all around",
    WALK: "the walk over neighbours",
}
MAX_QUEUE = 1_000_000  # of the walk over neighbours, which serves the norms 1 and inf


def _with_cheap_certificates(known: BestKnown, net: Network, point: np.ndarray) -> BestKnown:
    """The record of a point (D,) with what the registry's lower bounds without a limit of time prove."""
    from relucert_core.registry import CERTIFICATES, certify, supports

    for entry in CERTIFICATES.values():
        if entry.guarantee != ESTIMATE and "max_seconds" not in entry.options and not supports(entry, net, known.norm):
            found = certify(net, point, method=entry.name, norm=known.norm)
            assert isinstance(found, Certificate)  # of one point
            known = with_certificate(known, found)
    return known


@cache
def maker_titles() -> dict[str, str]:
    """What the makers of bounds are called: certificates, attacks, and what a search does besides."""
    from relucert_core.attacks import ATTACKS
    from relucert_core.registry import CERTIFICATES

    named = {name: entry.title for entries in (CERTIFICATES, ATTACKS) for name, entry in entries.items()}
    return named | _MAKERS


@dataclass(frozen=True, eq=False)
class BestKnown:
    """What is known of one point: the exact radius lies in [lower, upper].

    digest, image: of network and point, the content that the record belongs to. norm: 1, 2 or inf. label: the class
    read at the point, against which adversarial is meant. lower: a proved radius, by the method `lower_by`. upper: the
    distance of the witness, by `upper_by`; inf without one. witness: (D,), proved adversarial, or None. seconds: the
    work that it took. stored: is a record that ships with the project part of it?
    """

    digest: str
    image: str
    norm: float
    label: int
    lower: float
    upper: float
    lower_by: str = ""
    upper_by: str = ""
    witness: Vector | None = None
    seconds: float = 0.0
    stored: bool = False

    @property
    def exact(self) -> bool:
        """Does the witness prove the radius, up to the factor 1 + 1e-6?"""
        return self.witness is not None and self.upper <= below(self.lower * (1 + WITNESS_SLACK))

    @property
    def settled(self) -> bool:
        """Is there nothing left to look for: the distance is known, or nothing is adversarial at all?"""
        return self.exact or self.lower == math.inf or self.upper == 0

    @property
    def share(self) -> float:
        """How much of the distance is proved, from the two numbers as they are shown; NaN where they say nothing."""
        low, high = shown(self.lower), shown(self.upper, upward=True)
        return low / high if 0 < high < math.inf else math.nan

    @property
    def key(self) -> tuple[str, str, float]:
        """The content that the record belongs to."""
        return self.digest, self.image, self.norm

    def better(self, other: BestKnown) -> BestKnown:
        """The larger lower and the smaller upper bound of two records of the same content.

        Raises InvalidInput for records of different content.
        """
        if (*self.key, self.label) != (*other.key, other.label):
            raise InvalidInput("Two records can be joined only where network, point, norm and class are the same.")
        low = self if self.lower >= other.lower else other
        high = self if self.upper <= other.upper else other
        return replace(
            self, lower=low.lower, lower_by=low.lower_by, upper=high.upper, upper_by=high.upper_by,
            witness=high.witness, seconds=max(self.seconds, other.seconds), stored=self.stored or other.stored,
        )  # fmt: skip

    def sentence(self, reads: str | None = None) -> str:
        """Both bounds with their methods, rounded outward; `reads`: the class's name (None: its number)."""
        titles, name = maker_titles(), str(self.label) if reads is None else reads
        maker = titles.get(self.lower_by, self.lower_by)
        if self.exact:
            return f"reads {name}; safe to {down(self.lower)}, and no farther: exact ({maker}), {norm_name(self.norm)}"
        low = f"reads {name}; safe to {down(self.lower)} ({maker})"
        if self.upper == math.inf:
            return f"{low}; no other answer is known, {norm_name(self.norm)}"
        return f"{low}; fooled at {up(self.upper)} ({titles.get(self.upper_by, self.upper_by)}), {norm_name(self.norm)}"

    def __str__(self) -> str:
        return self.sentence()


def shown(value: float, *, upward: bool = False) -> float:
    """The number that stands on a page for a bound; percentages and ratios are made of it."""
    if not math.isfinite(value):
        return value
    return float(up(value, power="e") if upward else down(value, power="e"))


def content(net: Network, point: np.ndarray, norm: float) -> tuple[str, str, float]:
    """The key of the records of a network, a point (D,) and a norm."""
    return net.digest, point_digests(np.asarray(point).reshape(1, -1))[0], float(norm)


def nothing_known(net: Network, point: np.ndarray, norm: float, label: int) -> BestKnown:
    """The record that holds before any work: the distance lies between 0 and infinity."""
    digest, image, order = content(net, point, norm)
    return BestKnown(digest, image, order, label, 0.0, math.inf)


def with_certificate(known: BestKnown, found: Certificate) -> BestKnown:
    """The record with what a certificate proves; an estimate, and a certificate against another class, add nothing."""
    if found.guarantee == ESTIMATE or found.norm != known.norm or found.label != known.label:
        return known
    return with_bounds(known, found.radius, found.method, found.upper, found.method, found.witness)


def with_bounds(
    known: BestKnown, lower: float, lower_by: str, upper: float, upper_by: str, witness: np.ndarray | None
) -> BestKnown:
    """The record with a proved radius, and the distance of a witness (D,) that is proved adversarial, if there is one.

    seconds: what it took stays as it was.
    """
    far = math.inf if witness is None else upper
    return known.better(replace(known, lower=lower, lower_by=lower_by, upper=far, upper_by=upper_by, witness=witness))


def with_step(known: BestKnown, step: SearchStep) -> BestKnown:
    """The record with the state of a search from the same point against the same class."""
    joined = with_bounds(known, step.lower, step.lower_by, step.upper, step.upper_by, step.witness)
    return replace(joined, seconds=max(known.seconds, step.seconds))


def with_run(known: BestKnown, run: SearchRun) -> BestKnown:
    """The record with what a recorded search from the same point against the same class found."""
    last = run.last
    joined = with_bounds(known, run.lower, last.lower_by, run.upper, last.upper_by, run.witness)
    return replace(joined, seconds=max(known.seconds, last.seconds))


def completed(run: SearchRun, known: BestKnown, net: Network) -> SearchRun:
    """A recorded search that ends at what is known: where more is known than it found, that is its last reading.

    It stands at the time that finding it took, or at the run's end. Traces then end in the numbers of the headline.
    """
    if known.lower <= run.lower and known.upper >= run.upper:
        return run
    last, best = run.last, with_run(known, run)
    more = replace(
        last, seconds=max(last.seconds, known.seconds), lower=best.lower, upper=best.upper, lower_by=best.lower_by,
        upper_by=best.upper_by,
    )  # fmt: skip
    rival = run.rival if best.witness is run.witness else rival_at(net, best.witness, known.label)
    status = EXACT_STATUS if best.exact else run.status
    return replace(run, readings=(*run.readings, more), witness=best.witness, rival=rival, status=status)


def improved(
    net: Network, point: np.ndarray, norm: float = 2.0, *, max_seconds: float | None = 20.0, starts: Any = None
) -> Iterator[BestKnown]:
    """Look for the best bounds of one point (D,), anytime: a record after every step of the search.

    method: in norm 2 the exact search, which begins with every cheaper certificate and attack; in the norms 1 and inf
    every certificate that needs no limit of time (not counted in `max_seconds`), and then the walk over neighbouring
    regions, whose attacks are those of the exact search. starts: (S, D) points of other classes for the attacks.
    guarantee: both bounds of every record hold; lower never falls, upper never rises.
    """
    label = int(np.asarray(net(point)).argmax())
    known = nothing_known(net, point, norm, label)
    if norm != 2:
        known = _with_cheap_certificates(known, net, point)
        yield known
    options: dict[str, Any] = {"method": "exact"} if norm == 2 else {"method": "neighbours", "max_queue": MAX_QUEUE}
    steps: Any = search(net, point, norm, starts=starts, max_seconds=max_seconds, **options)
    with closing(steps):
        for step in steps:
            known = with_step(known, step)
            yield known
