"""Small networks and bounds for the tests of the semidefinite certificate."""

from itertools import pairwise

import numpy as np
import torch

import relucert_core as rc
from relucert_core.certificates.semidefinite.forms import relax
from relucert_core.certificates.semidefinite.relaxation import Bounds, Identity
from relucert_core.certificates.semidefinite.substitution import Frame

WIDTHS = ((4, 6), (2, 5, 6), (7, 4, 5, 3), (3, 5, 5, 4, 4))


def network(widths, rng):
    sizes = (*widths, 3)
    weights = [rng.standard_normal((b, a)) for a, b in pairwise(sizes)]
    return rc.Network(weights, [0.5 * rng.standard_normal(b) for b in sizes[1:]])


def values(net, x):
    found, hidden = [], x
    for weight, bias in zip(net.weights, net.biases, strict=True):
        found.append(weight @ hidden + bias)
        hidden = np.maximum(found[-1], 0)
    return found


def interval_bounds(net, frame, radius, slack=np.inf):
    """Bounds by interval arithmetic, a little wider than needed: an oracle that nobody tunes."""
    reach = radius * np.linalg.norm(net.weights[0], axis=1) + 1e-9
    centre = values(net, frame.point)[0]
    low, high = [centre - reach], [centre + reach]
    for weight, bias in zip(net.weights[1:-1], net.biases[1:-1], strict=True):
        below, above = np.maximum(low[-1], 0), np.maximum(high[-1], 0)
        plus, minus = np.maximum(weight, 0), np.minimum(weight, 0)
        low.append(plus @ below + minus @ above + bias - 1e-9)
        high.append(plus @ above + minus @ below + bias + 1e-9)
    identity = Identity(net.digest, frame.point.tobytes(), frame.label, None, radius)
    return Bounds(identity, tuple(low), tuple(high), slack)


def random_problem(widths, radius, rng):
    """The relaxation of a random network towards the class after the predicted one, or None."""
    net, point = network(widths, rng), rng.standard_normal(widths[0])
    frame = Frame.around(net, torch.from_numpy(point))
    return relax(frame, (frame.label + 1) % 3, interval_bounds(net, frame, radius), radius)
