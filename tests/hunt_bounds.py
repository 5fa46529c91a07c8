"""Hunt for a violated promise of the bounds over a ball: every returned radius is re-evaluated in exact fractions.

    python -m tests.hunt_bounds --cases 50000 --seed 1

A case is one (network, point, norm, method) with a radius above 0, of interval, fast-lin, crown-ada, fast-lip,
lipschitz and local-lipschitz. Prints the count and every violation; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
import torch

from relucert_core.certificates import fast_lip, intervals, linear_bounds, lipschitz, local_lipschitz
from relucert_core.certificates.result import Certificate
from relucert_core.network import Network
from tests.helpers import KINDS, NORMS, random_network, random_points
from tests.oracles_bounds import proves

ENTRIES = {
    entry.name: entry
    for entry in (intervals.ENTRY, *linear_bounds.ENTRIES, fast_lip.ENTRY, lipschitz.ENTRY, local_lipschitz.ENTRY)
}
POINTS = 2


def run(name: str, net: Network, points: np.ndarray, norm: float, label: int | None = None) -> list[Certificate]:
    """The certificates of a method at points (B, D)."""
    labels = None if label is None else torch.full((len(points),), label)
    return ENTRIES[name].run(net, torch.tensor(points, dtype=torch.float64), norm=float(norm), labels=labels)


def applies(name: str, net: Network) -> bool:
    """Whether the method takes the network's depth."""
    return ENTRIES[name].max_depth in (None, net.depth)


def hunt(cases: int, seed: int, report: Callable[[int], None] = lambda checked: None) -> tuple[int, list[str]]:
    """Check at least `cases` radii above 0; returns how many, and the violations."""
    rng = np.random.default_rng(seed)
    checked, violations = 0, []
    while checked < cases:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        net = random_network(rng, kind)
        points = random_points(rng, net, POINTS, kind)
        for name in filter(lambda n: applies(n, net), ENTRIES):
            for norm in NORMS:
                for point, c in zip(points, run(name, net, points, norm)):
                    if c.radius > 0:
                        checked += 1
                        if not proves(name, net, point, c.label, norm, c.radius):
                            violations.append(f"{name}, norm {norm}, {kind}: {c.radius!r} at {point.tolist()}, {net!r}")
        report(checked)
    return checked, violations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    done, violations = hunt(arguments.cases, arguments.seed, lambda n: print(f"\r{n:,} cases", end="", flush=True))
    print(f"\r{done:,} radii above 0 checked, {len(violations)} violations (seed {arguments.seed})")
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
