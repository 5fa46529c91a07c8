"""Where both searches start: the cheap certificates below, a look along rays and the attacks above."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from relucert_core.attacks import attack
from relucert_core.certificates import boundary, fast_lip, intervals, linear_bounds, lipschitz, local_lipschitz
from relucert_core.certificates.margins import margins
from relucert_core.certificates.quadratic.radius import ENTRY as QUADRATIC
from relucert_core.certificates.result import OK, CertificateEntry
from relucert_core.certificates.simplex import simplex
from relucert_core.deadline import ends_at, now
from relucert_core.errors import Unsupported
from relucert_core.forward import proven_forward
from relucert_core.norms import row_norms, unit_step
from relucert_core.search.ledger import RAYS, SEARCHING, Ledger, SearchStep

# What a method takes before it first looks at the clock, in forward passes of one point and fixed seconds.
_COST = {"best": (60, 0.01), "deepfool": (25, 0.005)}
_FLOORS = (lipschitz.ENTRY, boundary.ENTRY, intervals.ENTRY, fast_lip.ENTRY, local_lipschitz.ENTRY)
_LINEAR = tuple(sorted(linear_bounds.ENTRIES, key=lambda entry: entry.name))  # CROWN-Ada before Fast-Lin
_FLOOR_SHARE, _LINEAR_SHARE, _QUADRATIC_SHARE, _ATTACK_SHARE = 0.05, 0.6, 0.3, 0.5  # of the time left, at most, each
_TRIALS = 12  # radii that a bisection tries, about
_GRAM_ROWS = 4  # of the first layer's Gram matrix (local-lipschitz), about: as much work as a forward pass
_RIVALS, _CHANCES = 3, 6  # directions that a ray is sent along: towards the nearest planes, and at random
_FACTOR, _STATIONS = 4.0, 12  # from one station of a ray to the next, and how many
_FINER = 16  # stations between two of them, twice


def first_step(ledger: Ledger) -> SearchStep:
    """The simplex certificate and a first witness; a tie, a wrong prediction or an overflow ends the search here."""
    points, ledger.maker = ledger.point.unsqueeze(0), "simplex"
    found = margins(proven_forward(ledger.net, points), ledger.labels)
    status = found.status[0]
    if status != OK:
        ledger.offer(points)
        return ledger.step(status)
    certificate = simplex(ledger.net, points, norm=ledger.norm, labels=ledger.labels)[0]
    ledger.raise_lower(certificate.radius)
    ledger.offer_array(certificate.witness)
    if ledger.witness is None and ledger.lower < math.inf:
        ledger.maker = RAYS
        _look_along_rays(ledger)
    return ledger.step(SEARCHING)


def floor_steps(ledger: Ledger, *, crown_ada: bool = True) -> Iterator[SearchStep]:
    """Every cheaper certificate as a step, the cheapest first, if all of it fits its share of the time left.

    CROWN-Ada, mostly the best of them, gets more time and runs as long as that lasts: what a certificate has proved
    when its time is over counts, and the search's lower bound is never below it. crown_ada=False: it ran before.
    """
    for entry in _FLOORS:
        gram = ledger.net.outputs[0] / _GRAM_ROWS if entry is local_lipschitz.ENTRY and ledger.norm == 2 else 0
        yield from _floor(ledger, entry, _FLOOR_SHARE, _TRIALS * (1 + ledger.net.depth) + gram)
    if crown_ada:
        yield from linear_step(ledger)
    for entry in _LINEAR[1:]:
        yield from _floor(ledger, entry, _FLOOR_SHARE, _TRIALS * 4 * ledger.net.depth**2)


def linear_step(ledger: Ledger) -> Iterator[SearchStep]:
    """CROWN-Ada alone, as far as its share of the time goes."""
    yield from _floor(ledger, _LINEAR[0], _LINEAR_SHARE, 4 * ledger.net.depth**2)


def quadratic_step(ledger: Ledger) -> Iterator[SearchStep]:
    """The quadratic certificate as a step, for its share of the time left: it looks at the clock from the start on."""
    yield from _floor(ledger, QUADRATIC, _QUADRATIC_SHARE, 0)


def _floor(ledger: Ledger, entry: CertificateEntry, share: float, passes: float) -> Iterator[SearchStep]:
    """One certificate as a step, if it is made for the network and the work of so many passes fits its share."""
    left = ledger.max_seconds - ledger.seconds
    if ledger.norm not in entry.norms or not ledger.net.depth <= (entry.max_depth or math.inf):
        return
    if ledger.lower >= ledger.upper or _seconds(ledger, passes, 2e-4 * passes) > share * left:
        return
    try:
        with ends_at(now() + share * left):
            found = entry.run(ledger.net, ledger.point.unsqueeze(0), norm=ledger.norm, labels=ledger.labels)[0]
    except Unsupported:  # a kind of layer that the method is not made for
        return
    ledger.maker = entry.name
    ledger.raise_lower(found.radius)
    yield ledger.step()


def _seconds(ledger: Ledger, passes: float, fixed: float) -> float:
    """What so many forward passes of one point take, and fixed seconds; 0 without a limit of time or without passes."""
    if ledger.max_seconds == math.inf or passes == 0:
        return 0.0
    begun = now()
    for _ in range(3):
        ledger.net.logits(ledger.point.unsqueeze(0))
    return passes * (now() - begun) / 3 + fixed


def attack_step(ledger: Ledger, starts: Any, method: str) -> Iterator[SearchStep]:
    """An attack as a step, if there is time, for its share of it; DeepFool in place of `best` where it is short."""
    left = ledger.max_seconds - ledger.seconds
    if method == "best" and _seconds(ledger, *_COST["best"]) > _ATTACK_SHARE * left:
        method = "deepfool"
    if _seconds(ledger, *_COST[method]) > _ATTACK_SHARE * left:
        return
    with ends_at(now() + _ATTACK_SHARE * left):
        found = attack(ledger.net, ledger.point, method, ledger.norm, label=ledger.label, starts=starts)
    if found.success:
        ledger.maker = method
        ledger.offer_array(found.point)
    yield ledger.step()


@torch.no_grad()
def _look_along_rays(ledger: Ledger) -> None:
    """Offer the nearest point that is read otherwise on rays from the point: an upper bound for a few dozen passes."""
    rays = _rays(ledger)
    begin = ledger.lower if ledger.lower > 0 else 1e-6 * (1 + float(ledger.point.abs().max()))
    stations = begin * _FACTOR ** torch.arange(_STATIONS, dtype=torch.float64)
    best: tuple[float, torch.Tensor] | None = None
    lost = _lost(ledger, ledger.point + stations.view(-1, 1, 1) * rays)
    for size, row in zip(stations.tolist(), lost, strict=True):
        if bool(row.any()):
            best = size, rays[int(row.nonzero()[0])]
            break
    if best is None:
        return
    (high, ray), low = best, best[0] / _FACTOR
    for _ in range(2):
        finer = low * (high / low) ** (torch.arange(1, _FINER + 1, dtype=torch.float64) / _FINER)
        lost = _lost(ledger, ledger.point + finer.view(-1, 1) * ray)
        if not bool(lost.any()):
            break
        first = int(lost.nonzero()[0])
        low, high = (float(finer[first - 1]) if first else low), float(finer[first])
    pushes = torch.tensor([1.0, 1 + 1e-6, 1 + 1e-3, _FACTOR], dtype=torch.float64)
    ledger.offer(ledger.point + (high * pushes).unsqueeze(-1) * ray)


def _rays(ledger: Ledger) -> torch.Tensor:
    """Directions (R, D) of length 1 in the norm: up and down the gradients of the nearest rivals, and at random."""
    classes = ledger.net.classes
    with torch.enable_grad():
        points = ledger.point.repeat(classes, 1).requires_grad_(True)
        logits = ledger.net.logits(points)
        gaps = logits[0, ledger.label] - logits[0]
        (rows,) = torch.autograd.grad((logits.diagonal() - logits[:, ledger.label]).sum(), points)
    sizes = row_norms(torch.nan_to_num(rows), 2.0)
    distance = torch.where(sizes > 0, gaps.detach() / sizes.clamp(min=1e-300), math.inf)
    distance[ledger.label] = math.inf
    near = rows[distance.argsort()[: min(_RIVALS, classes - 1)]]
    generator = torch.Generator(device="cpu").manual_seed(0)
    chance = torch.randn(_CHANCES, ledger.net.inputs, generator=generator, dtype=torch.float64, device="cpu")
    steps = unit_step(torch.nan_to_num(torch.cat([near, -near, chance])), ledger.norm)
    return steps[steps.any(-1)]


def _lost(ledger: Ledger, points: torch.Tensor) -> torch.Tensor:
    """(...,) bool for points (..., D): is another class read there? Not proved."""
    logits = ledger.net.logits(points.flatten(0, -2)).unflatten(0, points.shape[:-1])
    own = logits[..., ledger.label].clone()
    logits[..., ledger.label] = -math.inf
    return logits.amax(-1) >= own
