"""The exact distance in the plane: closed forms, the slow oracle, empty balls, infinity, budgets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network
from relucert_core.planar import planar_complex, planar_distance
from tests import oracles_planar as oracle
from tests.helpers import rest_slow
from tests.planar_nets import random_net, start_net, strips

BOX = ((-1.0, 1.0), (-1.0, 1.0))


def slab(width: float) -> Network:
    """f0 - f1 = |x| - width."""
    return Network([[[1.0, 0], [-1.0, 0]], [[1.0, 1], [0, 0]]], [[0.0, 0], [0.0, width]])


@pytest.mark.parametrize("point", [(0.25, 0.5), (3.0, -2.0), (-1e6, 7.0), (0.0, 0.0)])
def test_strips_have_a_closed_form_at_any_distance(point: tuple[float, float]) -> None:
    found = planar_distance(strips(), point)
    expected = abs(abs(point[0]) - 1)
    assert found.exact
    assert math.isclose(found.distance, expected, rel_tol=1e-12)
    assert math.isclose(abs(found.nearest[0]), 1.0, rel_tol=1e-9)
    assert math.isclose(found.nearest[1], point[1], rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("width", [1e-3, 0.9, 30.0, 1e6, 1e9])
def test_the_boundary_may_be_any_number_of_boxes_away(width: float) -> None:
    found = planar_distance(slab(width), (0.0, 0.0))
    assert found.exact
    assert math.isclose(found.distance, width, rel_tol=1e-9)
    distance, nearest, proven = planar_complex(slab(width), BOX).boundary_distance([[0.0, 0.0], [0.5, 2.0]])
    assert proven.all()
    assert np.allclose(distance, [width, abs(width - 0.5)], rtol=1e-9)
    assert np.allclose(np.abs(nearest[:, 0]), width, rtol=1e-9)


def test_no_boundary_anywhere_is_a_proven_infinity() -> None:
    # f0 - f1 = relu(x) + 1
    net = Network([[[1.0, 0]], [[1.0], [0]]], [[0.0], [1.0, 0.0]])
    found = planar_distance(net, (0.3, 0.2))
    assert (found.distance, found.nearest, found.exact) == (math.inf, None, True)
    assert "no boundary" in found.status
    distance, nearest, proven = planar_complex(net, BOX).boundary_distance([[0.3, 0.2]])
    assert (distance[0], proven[0]) == (math.inf, True)
    assert np.isnan(nearest).all()


def test_parallel_logits_never_meet_however_far() -> None:
    # f0 = relu(x + 3 y) / 3 + 1e-3, f1 = relu(x + 3 y) / 3: the slopes are one and the gap stays
    net = Network([[[1.0, 3.0], [-2.0, 0.7]], [[1 / 3, 0.1], [1 / 3, 0.1]]], [[0.2, 0.1], [1e-3, 0.0]])
    assert planar_distance(net, (0.3, 0.2)).distance == math.inf


def test_a_boundary_that_is_only_a_far_corner_is_found() -> None:
    # f0 - f1 = 1 - relu(x + y - 20): a line far outside the box
    net = Network([[[1.0, 1.0]], [[0.0], [1.0]]], [[-20.0], [1.0, 0.0]])
    found = planar_distance(net, (0.5, 0.5))
    assert math.isclose(found.distance, 20 / math.sqrt(2), rel_tol=1e-12)
    assert np.allclose(found.nearest, [10.5, 10.5])


def test_ties_give_zero() -> None:
    for point in ((1.0, 0.3), (-1.0, 5.0)):
        found = planar_distance(strips(), point)
        assert (found.distance, found.lower, found.upper) == (0.0, 0.0, 0.0)
        assert found.nearest.tolist() == list(point)


def test_a_single_touching_point_counts() -> None:
    # f0 - f1 = relu(x) + relu(-x) + relu(y) + relu(-y): a tie at the origin alone
    rows = [[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]
    net = Network([rows, [[1.0, 1, 1, 1], [0, 0, 0, 0]]], [[0.0] * 4, [0.0, 0.0]])
    found = planar_distance(net, (0.3, -0.4))
    assert math.isclose(found.distance, 0.5, rel_tol=1e-12)


def test_cones_scale_with_the_point() -> None:
    net = random_net(3, kind="zero biases")
    net = Network(net.weights, [*net.biases[:-1], 0 * net.biases[-1]])
    point = np.array([0.31, -0.22])
    one = planar_distance(net, point).distance
    assert 0 < one < 0.4
    for scale in (1e-3, 7.0, 1e4):
        assert math.isclose(planar_distance(net, scale * point).distance, scale * one, rel_tol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_the_slow_oracle_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = start_net(tuple(int(n) for n in rng.integers(2, 9, int(rng.integers(1, 4)))), seed)
    cells = oracle.regions(net.weights, net.biases, ((-6, 6), (-6, 6)))
    for point in rng.uniform(-1, 1, (5, 2)):
        expected, found = oracle.distance_to_boundary(cells, point), planar_distance(net, point)
        if expected < 5:
            assert math.isclose(found.distance, expected, rel_tol=1e-8, abs_tol=1e-10)
            assert math.isclose(np.linalg.norm(found.nearest - point), found.distance, rel_tol=1e-9)
        else:
            assert found.distance >= 5


@pytest.mark.parametrize("seed", rest_slow(range(60, 84), 12))
def test_many_points_agree_with_single_ones_whatever_the_box(seed: int) -> None:
    net = random_net(seed)
    points = np.random.default_rng(seed).uniform(-2, 2, (40, 2))
    boxes = (BOX, ((-3.0, 3.0), (-2.5, 2.5)), ((0.1, 0.3), (-5.0, -4.0)))
    answers = [planar_complex(net, box).boundary_distance(points) for box in boxes]
    single = np.array([planar_distance(net, point).distance for point in points[:6]])
    for distance, nearest, proven in answers:
        assert proven.all()
        assert np.allclose(distance, answers[0][0], rtol=1e-8, atol=1e-9)
        assert np.allclose(distance[:6], single, rtol=1e-8, atol=1e-9)
        there = np.isfinite(distance)
        assert np.allclose(np.linalg.norm(nearest - points, axis=1)[there], distance[there], rtol=1e-8, atol=1e-12)
        check_ties(net, nearest[there])


def check_ties(net: Network, places: np.ndarray) -> None:
    """At the nearest points two classes tie for the first place."""
    if len(places):
        top = np.sort(net(places), axis=1)
        assert ((top[:, -1] - top[:, -2]) <= 1e-9 * (1 + np.abs(top).max(1))).all()


@pytest.mark.parametrize("seed", range(100, 112))
def test_the_open_ball_is_one_class(seed: int) -> None:
    net, rng = random_net(seed), np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (20, 2))
    distance, _, _ = planar_complex(net, BOX).boundary_distance(points)
    for point, radius in zip(points, np.minimum(distance, 50.0), strict=True):
        angle, share = rng.uniform(0, 2 * math.pi, 500), np.sqrt(rng.uniform(0, 1, 500)) * (1 - 1e-7)
        around = point + radius * (share * np.stack([np.cos(angle), np.sin(angle)])).T
        assert (net(around).argmax(1) == net(point).argmax()).all()


def test_without_the_outside_only_what_the_box_proves_is_proven() -> None:
    net = random_net(1)
    points = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    plane = planar_complex(net, BOX)
    inner, _, proven = plane.boundary_distance(points, beyond=False)
    outer, _, all_proven = plane.boundary_distance(points)
    assert all_proven.all()
    assert 0 < proven.sum() < len(points)
    assert (inner[proven] == outer[proven]).all()
    assert (inner >= outer - 1e-12).all()
    assert (inner[proven] <= 1 - np.abs(points[proven]).max(1)).all()


def test_a_budget_leaves_a_valid_interval() -> None:
    net = start_net((32, 32), 4)
    point = np.array([0.1, -0.2])
    true = planar_distance(net, point)
    assert true.exact
    for regions in (1, 5, 40, 200):
        found = planar_distance(net, point, max_regions=regions)
        assert found.lower <= true.distance * (1 + 1e-12) <= found.upper * (1 + 1e-11)
        assert found.exact or "budget" in found.status
    late = planar_distance(net, point, max_seconds=0.0)
    assert late.lower <= true.distance <= late.upper
    assert "budget" in late.status


def test_bad_input_is_refused_with_a_sentence() -> None:
    net = strips()
    with pytest.raises(InvalidInput, match="boundary_distance"):
        planar_distance(net, [[0.0, 0.0], [1.0, 1.0]])
    with pytest.raises(Unsupported, match="slice_network"):
        planar_distance(Network([np.ones((2, 3)), np.eye(2)], [np.zeros(2)] * 2), [0.0, 0.0, 0.0])
