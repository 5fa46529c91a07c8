"""Does the interior-point method ever end by a failed factor? `python -m tests.hunt_semidefinite_solver --cases 200`.

Random problems with 50 to 600 random cuts, many of them parallel: each has to end by its gap, by an empty problem or
by time, never by numbers, and no value may lie below the one without cuts.
"""

import argparse
import sys
from collections import Counter

import numpy as np

from relucert_core.certificates.semidefinite.solver import EMPTY, GAP, TIME, solve
from tests.certificates.semidefinite_problems import random_problem
from tests.certificates.test_semidefinite_solver import with_random_cuts


def hunt(count: int, seed: int) -> int:
    """The number of problems that broke the promise; prints each, and the totals as they grow."""
    rng, ends, broken = np.random.default_rng(seed), Counter(), 0
    while sum(ends.values()) < count:
        widths = [int(n) for n in rng.integers(6, 24, rng.integers(2, 5))]
        problem = random_problem(widths, float(rng.uniform(0.2, 2.0)), rng)
        if problem is None:
            continue
        plain = solve(problem, gap=1e-3, max_seconds=60.0)
        cut = solve(with_random_cuts(problem, int(rng.integers(50, 600)), rng), gap=1e-3, max_seconds=60.0)
        ends[cut.status] += 1
        lower = plain.status == cut.status == GAP and cut.value < plain.value * (1 - 2e-3) - 1e-9
        if cut.status not in (GAP, EMPTY, TIME) or lower:
            broken += 1
            print(f"{widths}: {plain.status} {plain.value}, with {cut.status} {cut.value}", flush=True)
        print(f"{sum(ends.values())} problems: {dict(ends)}, {broken} broke the promise", flush=True)
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return min(hunt(arguments.cases, arguments.seed), 1)


if __name__ == "__main__":
    sys.exit(main())
