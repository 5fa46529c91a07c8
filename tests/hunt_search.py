"""Hunt for a violation of simplex <= neighbours <= exact <= attacks, with the exact distance from brute force.

    python -m tests.hunt_search --cases 10000 --seed 1

A case is one (network, point, norm). The brute force judges norm 2; in the norms 1 and inf the order of the bounds is
judged, with the best attack at the top. Prints the counts and every violation; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import pairwise

import numpy as np

import relucert_core as rc
from relucert_core.certificates.result import TIME
from relucert_core.network import Network
from tests.oracles_bruteforce import brute_force


def small_network(rng: np.random.Generator, neurons: int) -> Network:
    """A network of up to `neurons` hidden neurons in 1 to 3 layers, up to 5 inputs and 4 classes; some degenerate."""
    layers = int(rng.integers(1, 4))
    widths = [1] * layers
    for _ in range(max(0, int(rng.integers(layers, neurons + 1)) - layers)):
        widths[int(rng.integers(layers))] += 1
    sizes = [int(rng.integers(1, 6)), *widths, int(rng.integers(2, 5))]
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) for b in sizes[1:]]
    kind = rng.random()
    if kind < 0.2:  # faces, ties and proportional rows on the grid
        weights, biases = [np.round(2 * w) for w in weights], [np.round(2 * b) for b in biases]
    elif kind < 0.3:
        weights[0][-1], biases[0][-1] = -2 * weights[0][0], -2 * biases[0][0]
    return Network(weights, biases, name="small")


def small_point(rng: np.random.Generator, net: Network) -> np.ndarray:
    """A point, one in four on the integer grid."""
    point = rng.normal(size=net.inputs)
    return np.round(point) if rng.random() < 0.25 else point


def violations_of(net: Network, point: np.ndarray, norm: float) -> tuple[list[str], bool]:
    """What is wrong at one case, and whether brute force decided it."""
    simplex = rc.certify(net, point, "simplex", norm)
    near = rc.certify(net, point, "neighbours", norm, max_seconds=1.0)
    attack = rc.attack(net, point, "best", norm)
    wrong = []
    if not simplex.radius <= near.radius <= min(near.upper, attack.distance):
        wrong.append(f"simplex {simplex.radius!r} <= neighbours {near.radius!r} <= attack {attack.distance!r}")
    if norm != 2:
        return wrong, False
    exact = rc.certify(net, point, "exact", norm, max_seconds=1.0)
    truth = brute_force(net, point, exact.label)
    if not max(simplex.radius, near.radius, exact.radius) <= truth.high:
        wrong.append(f"a bound of {simplex.radius!r}, {near.radius!r}, {exact.radius!r} is above {truth.high!r}")
    if not truth.low <= min(exact.upper, near.upper, attack.distance) * (1 + 1e-15):
        wrong.append(f"a witness of {exact.upper!r}, {near.upper!r}, {attack.distance!r} is below {truth.low!r}")
    in_time = not exact.status.startswith(TIME)
    if in_time and truth.decided and math.isfinite(truth.high) and exact.radius < truth.low * (1 - 1e-6):
        wrong.append(f"exact stopped at {exact.radius!r} of {truth.low!r}: {exact.status}")
    if not near.radius <= exact.upper:
        wrong.append(f"neighbours {near.radius!r} above exact {exact.upper!r}")
    return wrong, truth.decided


def hunt(cases: int, seed: int, progress: bool = False) -> tuple[int, int, list[str]]:
    """Try `cases` cases; returns how many were tried, how many brute force decided, and the violations."""
    rng = np.random.default_rng(seed)
    decided, found = 0, []
    for case in range(cases):
        net = small_network(rng, 10 if rng.random() < 0.02 else 6)
        norm = (2.0, 2.0, 1.0, math.inf)[int(rng.integers(4))]
        point = small_point(rng, net)
        wrong, known = violations_of(net, point, norm)
        decided += known
        new = [f"case {case}, norm {norm}, {net!r}, point {point.tolist()}: {text}" for text in wrong]
        found += new
        if progress and new:
            print("\n".join(["", *new]), flush=True)
        if progress and case % 50 == 0:
            print(f"\r{case + 1:,} cases, {decided:,} decided, {len(found)} violations", end="", flush=True)
    return cases, decided, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tried, decided, found = hunt(arguments.cases, arguments.seed, progress=True)
    print(f"\n{tried:,} cases, {decided:,} decided by brute force, {len(found)} violations (seed {arguments.seed})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
