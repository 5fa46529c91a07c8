"""Small problems for the tests of the semidefinite certificate, with their distances by brute force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.semidefinite.forms import relax
from relucert_core.certificates.semidefinite.relaxation import Multipliers, Relaxation
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.network import Network
from tests.certificates.semidefinite_problems import interval_bounds
from tests.helpers import random_network, random_points
from tests.oracles_bruteforce import brute_force


@dataclass(frozen=True)
class Case:
    """A relaxation of one rival over the ball of `radius`; distance: an upper bound on the exact one to that rival."""

    net: Network
    point: np.ndarray
    relaxation: Relaxation
    distance: float

    @property
    def radius(self) -> float:
        return self.relaxation.identity.radius


def against(net: Network, label: int, rival: int) -> Network:
    """The network with the two outputs of label and rival alone."""
    pair = [label, rival]
    return Network([*net.weights[:-1], net.weights[-1][pair]], [*net.biases[:-1], net.biases[-1][pair]])


def cases(
    seed: int, count: int, kind: str = "ordinary", *, neurons: int = 7, lifted: tuple[int, int] = (1, 12)
) -> Iterator[Case]:
    """`count` problems on random networks of at most `neurons` neurons, at radii around the distance."""
    rng = np.random.default_rng(seed)
    found = 0
    while found < count:
        net = random_network(rng, kind)
        if sum(net.widths) > neurons:
            continue
        point = random_points(rng, net, 1, kind)[0]
        frame = Frame.around(net, torch.from_numpy(point))
        rival = int(rng.choice([j for j in range(net.classes) if j != frame.label]))
        high = brute_force(against(net, frame.label, rival), point, 0).high
        if not 0 < high < np.inf:
            continue
        radius = high * float(rng.choice([0.7, 1.0, 1.3]))
        relaxation = relax(frame, rival, interval_bounds(net, frame, radius), radius)
        if relaxation is not None and lifted[0] <= relaxation.neurons <= lifted[1]:
            found += 1
            yield Case(net, point, relaxation, high)


def random_multipliers(rng: np.random.Generator, relaxation: Relaxation, scale: float = 1.0) -> Multipliers:
    """Multipliers of any sign, as no solver would give them."""
    n, cuts = relaxation.neurons, len(relaxation.cuts)
    return Multipliers(*(scale * rng.normal(size=size) for size in (n, n, n, cuts)))
