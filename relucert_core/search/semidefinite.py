"""The certificate `semidefinite`, from both sides: the relaxation's proved radius below, witnesses above.

The cheaper bounds and the best attack come first; then `certificates.semidefinite` raises the radius, and each of its
solutions gives directions that are followed to the boundary (`improve`), which lowers the upper bound and with it the
radii that are tried. Certificates know nothing of attacks: the upper bound and the way to a nearer witness go in as
arguments, the proved witness comes out, and may be passed on as `starts=` to any attack.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.result import EXACT, TIME, Certificate, CertificateEntry
from relucert_core.certificates.semidefinite.radius import improvements
from relucert_core.deadline import now
from relucert_core.network import Network
from relucert_core.search.each import certify_each
from relucert_core.search.improve import improve, improve_along
from relucert_core.search.ledger import NOWHERE, POLISH, REGIONS, SEARCHING, Ledger, SearchStep, check_budgets
from relucert_core.search.local_network import LocalNetwork, local_network
from relucert_core.search.start import attack_step, first_step, linear_step, quadratic_step

NO_MORE = "nothing more was gained"
_DEFAULT_SECONDS = 10.0


def two_sides(
    net: Network,
    point: torch.Tensor,
    label: int,
    *,
    starts: Any = None,
    max_seconds: float | None = None,
    max_iterations: int | None = None,
) -> Iterator[SearchStep]:
    """Search from one point (D,), a step after every improvement; the last step's status says why it ended.

    starts: (S, D) points for the attack. max_iterations: of the solver; `regions` counts them.
    """
    check_budgets(max_iterations=max_iterations)
    ledger = Ledger(net, point, label, 2.0, max_seconds=max_seconds, max_regions=max_iterations)
    first = first_step(ledger)
    yield first
    if first.status != SEARCHING:
        return
    status = NO_MORE
    if ledger.lower < math.inf:
        status = yield from _both(ledger, starts)
    yield ledger.step(NOWHERE if ledger.lower == math.inf else ledger.stopped(regions=0) or status)


def _both(ledger: Ledger, starts: Any) -> Generator[SearchStep, None, str]:
    """CROWN-Ada, the quadratic bounds, the attack, then the relaxation; returns why it ended."""
    local = local_network(ledger.net, ledger.point, ledger.label)
    yield from linear_step(ledger)
    yield from quadratic_step(ledger)
    if not ledger.step().exact:
        yield from attack_step(ledger, starts, "best")
        if ledger.witness is not None:
            ledger.maker = POLISH
            improve(ledger, local, local.nearby(ledger.witness))
    return (yield from _relaxation(ledger, local))


def sharpened(
    net: Network, point: torch.Tensor, label: int, *, lower: float, upper: float, max_seconds: float
) -> Iterator[SearchStep]:
    """The relaxation alone, from a radius proved before and the distance of an adversarial point known before.

    Steps carry a witness once one nearer than that is found. Time is counted, and may be looked at, by the clock of
    `deadline.counted_by`: it is asked at every iteration of the solver.
    """
    ledger = Ledger(net, point, label, 2.0, max_seconds=max_seconds, max_regions=None)
    ledger.lower, ledger.upper = lower, upper
    yield from _relaxation(ledger, local_network(net, point, label))


def _relaxation(ledger: Ledger, local: LocalNetwork) -> Generator[SearchStep, None, str]:
    """The steps of `certificates.semidefinite`, its directions followed to the boundary; returns why they ended."""

    def follow(direction: np.ndarray) -> float:
        improve_along(ledger, local, direction)
        return ledger.upper

    ledger.maker = ENTRY.name
    steps = improvements(
        ledger.net, ledger.point, ledger.label, lower=ledger.lower, upper=ledger.upper, follow=follow,
        max_seconds=ledger.max_seconds - ledger.seconds, max_iterations=ledger.max_regions, clock=now,
    )  # fmt: skip
    spent = False
    for found in steps:
        ledger.raise_lower(found.lower)
        ledger.regions, spent = found.iterations, found.spent
        yield ledger.step()
    if not spent:
        return NO_MORE
    return REGIONS if ledger.regions >= ledger.max_regions else TIME


def semidefinite(
    net: Network,
    points: torch.Tensor,
    *,
    norm: float,
    labels: torch.Tensor | None,
    max_seconds: float | None = _DEFAULT_SECONDS,
    max_iterations: int | None = None,
) -> list[Certificate]:
    """A proved radius in the norm 2 and the nearest adversarial point met, point by point.

    requires: norm 2; max_seconds, max_iterations (of the solver): budgets of each point (None: until nothing more is
    gained).
    returns: the radius, never below the simplex, the CROWN-Ada and, where its time sufficed, the quadratic one;
    `upper`, `witness` and `ratio` with it; guarantee "exact" when the witness is within (1 + 1e-6) radius. status:
    "exact", or what stopped it and the interval. parts: "iterations" of the solver, "simplex".
    guarantee: a lower bound; only radii with a proof count, see `certificates.semidefinite.proof`.
    cost: cubic in the number of neurons that are open in the ball.
    """

    def start(point: torch.Tensor, label: int) -> Iterator[SearchStep]:
        return two_sides(net, point, label, max_seconds=max_seconds, max_iterations=max_iterations)

    found = certify_each(ENTRY.name, start, net, points, norm, labels)
    return [dataclasses.replace(item, parts=_renamed(item)) for item in found]


def _renamed(item: Certificate) -> dict[str, Any]:
    """The parts, with the steps' count under its name here."""
    return {"iterations": item.parts["regions"], "simplex": item.parts["simplex"]}


ENTRY = CertificateEntry(
    name="semidefinite",
    place=65,
    title="Semidefinite",
    run=semidefinite,
    norms=(2.0,),
    any_layers=True,
    guarantee=EXACT,
    sentence="Writes the search for the nearest adversarial point down exactly, relaxes it to a convex problem over "
    "matrices, and proves its answer: often within a few per cent of the true distance.",
    reference="Raghunathan, Steinhardt and Liang, Semidefinite relaxations for certifying robustness (2018), for the "
    "distance, with bounds from balls, cuts and a proof in floating point",
    options={
        "max_seconds": "seconds for each point (10; none: until nothing more is gained)",
        "max_iterations": "iterations of the solver for each point",
    },
)
