"""Hunt for a violated promise: random networks, points and norms against exact rational arithmetic.

    python -m tests.hunt --cases 200000 --seed 1

A case is one (network, point, norm, method). Prints the count and every violation; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import relucert_core as rc
from tests.helpers import KINDS, NORMS, random_network, random_points
from tests.oracles import boundary_holds, simplex_holds

ORACLES = {"simplex": simplex_holds, "decision-boundary": boundary_holds}
POINTS = 6


def hunt(cases: int, seed: int, progress: bool = False) -> tuple[int, int, list[str]]:
    """Try `cases` cases; returns how many were tried, how many had a radius above 0, and the violations."""
    rng = np.random.default_rng(seed)
    tried, positive, violations = 0, 0, []
    while tried < cases:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        net = random_network(rng, kind)
        points = random_points(rng, net, POINTS, kind)
        for name, holds in ORACLES.items():
            if rc.CERTIFICATES[name].max_depth not in (None, net.depth):
                continue
            for norm in NORMS:
                batch = rc.certify(net, points, method=name, norm=norm)
                for point, c in zip(points, batch):
                    tried += 1
                    positive += c.radius > 0
                    if not holds(net, point, c.radius, c.label, norm):
                        violations.append(f"{name}, norm {norm}, {kind}: radius {c.radius!r} at {point.tolist()}")
        if progress and tried % 1000 < 60:
            print(f"\r{tried:,} cases, {positive:,} with a radius above 0, {len(violations)} violations", end="")
    return tried, positive, violations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tried, positive, violations = hunt(arguments.cases, arguments.seed, progress=True)
    print(
        f"\n{tried:,} cases, {positive:,} with a radius above 0, {len(violations)} violations (seed {arguments.seed})"
    )
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
