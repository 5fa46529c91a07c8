"""Theorem 4 with all its numbers, on the two-layer network that is left when the lesson's last layer is taken off.

Why its radius is small can be read off the record: the numerator is taken over mixes of on and off that no input has,
and the denominator bounds the steepest of them all. Source: Singla and Feizi (2019), section 4.2.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from relucert_core.certificates.boundary import numerator_range
from relucert_core.certificates.result import Certificate, Limit
from relucert_core.distances import hyperplane_distances
from relucert_core.errors import Unsupported
from relucert_core.experiments.lesson import Line, certified, lesson_plane, make_line, rival_lines
from relucert_core.network import Network
from relucert_core.region import ActivationRegion, activation_region


@dataclass(frozen=True, eq=False)
class PatternLine:
    """The line where two classes would tie if the pattern theta held in the whole plane.

    pattern: N zeros and ones. real: does any input of the lesson's box have it? own: is it the pattern of u?
    """

    pattern: tuple[int, ...]
    real: bool
    own: bool
    line: Line


@dataclass(frozen=True, eq=False)
class Mix:
    """Theorem 4 at one point of a two-layer network with two classes, k the predicted one and j the other.

    weights: c = W2_k - W2_j (N,); gap: b2_k - b2_j. values: z (N,), on: theta of u.
    here: the numerator c.(theta z) + gap at u's own pattern, f_k - f_j. mix: the theta in [0, 1]^N that brings it
    nearest to 0, and relaxed: its value there (0 when it can be brought to 0). steepness: ||C_k - C_j|| at u's own
    pattern; weight_norm, spectral: ||c|| and a proven upper bound on ||W1||, whose product stands in its place.
    certificate: the certified Theorem 4. simplex: the certified Theorem 3 of the same network. exact: the distance to
    its boundary. patterns: all 2^N of them with their lines, nearest first.
    """

    network: Network
    region: ActivationRegion
    prediction: int
    rival: int
    weights: np.ndarray
    gap: float
    values: np.ndarray
    on: np.ndarray
    here: float
    mix: tuple[float, ...]
    relaxed: float
    steepness: float
    weight_norm: float
    spectral: float
    certificate: Certificate
    simplex: Certificate
    own_line: Line
    exact: float
    exact_point: np.ndarray | None
    patterns: tuple[PatternLine, ...]

    @property
    def quotient(self) -> float:
        """Theorem 4's fraction in plain float64: for reading, not certified."""
        size = self.weight_norm * self.spectral
        return self.relaxed / size if size > 0 else math.inf


def mix(net: Network, point: Any) -> Mix:
    """Theorem 4 at `point` (2,) of a network of two layers, 2 inputs and 2 classes; Unsupported for another shape."""
    if net.depth != 2 or net.inputs != 2 or net.classes != 2:
        raise Unsupported(f"This step is for 2 layers, 2 inputs, 2 classes; {net.depth}, {net.inputs}, {net.classes}.")
    region = activation_region(net, point)
    simplex, certificate = certified(net, region.point), certified(net, region.point, "decision-boundary")
    best = simplex.prediction
    weights = net.weights[1][best] - net.weights[1][1 - best]
    gap = float(net.biases[1][best] - net.biases[1][1 - best])
    values = net.weights[0] @ region.point + net.biases[0]
    low = float(
        numerator_range(torch.as_tensor(values), torch.as_tensor(weights), torch.tensor(gap, dtype=torch.float64))[0]
    )
    distance, nearest, _ = lesson_plane(net).boundary_distance(region.point)
    own_line = rival_lines(net, region)[0]
    return Mix(
        network=net,
        region=region,
        prediction=best,
        rival=1 - best,
        weights=weights,
        gap=gap,
        values=values,
        on=region.pattern[0],
        here=own_line.value,
        mix=_nearest_mix(weights * values, region.pattern[0].astype(float), own_line.value, low),
        relaxed=max(low, 0.0),
        steepness=math.sqrt(own_line.squares),
        weight_norm=float(np.linalg.norm(weights)),
        spectral=net.affine[0].spectral,
        certificate=certificate,
        simplex=simplex,
        own_line=own_line,
        exact=float(distance[0]),
        exact_point=nearest[0] if np.isfinite(distance[0]) else None,
        patterns=_pattern_lines(net, region, weights, gap),
    )


def _nearest_mix(terms: np.ndarray, on: np.ndarray, here: float, low: float) -> tuple[float, ...]:
    """The theta in [0, 1]^N that brings the numerator, which is `here` >= 0 at u's own pattern, nearest to 0.

    Every term that lowers it is taken whole and the others not at all, which gives `low`; where that goes below 0, the
    mix of this and u's own pattern that gives 0 is taken.
    """
    lowest = (terms < 0).astype(float)
    share = 1.0 if low >= 0 or here <= low else here / (here - low)
    return tuple(float(x) for x in on + share * (lowest - on))


def _pattern_lines(net: Network, region: ActivationRegion, weights: np.ndarray, gap: float) -> tuple[PatternLine, ...]:
    """All 2^N patterns with the lines they would draw, nearest first."""
    seen = {tuple(signs[0].astype(int).tolist()) for signs in lesson_plane(net).patterns}
    own = tuple(region.pattern[0].astype(int).tolist())
    found = []
    for pattern in itertools.product((0, 1), repeat=net.widths[0]):
        kept = weights * pattern
        row, offset = kept @ net.weights[0], float(kept @ net.biases[0]) + gap
        value = torch.tensor(float(row @ region.point) + offset, dtype=torch.float64)
        distance = float(hyperplane_distances(value, torch.as_tensor(row), 2.0))
        line = make_line("".join(map(str, pattern)), Limit.decision(1), region, (row, offset), distance)
        found.append(PatternLine(pattern, pattern in seen, pattern == own, line))
    return tuple(sorted(found, key=lambda one: one.line.distance))
