"""Hunt for a violated promise of the certificate `quadratic`, of its bounds over a ball and of their parts.

    python -m tests.hunt_quadratic --cases 10000 --seed 1

A case is one of: a radius against the exact distance (brute force over all patterns, in integers); the bounds of all
layers and margins over a ball, of `quadratic` and of `semidefinite`, against exact forward passes at points of the
ball; a parabola or line against the ReLU in fractions; the maximum of a quadratic over a ball against its values at
points of the ball, in fractions, from proposals that are good, bad and senseless. Prints the counts and every
violation; exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.linear_bounds import ENTRIES as LINEAR
from relucert_core.certificates.quadratic.ball import maximum_above
from relucert_core.certificates.quadratic.bounds import ball_of, quadratic_bounds
from relucert_core.certificates.quadratic.first_layer import FirstLayer
from relucert_core.certificates.quadratic.parabolas import Quadratic, enclose
from relucert_core.certificates.quadratic.radius import run
from relucert_core.certificates.semidefinite.bounds import Balls
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.network import Network
from relucert_core.rounding import above, norm_above
from tests.helpers import KINDS, random_network, random_points
from tests.hunt_search import small_network, small_point
from tests.hunt_semidefinite import KINDS as LAW_KINDS
from tests.hunt_semidefinite import law_network, law_point
from tests.oracles import dot, exact, exact_forward
from tests.oracles_bruteforce import brute_force

CROWN = next(entry for entry in LINEAR if entry.name == "crown-ada")
SENSELESS = (0.0, -1.0, math.inf, math.nan, 1e-300, 1e300)


def scaled_network(rng: np.random.Generator) -> Network:
    """A small network, some with layers of very different sizes, dead neurons or zero biases."""
    net = small_network(rng, 6)
    weights, biases = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    kind = rng.random()
    if kind < 0.3:
        for i in range(len(weights)):
            factor = 10.0 ** int(rng.integers(-12, 13))
            weights[i], biases[i] = weights[i] * factor, biases[i] * factor
    elif kind < 0.4:
        weights[0][0], biases[0][0] = 0.0, -1.0
    elif kind < 0.5:
        biases = [0.0 * b for b in biases]
    return Network(weights, biases, name=net.name)


def radius_case(rng: np.random.Generator) -> list[str]:
    """The radius at a point, for the prediction or another label, against the exact distance and CROWN-Ada's."""
    net = scaled_network(rng)
    point = small_point(rng, net)
    label = int(net(point).argmax()) if rng.random() < 0.9 else int(rng.integers(net.classes))
    points, labels = torch.tensor(point[None]), torch.tensor([label])
    (found,) = run(net, points, norm=2.0, labels=labels)
    (crown,) = CROWN.run(net, points, norm=2.0, labels=labels)
    truth = brute_force(net, point, label)
    wrong = []
    if not crown.radius <= found.radius <= truth.high:
        wrong.append(f"{crown.radius!r} <= {found.radius!r} <= {truth.high!r} at {point.tolist()}, {net!r}")
    return wrong


def ball_points(rng: np.random.Generator, point: np.ndarray, radius: float, count: int) -> list[np.ndarray]:
    """Stored points whose exact distance to `point` is at most `radius`, most of them near the surface."""
    steps = rng.normal(size=(count, len(point)))
    steps *= radius * rng.random((count, 1)) ** 0.1 / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-300)
    centre, square = exact(point), Fraction(radius) ** 2
    points = (point + step * (1 - 1e-12) for step in steps)
    return [p for p in points if sum((a - b) ** 2 for a, b in zip(exact(p), centre)) <= square]


