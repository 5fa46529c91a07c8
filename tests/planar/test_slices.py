"""A plane through the input space is the network itself, seen in two coordinates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from relucert_core.errors import InvalidInput
from relucert_core.network import Network
from relucert_core.planar import planar_complex, slice_network


def wide_net(seed: int, inputs: int = 50) -> Network:
    rng = np.random.default_rng(seed)
    sizes = [inputs, 20, 20, 4]
    pairs = list(pairwise(sizes))
    return Network(
        [rng.normal(size=(b, a)) / np.sqrt(a) for a, b in pairs], [rng.normal(size=b) * 0.1 for _, b in pairs]
    )


def frame(seed: int, inputs: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(inputs, 2)))
    return rng.normal(size=inputs), basis[:, 0], basis[:, 1]


def test_the_slice_is_the_network_on_the_plane() -> None:
    net, (origin, u, v) = wide_net(0), frame(1)
    plane = slice_network(net, origin, u, v)
    points = np.random.default_rng(2).normal(size=(200, 2))
    assert plane.inputs == 2
    assert np.allclose(plane(points), net(origin + points @ np.stack([u, v])), atol=1e-12)


def test_distances_in_the_plane_are_distances_in_the_input_space() -> None:
    net, (origin, u, v) = wide_net(3), frame(4)
    points = np.random.default_rng(5).uniform(-1, 1, (50, 2))
    distance, nearest, proven = planar_complex(slice_network(net, origin, u, v), ((-1, 1), (-1, 1))).boundary_distance(
        points
    )
    assert proven.all()
    lifted, reached = (origin + part @ np.stack([u, v]) for part in (points, nearest))
    assert np.allclose(np.linalg.norm(lifted - reached, axis=1), distance, atol=1e-9)
    top = np.sort(net(reached), axis=1)
    assert np.abs(top[:, -1] - top[:, -2]).max() < 1e-9


def test_directions_that_are_not_orthonormal_are_refused() -> None:
    net, (origin, u, v) = wide_net(0), frame(1)
    for bad_u, bad_v in ((2 * u, v), (u, u), (u, v + 0.01 * u), (0 * u, v)):
        with pytest.raises(InvalidInput, match=r"orthonormal.*lengths are"):
            slice_network(net, origin, bad_u, bad_v)
    with pytest.raises(InvalidInput, match=r"v must have shape \(50,\)"):
        slice_network(net, origin, u, v[:-1])
