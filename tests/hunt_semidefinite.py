"""Hunt for a violation of quadratic, semidefinite <= exact <= attacks, with the exact distance from brute force.

    python -m tests.hunt_semidefinite --cases 10000 --seed 1

A case is one (network, point, label) in the norm 2: 1 to 4 hidden layers; tiny, huge and mixed scales; parallel and
dead neurons; ties; points on faces; zero biases; labels that differ from the prediction. Every radius is held against
the distance by brute force over all activation patterns, proved in integers; every witness is evaluated without
rounding. The prover is tried by itself too: multipliers of the solver, spoilt in turn in every way that is listed in
FAULTS, on a relaxation made from interval bounds and on the leaves that it is split into at one neuron or two
(`--methods none`: the prover alone, some times as fast). Prints the counts and every violation; exits 1 if there was
one.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import torch

import relucert_core as rc
from relucert_core.certificates.result import EXACT, Certificate
from relucert_core.certificates.semidefinite.branches import OFF, ON, case
from relucert_core.certificates.semidefinite.forms import relax
from relucert_core.certificates.semidefinite.proof import prove
from relucert_core.certificates.semidefinite.relaxation import Multipliers, Relaxation
from relucert_core.certificates.semidefinite.solver import solve
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.network import Network
from tests.certificates.semidefinite_cases import random_multipliers
from tests.certificates.semidefinite_problems import interval_bounds
from tests.oracles import exact, exact_forward
from tests.oracles_bruteforce import BruteForce, brute_force

KINDS = ("ordinary", "integers", "parallel", "dead", "zero biases", "tiny", "huge", "mixed")
METHODS = tuple(name for name in ("quadratic", "semidefinite") if name in rc.CERTIFICATES)
SECONDS = 1.0
Parts = dict[str, np.ndarray]
FAULTS: dict[str, Callable[[np.random.Generator, Parts], Parts]] = {
    "none": lambda rng, parts: parts,
    "sign": lambda rng, parts: {name: -part for name, part in parts.items()},
    "order": lambda rng, parts: {name: part[::-1].copy() for name, part in parts.items()},
    "noise": lambda rng, parts: {n: p * (1 + 0.01 * rng.normal(size=p.shape)) for n, p in parts.items()},
    "size": lambda rng, parts: {name: part * 10.0 ** rng.integers(-8, 9) for name, part in parts.items()},
    "random": lambda rng, parts: {n: np.abs(p).sum() * rng.normal(size=p.shape) for n, p in parts.items()},
    "nan": lambda rng, parts: {
        name: np.where(rng.random(part.shape) < 0.5, math.nan, part) for name, part in parts.items()
    },
    "inf": lambda rng, parts: {
        name: np.where(rng.random(part.shape) < 0.5, math.inf, part) for name, part in parts.items()
    },
}


def law_network(rng: np.random.Generator, kind: str, neurons: int = 6) -> Network:
    """A network of 1 to 4 hidden layers, up to `neurons` (at least 4) hidden neurons, 4 inputs and 4 classes."""
    layers = int(rng.integers(1, 5))
    widths = [1] * layers
    for _ in range(int(rng.integers(layers, max(neurons, layers) + 1)) - layers):
        widths[int(rng.integers(layers))] += 1
    sizes = [int(rng.integers(1, 5)), *widths, int(rng.integers(2, 5))]
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) for b in sizes[1:]]
    if kind == "integers":
        weights, biases = [np.round(2 * w) for w in weights], [np.round(2 * b) for b in biases]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        if kind == "parallel":
            factor = float(rng.choice([2.0, -1.0, 1.0]))
            weight[-1], bias[-1] = factor * weight[0], factor * bias[0]
        if kind == "dead":
            bias[rng.random(len(bias)) < 0.4] = -50.0
    if kind == "zero biases":
        biases = [np.zeros_like(bias) for bias in biases]
    scales = {"tiny": lambda: 1e-30, "huge": lambda: 1e30, "mixed": lambda: 10.0 ** rng.integers(-12, 13)}.get(kind)
    if scales is not None:
        for weight, bias in zip(weights, biases, strict=True):
            scale = scales()
            weight *= scale
            bias *= scale
    return Network(weights, biases, name=kind)


def law_point(rng: np.random.Generator, net: Network) -> np.ndarray:
    """A point: one in four on the integer grid, one in eight on the face of a neuron of the first layer."""
    point = rng.normal(size=net.inputs)
    choice = rng.random()
    if choice < 0.25:
        point = np.round(point)
    elif choice < 0.375:
        row, bias = net.weights[0][0], net.biases[0][0]
        size = float(row @ row)
        moved = point - row * ((row @ point + bias) / size) if 0 < size < 1e300 else point
        point = moved if np.isfinite(moved).all() else point
    return point


def wrong_about(cert: Certificate, net: Network, point: np.ndarray, truth: BruteForce) -> list[str]:
    """What is wrong with a certificate, given the exact distance as an interval."""
    wrong = []
    if not cert.radius <= truth.high:
        wrong.append(f"{cert.method} claims {cert.radius!r}, the distance is at most {truth.high!r}")
    if not cert.radius <= cert.upper:
        wrong.append(f"{cert.method}: radius {cert.radius!r} above its own witness at {cert.upper!r}")
    if cert.guarantee == EXACT and not (cert.witness is not None and cert.upper <= cert.radius * (1 + 1e-6)):
        wrong.append(f"{cert.method} calls [{cert.radius!r}, {cert.upper!r}] exact")
    if cert.witness is not None:
        logits = exact_forward(net, cert.witness)[-1]
        if not any(value >= logits[cert.label] for j, value in enumerate(logits) if j != cert.label):
            wrong.append(f"{cert.method}: its witness is not adversarial")
        square = sum((a - b) ** 2 for a, b in zip(exact(cert.witness), exact(point), strict=True))
        if math.isfinite(cert.upper) and Fraction(cert.upper) ** 2 < square:
            wrong.append(f"{cert.method}: its witness lies beyond {cert.upper!r}")
    return wrong


def wrong_proofs(
    rng: np.random.Generator, net: Network, point: np.ndarray, truth: BruteForce, counts: Counter[str]
) -> list[str]:
    """What the prover claims too much, for every rival, with the solver's multipliers and with spoilt ones.

    For a problem as it is and, "split", for the least of the leaves that one neuron or two make of it.
    """
    frame = Frame.around(net, torch.from_numpy(point))
    if not 0 < truth.high < math.inf:
        return []
    radius = truth.high * float(rng.choice([0.5, 0.9, 1.0, 1.2]))
    claims: dict[str, list[float]] = {name: [] for fault in FAULTS for name in (fault, f"{fault}, split")}
    for rival in range(net.classes):
        if rival == frame.label:
            continue
        relaxation = relax(frame, rival, interval_bounds(net, frame, radius), radius)
        if relaxation is None:
            return []  # a rival about which nothing is proved: the smallest claim over all rivals is 0
        for suffix, parts in (("", [relaxation]), (", split", leaves_of(rng, relaxation))):
            solved = [solve(part, gap=1e-6, max_seconds=SECONDS).multipliers for part in parts]
            for name, spoil in FAULTS.items():
                values = []
                for part, multipliers in zip(parts, solved, strict=True):
                    given = Multipliers(**spoil(rng, dict(vars(multipliers))))
                    if name == "random" and rng.random() < 0.5:
                        given = random_multipliers(rng, part)
                    values.append(prove(part, given, part.identity, part.cases))
                    other = replace(part.identity, radius=radius * 2)
                    if prove(part, given, other, part.cases):
                        return [f"a problem of radius {radius!r} was taken for one of {2 * radius!r}"]
                    if part.cases and prove(part, given, part.identity):
                        return ["a leaf was taken for the whole problem"]
                claims[name + suffix].append(min(radius, math.sqrt(min(values))))
    wrong = []
    for name, found in claims.items():
        counts[f"proofs, {name}"] += 1
        counts[f"proofs above 0, {name}"] += min(found) > 0
        if min(found) > truth.high:
            wrong.append(
                f"prover with the fault {name!r} claims {min(found)!r}, the distance is at most {truth.high!r}"
            )
    return wrong


def leaves_of(rng: np.random.Generator, problem: Relaxation) -> list[Relaxation]:
    """The leaves that splitting at one random neuron or two makes of a problem; itself where it has no neuron."""
    leaves = [problem]
    count = min(int(rng.integers(1, 3)), problem.neurons)
    for neuron in rng.choice(problem.neurons, count, replace=False).tolist() if count else []:
        leaves = [case(leaf, neuron, side) for leaf in leaves for side in (OFF, ON)]
    return leaves


def violations_of(
    rng: np.random.Generator, kind: str, counts: Counter[str], methods: Sequence[str] = METHODS
) -> list[str]:
    """What is wrong at one random case."""
    net = law_network(rng, kind)
    point = law_point(rng, net)
    predicted = int(np.nan_to_num(net(point), nan=-math.inf).argmax())
    label = int(rng.integers(net.classes)) if rng.random() < 0.1 else predicted
    truth = brute_force(net, point, label)
    counts["decided"] += truth.decided
    wrong = []
    attack = rc.attack(net, point, "best", 2, label=label) if methods else None
    if attack is not None and not truth.low <= attack.distance * (1 + 1e-15):
        wrong.append(f"an attack succeeds at {attack.distance!r}, the distance is at least {truth.low!r}")
    for method in methods:
        options = {"max_seconds": SECONDS} if "max_seconds" in rc.CERTIFICATES[method].options else {}
        cert = rc.certify(net, point, method, 2, label=label, **options)
        counts[f"{method} above 0"] += cert.radius > 0
        counts[f"{method} exact"] += cert.guarantee == EXACT
        wrong += wrong_about(cert, net, point, truth)
        if attack is not None and not cert.radius <= attack.distance:
            wrong.append(f"{method} claims {cert.radius!r}, an attack succeeds at {attack.distance!r}")
    if label == predicted:
        wrong += wrong_proofs(rng, net, point, truth, counts)
    return [f"{kind}, {net!r}, point {point.tolist()}, label {label}: {text}" for text in wrong]


def hunt(
    cases: int, seed: int, methods: Sequence[str] = METHODS, progress: bool = False
) -> tuple[Counter[str], list[str]]:
    """Try `cases` cases; returns the counts and the violations. Case n of a seed is the same in every run."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(cases):
        rng = np.random.default_rng((seed, number))
        counts["cases"] += 1
        new = [
            f"case {number} of seed {seed}: {text}"
            for text in violations_of(rng, KINDS[number % len(KINDS)], counts, methods)
        ]
        found += new
        if progress and new:
            print("\n".join(["", *new]), flush=True)
        if progress and number % 50 == 49:  # a hunt that is cut short still has its totals
            print(f"{number + 1:,} cases, {len(found)} violations; {dict(sorted(counts.items()))}", flush=True)
    return counts, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default=",".join(METHODS), help="certificates, or none")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    methods = [name for name in arguments.methods.split(",") if name in rc.CERTIFICATES]
    counts, found = hunt(arguments.cases, arguments.seed, methods, progress=True)
    print("\n" + "\n".join(f"{count:>8,}  {name}" for name, count in sorted(counts.items())))
    print(f"{len(found)} violations (seed {arguments.seed})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