def bounds_case(rng: np.random.Generator) -> list[str]:
    """The bounds over a ball, intersected with those of a larger one or not, at points of the ball."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    net = random_network(rng, kind)
    (point,) = random_points(rng, net, 1, kind)
    radius = float(10.0 ** rng.uniform(-3, 1) * (np.abs(point).max() if rng.random() < 0.3 else 1.0)) or 1.0
    ball = ball_of(net, point)
    known = quadratic_bounds(net, point, 2 * radius, ball=ball) if rng.random() < 0.3 else None
    found = quadratic_bounds(net, point, radius, ball=ball, known=known)
    wrong = []
    about = f"{kind}, {net!r}, {point.tolist()}"
    for inner in ball_points(rng, point, radius, 6):
        wrong += outside(net, inner, found.lower, found.upper, found.margins, found.label, about)
    return wrong


def outside(
    net: Network, inner: np.ndarray, lower: Sequence[Any], upper: Sequence[Any], margins: Any, label: int, about: str
) -> list[str]:
    """Which bounds of hidden layers and margins do not hold at a point of the ball."""
    wrong = []
    *hidden, logits = exact_forward(net, inner)
    for layer, (lows, values, highs) in enumerate(zip(lower, hidden, upper, strict=True), start=1):
        for low, value, high in zip(lows.tolist(), values, highs.tolist(), strict=True):
            if not low <= value <= high:
                wrong.append(f"layer {layer}: {low!r} <= {float(value)!r} <= {high!r}, {about}")
    for rival, margin in enumerate(margins.tolist()):
        if rival != label and not margin <= logits[label] - logits[rival]:
            wrong.append(f"margin {margin!r} towards {rival}, {about}")
    return wrong


def ranges_case(rng: np.random.Generator) -> list[str]:
    """The semidefinite certificate's bounds over a ball, and within a larger one, at points of the ball."""
    kind = LAW_KINDS[int(rng.integers(len(LAW_KINDS)))]
    net = law_network(rng, kind, 12)
    point = law_point(rng, net)
    frame = Frame.around(net, torch.from_numpy(point))
    if frame.margins.status[0] != "ok":
        return []
    radius = float(10.0 ** rng.uniform(-2, 1))
    balls = Balls(frame)
    wrong = []
    for size in [2 * radius, radius] if rng.random() < 0.3 else [radius]:
        found = balls.at(size)
        about = f"{kind}, {net!r}, {point.tolist()}"
        for inner in ball_points(rng, point, size, 6):
            wrong += outside(net, inner, found.bounds.lower, found.bounds.upper, found.margins, frame.label, about)
    return wrong


def curve_case(rng: np.random.Generator) -> list[str]:
    """One parabola or line against the ReLU: at the ends, the kink, the touching points and in between."""
    size = 10.0 ** rng.integers(-20, 21)
    weight, value = float(rng.normal() * 10.0 ** rng.integers(-9, 10)), float(rng.normal() * size)
    reach = float(abs(rng.normal()) * size)
    width = SENSELESS[int(rng.integers(6))] if rng.random() < 0.2 else float(abs(rng.normal()) * size)
    slope = SENSELESS[int(rng.integers(6))] if rng.random() < 0.2 else float(rng.random())
    arrays = [torch.tensor([v], dtype=torch.float64) for v in (weight, value, reach, width, slope)]
    found = enclose(arrays[0][None], arrays[1], arrays[2], torch.tensor([True]), arrays[3][None], arrays[4][None])
    h, e, k = float(found.curvature), float(found.slope), float(found.constant)
    if not all(map(math.isfinite, (h, e, k))):
        return []
    spots = [-reach, reach, 0.0, -value, width - value, -width - value, *(reach * rng.uniform(-1, 1, 8))]
    if h > 0:
        spots += [-e / (2 * h), (weight - e) / (2 * h)]
    c, a = Fraction(weight), Fraction(value)
    wrong = []
    for spot in filter(lambda s: math.isfinite(s) and abs(s) <= reach, map(float, spots)):
        s = Fraction(spot)
        if not c * (max(a + s, 0) - max(a, 0)) <= Fraction(h) * s * s + Fraction(e) * s + Fraction(k):
            wrong.append(f"curve {h!r}, {e!r}, {k!r} at {spot!r}: weight {weight!r}, value {value!r}, reach {reach!r}")
    return wrong


