"""The certificate `semidefinite`: the cheaper bounds first, then the search for a larger radius, point by point."""

from __future__ import annotations

import dataclasses
import math
import time
from collections import deque

import torch

from relucert_core.certificates.linear_bounds import ENTRIES as LINEAR_BOUNDS
from relucert_core.certificates.quadratic.radius import ENTRY as QUADRATIC
from relucert_core.certificates.result import EXACT, LOWER_BOUND, OK, Certificate, CertificateEntry, Limit
from relucert_core.certificates.semidefinite.radius import Improvement, improvements
from relucert_core.errors import InvalidInput
from relucert_core.network import Network
from relucert_core.rounding import below
from relucert_core.witness import WITNESS_SLACK

CROWN = next(entry for entry in LINEAR_BOUNDS if entry.name == "crown-ada")
_DEFAULT_SECONDS = 10.0
_WIDE, _PATIENT = 520, 60.0  # hidden neurons from which the quadratic bound needs a budget of as many seconds


def run(
    net: Network,
    points: torch.Tensor,
    *,
    norm: float,
    labels: torch.Tensor | None = None,
    max_seconds: float | None = _DEFAULT_SECONDS,
    max_iterations: int | None = None,
) -> list[Certificate]:
    """A lower bound on the distance in the norm 2, and the nearest adversarial point that was met, point by point.

    requires: norm 2; max_seconds: the budget of each point, kept within 10 % and a tenth of a second (None: until
    nothing is gained any more); max_iterations: of the solver, for each point.
    returns: the radius, never below that of the cheaper bound it starts from: `quadratic`, or CROWN-Ada where a wide
    network and a short budget leave no time for it; `upper` and `witness`, where one was met. status: as that bound has
    it where it decides, else "ok". parts: "start" (its radius), "iterations".
    guarantee: "exact" where the witness is within (1 + 1e-6) radius, else a lower bound; only radii with a proof
    count (`proof`). cost: cubic in the number of neurons that are open in the ball.
    """
    budget, most = _budget("max_seconds", max_seconds), _budget("max_iterations", max_iterations)
    start = QUADRATIC if sum(net.widths) <= _WIDE or budget >= _PATIENT else CROWN
    found = []
    for i, point in enumerate(points):
        began = time.perf_counter()
        label = None if labels is None else labels[i : i + 1]
        cheaper = start.run(net, point.unsqueeze(0), norm=norm, labels=label)[0]
        last = None
        if cheaper.status == OK and 0 < cheaper.radius < math.inf:
            left = budget - (time.perf_counter() - began)
            search = improvements(
                net, point, cheaper.label, lower=cheaper.radius, max_seconds=left, max_iterations=most
            )
            last = deque(search, maxlen=1).pop()
        found.append(_certificate(cheaper, last, time.perf_counter() - began))
    return found


def _budget(name: str, value: float | None) -> float:
    """A budget as a number, infinite for None; InvalidInput for what is none."""
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise InvalidInput(f"{name} must be a number of at least 0, or None for no limit; {value!r} came.")
    return float(value)


def _certificate(cheaper: Certificate, last: Improvement | None, seconds: float) -> Certificate:
    """The record: the cheaper bound's, raised by the search where it went on."""
    parts = {"start": cheaper.radius, "iterations": 0 if last is None else last.iterations}
    record = dataclasses.replace(cheaper, method="semidefinite", parts=parts, seconds=seconds)
    if last is None:
        return record
    witness = None if last.witness is None else last.witness.numpy().copy()
    limit = Limit.decision(last.rival) if last.rival >= 0 else cheaper.limit
    exact = witness is not None and last.upper <= below(last.lower * (1 + WITNESS_SLACK))
    guarantee = EXACT if exact else LOWER_BOUND
    return dataclasses.replace(
        record, radius=last.lower, upper=last.upper, witness=witness, limit=limit, guarantee=guarantee
    )


ENTRY = CertificateEntry(
    name="semidefinite",
    place=65,
    title="Semidefinite",
    run=run,
    norms=(2.0,),
    guarantee=EXACT,
    sentence="Writes the search for the nearest adversarial point down exactly, relaxes it to a convex problem over "
    "matrices, and proves its answer: often within a few per cent of the true distance.",
    reference="Raghunathan, Steinhardt and Liang, Semidefinite relaxations for certifying robustness (2018), for the "
    "distance, with bounds from balls, cuts and a proof in floating point",
    options={
        "max_seconds": "seconds for each point (10; none: until nothing is gained)",
        "max_iterations": "iterations of the solver for each point",
    },
)
