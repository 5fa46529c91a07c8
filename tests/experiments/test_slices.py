"""Slices: the plane keeps distances, the raster by rows is the raster by pixels, and the budget falls back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from relucert_core.errors import InvalidInput
from relucert_core.experiments.slices import on_plane, plane_through, random_third, raster, rows_cut, view_slice
from relucert_core.network import Network


def wide_network(seed: int, inputs: int = 30) -> Network:
    rng = np.random.default_rng(seed)
    sizes = (inputs, 24, 16, 5)
    weights = [rng.normal(size=(b, a)) / np.sqrt(a) * 1.6 for a, b in pairwise(sizes)]
    return Network(weights, [0.3 * rng.normal(size=b) for b in sizes[1:]], name="wide")


def three_points(seed: int, inputs: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, inputs))


@pytest.mark.parametrize("seed", range(5))
def test_the_plane_holds_its_points_and_keeps_distances(seed):
    points = three_points(seed)
    plane = plane_through(*points)
    np.testing.assert_allclose(plane.point(0, 0), points[0])
    np.testing.assert_allclose(plane.point(*plane.second), points[1], atol=1e-12)
    np.testing.assert_allclose(plane.point(*plane.third), points[2], atol=1e-12)
    apart = np.hypot(plane.third[0] - plane.second[0], plane.third[1])
    assert apart == pytest.approx(np.linalg.norm(points[2] - points[1]))
    flat = on_plane(wide_network(seed), plane)
    np.testing.assert_allclose(flat(np.array([0.3, -0.2])), wide_network(seed)(plane.point(0.3, -0.2)), atol=1e-12)


def test_three_points_on_a_line_are_refused():
    a, b, _ = three_points(1)
    with pytest.raises(InvalidInput, match="on one line"):
        plane_through(a, b, a + 2 * (b - a))
    with pytest.raises(InvalidInput, match="different points"):
        plane_through(a, a, b)


@pytest.mark.parametrize("half", [0.05, 1.0, 4.0])
def test_cutting_rows_gives_the_class_of_every_pixel(half):
    flat = on_plane(wide_network(11), plane_through(*three_points(11)))
    view = view_slice(flat, half, patience=60)
    assert view.complex is not None
    assert view.regions == len(view.complex)
    np.testing.assert_array_equal(rows_cut(flat, view.segments, half, side=61), raster(flat, half, side=61))


def test_the_whole_picture_has_more_than_one_class_and_an_edge_between_each_two_regions():
    flat = on_plane(wide_network(11), plane_through(*three_points(11)))
    view = view_slice(flat, 4.0, patience=60)
    assert len(np.unique(view.classes)) > 1
    assert len(view.segments) > 0
    assert len(view.edges) >= len(view.complex) - 1  # the regions of a square hang together
    assert np.abs(view.edges).max() <= 4.0


@pytest.mark.parametrize("limits", [{"max_regions": 3}, {"patience": 0.0}, {"exact": False}])
def test_past_its_budget_a_view_is_a_raster_and_says_so(limits):
    flat = on_plane(wide_network(3), plane_through(*three_points(3)))
    view = view_slice(flat, 4.0, **limits)
    assert view.complex is None
    assert view.regions is None
    assert "pixels shows the class at its centre" in view.words
    np.testing.assert_array_equal(view.classes, raster(flat, 4.0))


def test_edges_of_layers_wider_than_a_byte():
    rng = np.random.default_rng(5)
    net = Network([rng.normal(size=(400, 2)), rng.normal(size=(3, 400))], [rng.normal(size=400), np.zeros(3)], name="w")
    view = view_slice(net, 0.2, patience=60)
    assert view.complex is not None
    neurons = view.complex.edges.neurons
    inner = neurons[:, 0] >= 0
    assert neurons[inner, 1].max() >= 256  # a face of a neuron past the first 256
    ends = view.complex.vertices[view.complex.edges.ends[inner]]
    rows, bias = net.weights[0][neurons[inner, 1]], net.biases[0][neurons[inner, 1]]
    assert np.abs(np.einsum("eij,ej->ei", ends, rows) + bias[:, None]).max() < 1e-9


def test_random_directions_are_seeded():
    origin = np.zeros(30)
    np.testing.assert_array_equal(random_third(origin, 4), random_third(origin, 4))
    assert not np.array_equal(random_third(origin, 4), random_third(origin, 5))
    assert np.linalg.norm(random_third(origin, 4, 2.5)) == pytest.approx(2.5)
