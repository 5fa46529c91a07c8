"""Hunt for a violated promise on networks of every kind of layer: sparse, carried outputs, small convolutions.

    python -m tests.hunt_layers [--cases 20000] [--seed 0] [--kind simplex]

simplex: a radius against Theorem 3 in fractions, and against the same network with every layer in full. algorithm:
the pruned simplex radius against the rows that Algorithm 1 gives, on small convolutional networks. law: every lower
bound <= every witness there, all methods and norms.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import relucert_core as rc
from relucert_core.registry import supports
from tests.oracles_layers import in_full, mixed_network, simplex_holds

NORMS = (1.0, 2.0, math.inf)
POINTS = 4
CANCELLED = 1e12  # times the point's size: such a radius is what rounding leaves of a row that cancels to nothing


def small_convolution(rng: np.random.Generator) -> rc.Network:
    """A random convolutional network with 16 to 36 inputs, perhaps with pooling, a residual addition, more layers."""
    torch.manual_seed(int(rng.integers(2**31)))
    side, channels, kernel = int(rng.integers(4, 7)), int(rng.integers(1, 4)), int(rng.integers(2, 4))
    stride, padding = int(rng.integers(1, 3)), int(rng.integers(0, 2))
    parts: list[nn.Module] = [nn.Conv2d(1, channels, kernel, stride, padding)]
    kind = rng.integers(4)
    if kind == 1:
        parts += [nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
    elif kind == 2:
        parts += [nn.ReLU(), _Residual(channels)]
    elif kind == 3:
        parts += [nn.BatchNorm2d(channels), nn.LeakyReLU(0.1)]
    parts += [nn.ReLU(), nn.Flatten(), nn.LazyLinear(int(rng.integers(2, 4)))]
    module = nn.Sequential(*parts)
    module(torch.zeros(2, 1, side, side))
    return rc.read_network(module.eval(), input_shape=(1, side, side))


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.inner(x))


def simplex_case(rng: np.random.Generator) -> tuple[int, list[str]]:
    """A mixed network at some points, all norms."""
    wholes = bool(rng.random() < 0.3)
    net = mixed_network(rng, wholes=wholes)
    points = rng.normal(size=(POINTS, net.inputs))
    points[rng.random(POINTS) < 0.3] = np.round(points[0], 1)
    wrong, tried, full = [], 0, in_full(net)
    for norm in NORMS:
        ours, theirs = rc.certify(net, points, norm=norm), rc.certify(full, points, norm=norm)
        for point, a, b in zip(points, ours, theirs):
            tried += 1
            if not simplex_holds(net, point, a.radius, a.label, norm):
                wrong.append(f"simplex, norm {norm}: {a.radius!r} is above Theorem 3 at {point.tolist()}")
            larger = max(a.radius, b.radius)
            same = a.radius == b.radius or abs(a.radius - b.radius) <= 1e-9 * larger
            same |= larger > CANCELLED * (1 + float(np.abs(point).max()))
            if not same and a.status == b.status:
                wrong.append(f"sparse {a.radius!r}, in full {b.radius!r}, norm {norm} at {point.tolist()}")
    return tried, wrong


def algorithm_case(rng: np.random.Generator) -> tuple[int, list[str]]:
    """A convolutional network: the simplex radius is the least distance of Algorithm 1's rows."""
    net = small_convolution(rng)
    point, wrong = rng.normal(size=net.inputs), []
    region = rc.activation_region(net, point)
    for norm in NORMS:
        order = {1.0: math.inf, 2.0: 2.0, math.inf: 1.0}[norm]
        cert = rc.certify(net, point, norm=norm)
        logits = region.C @ point + region.d
        rows = np.concatenate([region.P, np.delete(region.C[cert.label] - region.C, cert.label, axis=0)])
        values = np.concatenate([region.P @ point + region.q, np.delete(logits[cert.label] - logits, cert.label)])
        sizes = np.linalg.norm(rows, order, axis=1)
        least = float(np.min(values[sizes > 1e-12] / sizes[sizes > 1e-12], initial=math.inf))
        if cert.status == "ok" and not abs(cert.radius - least) <= 1e-9 * max(least, 1e-3):
            wrong.append(f"pruned {cert.radius!r}, Algorithm 1 {least!r}, norm {norm}, {net!r} at {point.tolist()}")
    return len(NORMS), wrong


def law_case(rng: np.random.Generator) -> tuple[int, list[str]]:
    """A convolutional network: no lower bound above a witness."""
    net, tried, wrong = small_convolution(rng), 0, []
    point, starts = rng.normal(size=net.inputs), 3 * rng.normal(size=(30, net.inputs))
    for norm in NORMS:
        attack = rc.attack(net, point, method="best", norm=norm, starts=starts)
        upper, lower = min(attack.distance, rc.region_distance(net, point, norm=norm).distance), {}
        for name, entry in rc.CERTIFICATES.items():
            if supports(entry, net, norm) or entry.guarantee == "estimate":
                continue
            budget = {"max_seconds": 0.3} if "max_seconds" in entry.options else {}
            cert = rc.certify(net, point, method=name, norm=norm, **budget)
            upper, lower[name] = min(upper, cert.upper), cert.radius
            tried += 1
        wrong += [f"{name}, norm {norm}: {r!r} > {upper!r}, {net!r}" for name, r in lower.items() if not r <= upper]
    return tried, wrong


CASES: dict[str, Callable[[np.random.Generator], tuple[int, list[str]]]] = {
    "simplex": simplex_case,
    "algorithm": algorithm_case,
    "law": law_case,
}


def hunt(kind: str, cases: int, seed: int, seconds: float = math.inf) -> tuple[int, list[str]]:
    """Check `cases` cases of a kind, or as many as fit; returns how many, and the violations."""
    rng, tried, violations, begun = np.random.default_rng(seed), 0, [], time.monotonic()
    while tried < cases and time.monotonic() - begun < seconds:
        count, wrong = CASES[kind](rng)
        tried, violations = tried + count, violations + wrong
    return tried, violations


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=list(CASES), default="simplex")
    parser.add_argument("--seconds", type=float, default=math.inf)
    arguments = parser.parse_args()
    tried, violations = hunt(arguments.kind, arguments.cases, arguments.seed, arguments.seconds)
    print(f"{arguments.kind}: {tried:,} cases, {len(violations)} violations (seed {arguments.seed})")
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
