"""The lesson's last step: neurons as relations z (z - a) = 0, and the two sides of the true distance that they give.

A neuron with input a and output z = max(0, a) is exactly the set z (z - a) = 0, z >= 0, z >= a: no pattern, no theta.
The certificate `semidefinite` keeps these relations for all neurons at once and relaxes only the last thing, that all
products come from one and the same point. Source: Raghunathan, Steinhardt and Liang (2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from relucert_core.certificates.result import Certificate
from relucert_core.experiments.lesson import NEURONS, lesson_network
from relucert_core.region import activation_region
from relucert_core.registry import certify

MOST_ITERATIONS = 100  # of the solver; the lesson's points need about 20 at most


@dataclass(frozen=True, eq=False)
class OpenNeuron:
    """A first-layer neuron over the ball around u: its letter, its input a at u, and the least and largest a there."""

    name: str
    value: float
    low: float
    high: float

    @property
    def open(self) -> bool:
        """Does its sign change within the ball?"""
        return self.low < 0 < self.high


@dataclass(frozen=True, eq=False)
class Relation:
    """Both sides of the distance at one point, and the first-layer neurons over the ball of the found radius.

    certificate: the proved radius, and in `upper` the distance of the adversarial point that was found (norm 2).
    neurons: of the first layer, the one whose sign is most undecided in the ball first.
    """

    certificate: Certificate
    neurons: tuple[OpenNeuron, ...]


@lru_cache(maxsize=256)
def relation_at(x1: float, x2: float) -> Relation:
    """The semidefinite certificate at (x1, x2) of the lesson's network, and what its first layer does in the ball.

    Over the ball of radius r around u the input a = w.x + b runs from a(u) - r |w| to a(u) + r |w| (Cauchy-Schwarz);
    these ends are plain float64, for the picture, not certified.
    """
    net, point = lesson_network(), (x1, x2)
    found = certify(net, point, method="semidefinite", norm=2, max_seconds=None, max_iterations=MOST_ITERATIONS)
    region = activation_region(net, point)
    radius = found.upper if math.isfinite(found.upper) else 1.0
    values = net.weights[0] @ region.point + net.biases[0]
    reach = [radius * math.hypot(*row) for row in net.weights[0].tolist()]
    neurons = [
        OpenNeuron(name, float(a), float(a) - r, float(a) + r)
        for name, a, r in zip(NEURONS, values.tolist(), reach, strict=False)
    ]
    return Relation(found, tuple(sorted(neurons, key=lambda one: max(one.low, -one.high))))
