"""Random networks and points for the tests: ordinary ones, and ones built to break a certificate."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from relucert_core.network import Network

NORMS = (1.0, 2.0, np.inf)
KINDS = ("ordinary", "scales", "cancelling", "duplicates", "zeros", "integers", "tiny", "huge")


def quick_and_slow(few: int, many: int) -> list[Any]:
    """How many examples a test takes, for `parametrize`: `few` in the quick suite, `many` with `-m slow`."""
    return [few, pytest.param(many, marks=pytest.mark.slow)]


def rest_slow(values: Iterable[Any], quick: int) -> list[Any]:
    """Values for `parametrize`: the first `quick` are for the quick suite, the rest are marked slow."""
    return [
        value if i < quick else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for i, value in enumerate(values)
    ]


def random_network(rng: np.random.Generator, kind: str = "ordinary", *, inputs: int | None = None) -> Network:
    """A network of 2 to 4 layers, up to 6 wide; `kind` is one of KINDS."""
    depth = int(rng.integers(2, 5))
    first = int(rng.integers(1, 5)) if inputs is None else inputs
    widths = [first, *(int(n) for n in rng.integers(1, 7, depth - 1)), int(rng.integers(2, 5))]
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    biases = [rng.normal(size=b) for b in widths[1:]]
    _SPOIL[kind](rng, weights, biases)
    return Network(weights, biases, name=f"random {kind}")


def random_points(rng: np.random.Generator, net: Network, count: int, kind: str = "ordinary") -> np.ndarray:
    """Points (count, D) that suit the kind of network; some on the integer grid, where faces and ties are."""
    points = rng.normal(size=(count, net.inputs))
    if kind == "integers":
        points = np.round(2 * points)
    if kind in ("tiny", "huge", "scales"):
        points = points * 10.0 ** rng.integers(-30, 31, size=(count, 1))
    if kind == "cancelling":
        points = 1e8 + points
    points[rng.random(points.shape) < 0.1] = 0.0
    return points


def _nothing(rng, weights, biases):
    pass


def _scales(rng, weights, biases):
    for w, b in zip(weights, biases):
        w *= 10.0 ** rng.integers(-30, 31, size=(len(w), 1))
        b *= 10.0 ** rng.integers(-30, 31, size=len(b))


def _cancelling(rng, weights, biases):
    for w, b in zip(weights, biases):
        w *= 1e8
        w[:, -1] = -w[:, :-1].sum(1) + rng.normal(size=len(w)) * 1e-6
        b *= 1e-3


def _duplicates(rng, weights, biases):
    for w, b in zip(weights, biases):
        i, j = rng.integers(0, len(w), 2)
        w[i], b[i] = w[j] * 2.0, b[j] * 2.0


def _zeros(rng, weights, biases):
    for w, b in zip(weights, biases):
        w[rng.random(len(w)) < 0.3] = 0.0
        w[:, rng.random(w.shape[1]) < 0.3] = 0.0
        b[rng.random(len(b)) < 0.4] = 0.0


def _integers(rng, weights, biases):
    for w, b in zip(weights, biases):
        w[:] = np.round(2 * w)
        b[:] = np.round(2 * b)


def _scaled_by(exponent):
    def spoil(rng, weights, biases):
        for w, b in zip(weights, biases):
            w *= 10.0**exponent
            b *= 10.0**exponent

    return spoil


_SPOIL = {
    "ordinary": _nothing,
    "scales": _scales,
    "cancelling": _cancelling,
    "duplicates": _duplicates,
    "zeros": _zeros,
    "integers": _integers,
    "tiny": _scaled_by(-30),
    "huge": _scaled_by(30),
}
