"""Oracles for networks whose layers may be sparse and may carry outputs on: fractions, and a chain that is the same."""

import itertools
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array

from relucert_core.layers import Layer
from relucert_core.network import Network
from tests.oracles import Vector, dot, exact, within


def mixed_network(rng, *, inputs=None, depth=None, wholes=False, sparse=True):
    """A small random network: dense and CSR layers, with some outputs carried on."""
    inputs, depth = inputs or int(rng.integers(1, 5)), depth or int(rng.integers(2, 5))
    widths = [inputs, *rng.integers(2, 6, depth - 1).tolist(), int(rng.integers(2, 4))]
    layers = []
    for i, (below, above) in enumerate(itertools.pairwise(widths)):
        weight = rng.integers(-2, 3, (above, below)).astype(float) if wholes else rng.normal(size=(above, below))
        weight = np.where(rng.random(weight.shape) < 0.4, 0.0, weight)
        bias = rng.integers(-1, 2, above).astype(float) if wholes else rng.normal(size=above)
        mask = rng.random(above) < 0.6
        mask[rng.integers(above)] = True
        stored = csr_array(weight) if sparse and rng.random() < 0.6 else weight
        layers.append(Layer(stored, bias, mask if i < depth - 1 else None))
    return Network.of_layers(layers, name="mixed")


def in_full(net):
    """The same network with every layer dense."""
    layers = []
    for layer in net.layers:
        weight = layer.weight.copy() if isinstance(layer.weight, np.ndarray) else layer.weight.toarray()
        layers.append(Layer(weight, layer.bias.copy(), layer.rectified))
    return Network.of_layers(layers, name="in full")


def chain_twin(net, shift):
    """A chain that computes the same wherever no carried value is below -shift: v = relu(v + shift) - shift there."""
    weights, biases, lift = [], [], None
    for layer in in_full(net).layers:
        bias = layer.bias - (layer.weight @ lift if lift is not None else 0.0)
        lift = np.zeros(len(bias)) if layer.rectified is None else np.where(layer.rectified, 0.0, shift)
        weights.append(layer.weight.copy())
        biases.append(bias + lift)
    return Network(weights, biases, name="twin")


def exact_pass(net, point) -> tuple[list[Vector], list[list[Vector]]]:
    """z^(1), ..., z^(M) and their gradients in fractions, with the pattern z > 0."""
    hidden = exact(point)
    rows = [[Fraction(int(i == j)) for j in range(len(hidden))] for i in range(len(hidden))]
    values, gradients = [], []
    for layer in in_full(net).layers:
        weight = [exact(row) for row in layer.weight]
        z = [dot(row, hidden) + b for row, b in zip(weight, exact(layer.bias))]
        columns = list(zip(*rows))
        gradient = [[dot(row, column) for column in columns] for row in weight]
        values.append(z)
        gradients.append(gradient)
        if layer.rectified is not None:
            off = [bool(r) and v <= 0 for r, v in zip(layer.rectified, z)]
            hidden = [Fraction(0) if o else v for o, v in zip(off, z)]
            rows = [[Fraction(0)] * len(g) if o else g for o, g in zip(off, gradient)]
    return values, gradients


def simplex_holds(net, point, radius, label, norm) -> bool:
    """Is the radius at most Theorem 3's value, faces of rectified outputs alone, in exact arithmetic?"""
    values, gradients = exact_pass(net, point)
    for layer, z, rows in zip(net.layers[:-1], values, gradients):
        for j in np.flatnonzero(layer.rectified):
            if not within(radius, z[j], rows[j], norm):
                return False
    logits, rows = values[-1], gradients[-1]
    for j, value in enumerate(logits):
        gap = [a - b for a, b in zip(rows[label], rows[j])]
        if j != label and not (
            radius == 0 or (value < logits[label] and within(radius, logits[label] - value, gap, norm))
        ):
            return False
    return True
