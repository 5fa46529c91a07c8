"""Hunt for a violation of the law "lower bound <= exact <= attack", and for raw errors, over all methods and norms.

    python -m tests.hunt_law --cases 2000 --seed 1 --seconds 240

A case is one (network, point): up to 12 hidden neurons, of every kind that breaks certificates (tiny, huge, integers,
duplicates, cancelling, ...). All certificates and attacks run in all their norms, and `region_distance`; searches have
budgets of regions. In norm 2 brute force over the activation patterns, in exact arithmetic, judges networks of up to 7
neurons; every lower bound must lie below every adversarial point found, which exact arithmetic proves. Prints the
counts and every violation; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

import relucert_core as rc
from relucert_core.network import Network
from tests.helpers import KINDS, NORMS, random_network, random_points
from tests.oracles import exact, exact_forward
from tests.oracles_bruteforce import brute_force

MOST_NEURONS, BRUTE_FORCE = 12, 7
TOLD_SECONDS = 60.0
QUICK = {"max_regions": 60, "max_iterations": 12, "batches": 2, "samples": 4}


@dataclass
class Totals:
    """What was tried, and what was wrong. bounds: lower bounds judged; positive: those above 0."""

    cases: int = 0
    bounds: int = 0
    positive: int = 0
    attacks: int = 0
    decided: int = 0
    faults: list[str] = field(default_factory=list)


def lower_bounds(net: Network, point: np.ndarray, norm: float, totals: Totals) -> dict[str, Any]:
    """The certificates that take this network and norm, by name; raw errors go to the totals."""
    found = {}
    for name, entry in rc.CERTIFICATES.items():
        if norm not in entry.norms or net.depth > (entry.max_depth or math.inf):
            continue
        options = {key: value for key, value in QUICK.items() if key in entry.options}
        try:
            found[name] = rc.certify(net, point, name, norm, **options)
        except Exception as error:
            totals.faults.append(f"{name}, norm {norm}: {type(error).__name__} {str(error)[:200]}")
    return found


def adversarial(net: Network, point: np.ndarray, norm: float, totals: Totals) -> dict[str, tuple[float, Any]]:
    """The distances and points of all attacks that succeed, by name."""
    found = {}
    for name in rc.ATTACKS:
        try:
            answer = rc.attack(net, point, name, norm)
        except Exception as error:
            totals.faults.append(f"{name}, norm {norm}: {type(error).__name__} {str(error)[:200]}")
            continue
        if answer.success:
            found[name] = answer.distance, answer.point
    try:
        inside = rc.region_distance(net, point, norm)
        if inside.witness is not None:
            found["region_distance"] = inside.distance, inside.witness
    except Exception as error:
        totals.faults.append(f"region_distance, norm {norm}: {type(error).__name__} {str(error)[:200]}")
    return found


def proved(net: Network, point: np.ndarray, label: int, distance: float, other: np.ndarray, norm: float) -> bool:
    """Is `other` adversarial, and no farther than said, in exact arithmetic?"""
    logits = exact_forward(net, other)[-1]
    if not any(value >= logits[label] for j, value in enumerate(logits) if j != label):
        return False
    gaps = [abs(a - b) for a, b in zip(exact(other), exact(point), strict=True)]
    if math.isinf(distance):
        return True
    if norm == 2:
        return Fraction(distance) ** 2 >= sum(gap**2 for gap in gaps)
    return Fraction(distance) >= (max(gaps) if norm == math.inf else sum(gaps))


def judge(net: Network, point: np.ndarray, norm: float, totals: Totals) -> None:
    """One case in one norm."""
    bounds, attacks = lower_bounds(net, point, norm, totals), adversarial(net, point, norm, totals)
    label = next(iter(bounds.values())).label
    found = {name: (c.upper, c.witness) for name, c in bounds.items() if c.witness is not None} | attacks
    totals.bounds, totals.attacks = totals.bounds + len(bounds), totals.attacks + len(found)
    for name, (distance, other) in found.items():
        if not proved(net, point, label, distance, np.asarray(other), norm):
            totals.faults.append(f"{name}, norm {norm}: {distance!r} is not proved at {other!r}")
    nearest = min((distance for distance, _ in found.values()), default=math.inf)
    truth = None
    if norm == 2 and sum(net.widths) <= BRUTE_FORCE:
        truth = brute_force(net, point, label)
        totals.decided += truth.decided
        nearest = min(nearest, truth.high)
        short = {name: d for name, (d, _) in found.items() if d < truth.low * (1 - 1e-15)}
        totals.faults += [f"{name}, norm 2: {d!r} is nearer than {truth.low!r}" for name, d in short.items()]
    for name, c in bounds.items():
        totals.positive += c.radius > 0
        if c.guarantee != "estimate" and not c.radius <= nearest:
            totals.faults.append(f"{name}, norm {norm}: {c.radius!r} is above {nearest!r}")


def hunt(cases: int, seed: int, seconds: float = math.inf, progress: bool = False) -> Totals:
    """Try `cases` cases, as far as the processor's seconds go; the totals are told as they grow."""
    rng, totals, begun, said = np.random.default_rng(seed), Totals(), time.process_time(), 0.0
    while totals.cases < cases and (spent := time.process_time() - begun) < seconds:
        if progress and spent - said > TOLD_SECONDS:
            print(told(totals, seed, spent), flush=True)
            said = spent
        kind = KINDS[int(rng.integers(len(KINDS)))]
        net = random_network(rng, kind)
        if sum(net.widths) > MOST_NEURONS:
            continue
        point, known = random_points(rng, net, 1, kind)[0], len(totals.faults)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for norm in NORMS:
                judge(net, point, norm, totals)
        totals.cases += 1
        new = totals.faults[known:]
        totals.faults[known:] = [f"seed {seed}, case {totals.cases}, {kind}, {net!r}: {text}" for text in new]
        if progress and new:
            print("\n".join(totals.faults[known:]), flush=True)
    return totals


def told(found: Totals, seed: int, spent: float) -> str:
    """The totals in a line."""
    return (
        f"{found.cases:,} cases, {found.bounds:,} lower bounds, {found.positive:,} above 0, {found.attacks:,} "
        f"adversarial points, {found.decided:,} decided by brute force, "
        f"{len(found.faults)} violations (seed {seed}, {spent:.0f} s of the processor)"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=math.inf)
    given = parser.parse_args()
    found = hunt(given.cases, given.seed, given.seconds, progress=True)
    print(told(found, given.seed, time.process_time()))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
