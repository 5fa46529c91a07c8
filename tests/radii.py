"""Record the radii of every certificate and the distances of every attack, to the bit, and compare with a record.

    python -m tests.radii write FILE
    python -m tests.radii compare FILE [--relative 1e-12]

Run with `OMP_NUM_THREADS=1`: more threads may sum in another order. A commit that only moves code changes no bit; one
that rewrites a formula may change a radius by the relative amount allowed, and the comparison names those that did.
Networks: shipped ones with digits, toy ones of the playground, and small random ones built to be awkward. Searches are
limited by regions and see a clock that stands still, so that their batches do not depend on the machine's speed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

import relucert_core as rc
from tests.helpers import KINDS, NORMS, random_network, random_points

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "neighbours": {"max_seconds": None, "max_regions": 300},
    "exact": {"max_seconds": None, "max_regions": 200},
    "semidefinite": {"max_seconds": None, "max_iterations": 60},
    "clever": {"batches": 3, "samples": 16},
}
TOYS = ("moons-figure", "circles-two-layers", "spirals-many", "zero-biases", "dead-neuron")
DIGITS = {"mnist-20-20-20": 2, "mnist-40-40-40": 1, "mnist-gt5-1024": 1, "mnist-1024-512": 1}
LARGE = 300  # hidden neurons from which on the searches are left out but for norm 2


@dataclass(frozen=True)
class Subject:
    """A network with the points (B, D) at which it is measured."""

    name: str
    net: rc.Network
    points: np.ndarray


def subjects() -> Iterator[Subject]:
    """The networks and points, in a fixed order."""
    from relucert_core.experiments.showcase import load_run

    for name in TOYS:
        points = np.random.default_rng(7).uniform(-1, 1, (1, 2)).round(6)
        yield Subject(name, load_run(name).network, np.vstack([points, np.zeros((1, 2))]))
    images = rc.mnist_sample()[0]
    for name, count in DIGITS.items():
        yield Subject(name, rc.load_model(name), images[:count])
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng(1000 + number)
        net = random_network(rng, kind)
        yield Subject(f"{kind} {number}", net, random_points(rng, net, 2, kind))


def radii(only: str = "") -> dict[str, str]:
    """`network|method|norm|point` -> the radius, upper bound, status and guarantee, the numbers in hexadecimal.

    only: a part of the names of the networks that are wanted.
    """
    found: dict[str, str] = {}
    for subject in subjects():
        if only not in subject.name:
            continue
        for norm in NORMS:
            for name, entry in rc.CERTIFICATES.items():
                if norm in entry.norms and _fits(entry, subject, norm):
                    batch = rc.certify(subject.net, subject.points, method=name, norm=norm, **OPTIONS.get(name, {}))
                    for i, c in enumerate(batch):
                        words = (float(c.radius).hex(), float(c.upper).hex(), c.status, c.guarantee, str(c.limit))
                        found[f"{subject.name}|{name}|{norm:g}|{i}"] = "|".join(words)
            for name in rc.ATTACKS:
                if name == "deepfool" or (name != "best" and sum(subject.net.widths) < LARGE):
                    batch = rc.attack(subject.net, subject.points, method=name, norm=norm)
                    for i, a in enumerate(batch):
                        found[f"{subject.name}|attack {name}|{norm:g}|{i}"] = f"{float(a.distance).hex()}|{a.success}"
    return found


def _fits(entry: Any, subject: Subject, norm: float) -> bool:
    """Is the method made for the network, and not too slow for it?"""
    depth = subject.net.depth
    if depth < entry.min_depth or (entry.max_depth is not None and depth > entry.max_depth):
        return False
    return sum(subject.net.widths) < LARGE or norm == 2 or "max_regions" not in entry.options


def differences(old: Mapping[str, str], new: Mapping[str, str], relative: float) -> Iterator[tuple[str, str, float]]:
    """The keys of `old` whose line has changed, with both lines and the relative change of the radius or distance.

    With `relative` above 0 the rest of a line, such as the upper bound, may change.
    """
    for key, before in old.items():
        after = new.get(key, "missing")
        if before == after:
            continue
        first, second = before.split("|")[0], after.split("|")[0]
        a, b = float.fromhex(first), float.fromhex(second) if after != "missing" else math.nan
        change = 0.0 if a == b else abs(b - a) / abs(a) if a and math.isfinite(a) else math.inf
        if not change <= relative or not relative:
            yield key, f"{before}  ->  {after}", change


def main() -> int:
    """Write or compare; exits 1 when a line has changed by more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("write", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--relative", type=float, default=0.0, help="relative change of a radius that is let pass")
    parser.add_argument("--only", default="", help="compare the networks whose names hold this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.process_time()
    with mock.patch.object(time, "perf_counter", return_value=0.0):
        found = radii(arguments.only)
    print(f"{len(found)} lines in {time.process_time() - begun:.0f} s of processor time")
    if arguments.task == "write":
        arguments.file.write_text(json.dumps(found, indent=0))
        return 0
    old = {k: line for k, line in json.loads(arguments.file.read_text()).items() if arguments.only in k.split("|")[0]}
    changed = list(differences(old, found, arguments.relative))
    small = sum(old[key] != found.get(key) for key in old) - len(changed)
    for key, lines, change in changed:
        print(f"{key}: {lines} ({change:.1e})")
    print(f"{len(old)} compared, {small} changed within {arguments.relative:g}, {len(changed)} beyond it")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
