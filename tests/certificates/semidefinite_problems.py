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


def points_of_equality(net, frame, rival, radius, rng, tries=16):
    """Points d with f_label = f_rival within the radius, by halving along random directions."""

    def ahead(d):
        logits = values(net, frame.point + d)[-1]
        return logits[frame.label] - logits[rival]

    for direction in rng.standard_normal((tries, net.inputs)):
        end = direction / np.linalg.norm(direction) * radius
        if ahead(end) > 0:
            continue
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if ahead(middle * end) > 0 else (low, middle)
        yield high * end


def lifted_point(problem, net, d):
    """(zeta, v') of a point of equality."""
    z = values(net, np.frombuffer(problem.identity.point) + d)
    zeta = np.array([max(z[layer - 1][neuron], 0.0) for layer, neuron in problem.where]) / problem.units
    y = problem.basis.T @ d
    if problem.pivot_is_neuron:
        return zeta, np.concatenate([[1.0], y, zeta[:-1]])
    return zeta, np.concatenate([[1.0], y[1:], zeta])


def every_form(problem):
    """All forms by form index, (3 n + 1 + K, N)."""
    base, n = problem.base_forms(), problem.neurons
    return np.concatenate([base[: 2 * n], base[2 * n] - base[:n] - base[n : 2 * n], base[2 * n :]])


def random_case(widths, radius, rng):
    """A random network, the frame of a random point, the class after the predicted one, and its relaxation or None."""
    net, point = network(widths, rng), rng.standard_normal(widths[0])
    frame = Frame.around(net, torch.from_numpy(point))
    rival = (frame.label + 1) % 3
    return net, frame, rival, relax(frame, rival, interval_bounds(net, frame, radius), radius)


def random_problem(widths, radius, rng):
    """The relaxation of `random_case`, or None."""
    return random_case(widths, radius, rng)[-1]
