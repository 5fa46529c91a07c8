"""The certificate `quadratic`: the largest radius that was found at which the quadratic bounds prove the prediction.

The search looks for the radius at which the smallest margin vanishes, with the values that the proofs should come to
(`moments`), and only then proves. A proof that fails there is followed by one at a smaller radius, chosen from the
slope of the margin. CROWN-Ada's radius is where the search starts and the least that is returned.

Guarantee: a lower bound; only radii whose every margin was proved positive are returned. No claim is made about larger
radii, since the search steers by values that are not proved.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch

from relucert_core.certificates import linear_bounds
from relucert_core.certificates.over_balls.bisection import search_radius
from relucert_core.certificates.quadratic.bounds import Ball, ball_of, climb, foreseen_maximum
from relucert_core.certificates.quadratic.memory import Memory
from relucert_core.certificates.result import LOWER_BOUND, OK, Certificate, CertificateEntry, Limit
from relucert_core.deadline import OutOfTime, ends_at, now, seconds_left
from relucert_core.network import Network

TOLERANCE = 5e-3  # of the radius that is looked for
_GUESS = 1.6  # the first trial, in radii of CROWN-Ada
_FARTHEST = 64.0  # no larger multiple of that radius is tried
_PROOFS = 6
_SEARCH_SHARE = 0.5  # of the time before a deadline; the proofs have the rest
_CROWN = next(entry for entry in linear_bounds.ENTRIES if entry.name == "crown-ada")


@dataclass(frozen=True)
class Searched:
    """A proved radius (0: none), the rival whose margin vanishes first (-1: unknown), and how often what was tried."""

    radius: float
    rival: int
    trials: int
    proofs: int


def largest_radius(ball: Ball, start: float) -> Searched:
    """A radius above `start` > 0 at which the quadratic bounds prove the prediction; 0 if none was found in time."""
    where = ball.centre
    margins: dict[float, torch.Tensor] = {}
    memory = Memory()

    def foreseen(index: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
        radius = float(radii[0])
        if radius > start * _FARTHEST:
            return torch.full_like(where.gaps, -torch.inf)
        try:
            margins[radius] = climb(ball, radius, maximum=foreseen_maximum, memory=memory)[1]
        except OutOfTime:
            return torch.full_like(where.gaps, -torch.inf)
        return margins[radius].unsqueeze(0)

    gap = where.gaps.amin(-1)
    with ends_at(now() + _SEARCH_SHARE * seconds_left()):
        found = search_radius(foreseen, gap, gap.new_tensor([start * _GUESS]), where.local_distance, TOLERANCE)
    radius, proofs = float(found.proved[0]), 0
    slope = _slope(margins, float(gap[0]), radius)
    while radius > start and proofs < _PROOFS:
        proofs += 1
        try:
            proved = climb(ball, radius, memory=memory)[1]
        except OutOfTime:
            break
        least = float(proved.min())
        if least > 0:
            return Searched(radius, int(found.rival[0]), len(margins), proofs)
        lost = (float(margins[radius].min()) if radius in margins else 0.0) - least
        back = 1.5 * lost / slope if math.isfinite(lost) and lost > 0 else 0.0
        radius -= max(back, TOLERANCE * radius * 2**proofs)
    return Searched(0.0, int(found.rival[0]), len(margins), proofs)


def _slope(margins: dict[float, torch.Tensor], gap: float, radius: float) -> float:
    """How fast the smallest margin falls near `radius`: from its values there and at the nearest other trial."""
    others = [r for r, m in margins.items() if r != radius and math.isfinite(float(m.min()))]
    near = min(others, key=lambda r: abs(r - radius), default=0.0)
    if radius not in margins or near == 0.0:
        return gap / max(radius, 1e-300)
    slope = float(margins[radius].min() - margins[near].min()) / (near - radius)
    return slope if slope > 0 else gap / radius


def run(net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None) -> list[Certificate]:
    """The certificates of points (B, D). parts: "trials" and "proofs", how many radii were tried and proved."""
    found = _CROWN.run(net, points, norm=norm, labels=labels)
    gram = None
    result = []
    for point, crown in zip(points, found, strict=True):
        began = now()
        searched = None
        if crown.status == OK and 0 < crown.radius < math.inf:
            ball = ball_of(net, point, crown.label, gram)
            gram = ball.gram
            searched = largest_radius(ball, crown.radius)
        seconds = crown.seconds + now() - began
        result.append(dataclasses.replace(_certificate(crown, searched), seconds=seconds))
    return result


def _certificate(crown: Certificate, searched: Searched | None) -> Certificate:
    """CROWN-Ada's record with the better radius, if there is one."""
    if searched is None:
        return dataclasses.replace(crown, method="quadratic", parts={})
    parts = {"crown_ada": crown.radius, "trials": searched.trials, "proofs": searched.proofs}
    if not searched.radius > crown.radius:
        return dataclasses.replace(crown, method="quadratic", parts=parts)
    limit = Limit.decision(searched.rival) if searched.rival >= 0 else crown.limit
    return dataclasses.replace(crown, method="quadratic", radius=searched.radius, limit=limit, parts=parts)


ENTRY = CertificateEntry(
    name="quadratic",
    place=60,
    title="Quadratic",
    run=run,
    norms=(2.0,),
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="Keeps the first layer curved: a parabola over each ReLU instead of a line, so that the whole is a "
    "quadratic function, whose largest value over a ball can be proved. Deeper layers get CROWN's lines.",
    reference="Relucert; after Zhang et al., Efficient Neural Network Robustness Certification (2018)",
)