def plain_layer(rows: np.ndarray, radius: float, pairs: bool = True) -> FirstLayer:
    """Rows (n, D) of a first layer, all open, around a centre where every value is 0; pairs: with their products."""
    matrix = torch.tensor(rows)
    lower = (matrix @ matrix.T).tril()
    norms = norm_above(matrix, 2.0)
    none = torch.zeros(len(rows), dtype=torch.float64)
    every = torch.arange(len(rows))
    gram = lower + lower.tril(-1).T if pairs else None
    return FirstLayer(every, matrix, norms, gram, none, above(radius * norms), every >= 0, radius)


def maximum_case(rng: np.random.Generator) -> list[str]:
    """The maximum of a quadratic over a ball, from a multiplier good, bad or senseless, at points of the ball."""
    count, inputs = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    rows = rng.normal(size=(count, inputs)) * 10.0 ** rng.integers(-4, 5)
    radius = float(10.0 ** rng.uniform(-3, 3))
    h, e = np.abs(rng.normal(size=count)) * (rng.random(count) < 0.7), rng.normal(size=count)
    largest = np.linalg.eigvalsh((rows.T * h) @ rows)[-1]
    start = SENSELESS[int(rng.integers(6))] if rng.random() < 0.3 else float(largest * rng.uniform(0.5, 2.0))
    quadratic = Quadratic(torch.tensor(h)[None], torch.tensor(e)[None], torch.zeros(1, dtype=torch.float64))
    layer = plain_layer(rows, radius, bool(rng.random() < 0.5))
    bound = float(maximum_above(layer, quadratic, torch.tensor([start], dtype=torch.float64)))
    if bound == math.inf:
        return []
    best = e @ rows
    directions = [best, -best, *np.linalg.eigh((rows.T * h) @ rows)[1].T, *rng.normal(size=(4, inputs))]
    wrong = []
    for direction in directions:
        step = exact(direction * (radius / max(float(np.linalg.norm(direction)), 1e-300)) * (1 - 1e-15))
        if sum(s * s for s in step) > Fraction(radius) ** 2:
            continue
        strays = [dot(exact(row), step) for row in rows]
        value = sum(Fraction(a) * s * s + Fraction(b) * s for a, b, s in zip(h, e, strays))
        if not value <= bound:
            wrong.append(f"maximum {bound!r} < {float(value)!r}: radius {radius!r}, start {start!r}, {rows.tolist()}")
    return wrong


CASES: dict[str, Callable[[np.random.Generator], list[str]]] = {
    "radius": radius_case,
    "bounds": bounds_case,
    "ranges": ranges_case,
    "curve": curve_case,
    "maximum": maximum_case,
}


Report = Callable[[Counter[str], list[str]], None]


def hunt(cases: int, seed: int, report: Report = lambda counts, violations: None) -> tuple[Counter[str], list[str]]:
    """Check `cases` cases, the kinds in turn; returns how many of each, and the violations, and reports both."""
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    violations: list[str] = []
    names = list(CASES)
    for number in range(cases):
        name = names[number % len(names)]
        counts[name] += 1
        violations += [f"{name}: {text}" for text in CASES[name](rng)]
        report(counts, violations)
    return counts, violations


def totals(counts: Counter[str], violations: list[str]) -> str:
    """The totals in words."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) + f": {len(violations)} violations"


def show(counts: Counter[str], violations: list[str]) -> None:
    """The totals so far, now and then: a hunt that is cut short still has them."""
    if counts.total() % 100 == 0:
        print("\n".join([f"\r{totals(counts, violations)}", *violations[-3:]]), end="", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    counts, violations = hunt(arguments.cases, arguments.seed, show)
    print(f"\r{totals(counts, violations)} (seed {arguments.seed})")
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
