"""The exact search: equal to brute force, sound whatever the solver says, and valid wherever it is stopped."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.network import Network
from relucert_core.search import search
from relucert_core.search.exact.branch_and_bound import explore
from relucert_core.search.exact.polar import beside_corners, corners_around, nearest_around, next_to, planar
from relucert_core.search.half_spaces import propose_weights
from relucert_core.search.local_network import local_network
from tests.helpers import quick_and_slow, rest_slow
from tests.hunt_search import small_network, small_point
from tests.oracles_bruteforce import brute_force


def wide_network(seed: int, inputs: int = 24, widths: tuple[int, ...] = (8, 6, 5), classes: int = 4) -> Network:
    """A network with enough inputs to be whitened."""
    rng = np.random.default_rng(seed)
    sizes = [inputs, *widths, classes]
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in itertools.pairwise(sizes)]
    return Network(weights, [rng.normal(size=b) * 0.3 for b in sizes[1:]], name=f"wide {seed}")


def last(steps):
    """The steps of a search, checked to be monotone; the last one."""
    step = None
    for following in steps:
        if step is not None:
            assert following.lower >= step.lower
            assert following.upper <= step.upper
            assert following.regions >= step.regions
        assert following.lower <= following.upper
        step = following
    return step


@pytest.mark.parametrize("seed", rest_slow(range(10), 3))
def test_it_equals_brute_force(seed):
    rng = np.random.default_rng(1000 + seed)
    for _ in range(6):
        net = small_network(rng, 6)
        point = small_point(rng, net)
        step = last(search(net, point))
        truth = brute_force(net, point, int(net(point).argmax()))
        assert step.lower <= truth.high
        assert step.upper >= truth.low * (1 - 1e-15)
        if truth.decided and math.isfinite(truth.high):
            assert step.lower >= truth.low * (1 - 1e-6)
            assert step.status in ("exact", "tie for the first place")


@pytest.mark.parametrize("seed", rest_slow((0, 2, 1, 3, 4), 2))
def test_it_equals_brute_force_in_whitened_coordinates(seed):
    net = wide_network(seed, inputs=20, widths=(4, 3), classes=3)
    point = np.random.default_rng(seed).normal(size=net.inputs)
    step = last(search(net, point))
    truth = brute_force(net, point, int(net(point).argmax()))
    assert truth.decided or truth.high == math.inf
    assert step.lower <= truth.high
    assert step.lower >= truth.low * (1 - 2e-6) or truth.high == math.inf
    assert step.exact == truth.decided


def test_a_linear_problem_has_its_closed_form():
    net = Network([np.eye(2), [[1.0, 0.0], [0.0, 1.0]]], [[10.0, 10.0], [0.0, 0.0]])
    step = last(search(net, [3.0, 1.0]))
    assert step.exact
    assert math.sqrt(2) * (1 - 1e-6) <= step.lower <= math.sqrt(2)


def broken(rng):
    """Proposers that fail in every way: NaN, wrong sizes, negative, random, huge, nothing at all."""
    yield lambda rows, levels: np.full(len(levels), np.nan)
    yield lambda rows, levels: np.full(len(levels), np.inf)
    yield lambda rows, levels: np.zeros(len(levels))
    yield lambda rows, levels: -np.ones(len(levels))
    yield lambda rows, levels: np.ones(len(levels) + 3)
    yield lambda rows, levels: rng.normal(size=len(levels))
    yield lambda rows, levels: rng.random(len(levels)) * 1e300
    yield lambda rows, levels: propose_weights(rows, levels) * np.where(rng.random(len(levels)) < 0.5, 1.7, np.nan)
    yield lambda rows, levels: propose_weights(-rows, 2 * levels)


@functools.cache
def explored(seed):
    """A network, a point, its label and what the search finds with solvers that work."""
    net = wide_network(seed, widths=(5, 4), classes=3)
    point = torch.from_numpy(np.random.default_rng(seed).normal(size=net.inputs))
    label = int(net(point).argmax())
    return net, point, label, last(explore(net, point, label))


@pytest.mark.parametrize("seeds", quick_and_slow(2, 6))
@pytest.mark.parametrize("which", range(9))
def test_a_failing_solver_never_raises_a_radius(which, seeds):
    for seed in range(seeds):
        net, point, label, truth = explored(seed)
        assert truth.exact
        proposer = list(broken(np.random.default_rng(which)))[which]
        step = last(explore(net, point, label, proposer=proposer, max_regions=300, max_seconds=5.0))
        assert step.lower <= truth.upper
        assert step.upper >= truth.lower


@pytest.mark.parametrize("answer", ["raises", "nan", "wrong"])
def test_a_solver_that_breaks_inside_is_no_error(monkeypatch, answer):
    def solve(matrix, target, maxiter=None):
        if answer == "raises":
            raise RuntimeError("Maximum number of iterations reached.")
        return (np.full(matrix.shape[1], np.nan if answer == "nan" else 1e9), 0.0)

    net = wide_network(1, widths=(5, 4), classes=3)
    point = np.random.default_rng(1).normal(size=net.inputs)
    truth = last(search(net, point))
    monkeypatch.setattr("scipy.optimize.nnls", solve)
    step = last(search(net, point, max_regions=300, max_seconds=5.0))
    assert 0 < step.lower <= truth.upper


def test_stopping_anywhere_leaves_a_valid_interval():
    net = wide_network(5, widths=(12, 10, 8))
    point = np.random.default_rng(5).normal(size=net.inputs)
    truth = last(search(net, point))
    assert truth.exact
    for count in (1, 2, 3, 5):
        steps = search(net, point)
        seen = list(itertools.islice(steps, count))
        steps.close()
        assert seen[-1].lower <= truth.upper
        assert seen[-1].upper >= truth.lower
        assert next(steps, None) is None


@functools.cache
def searched_to_the_end():
    net = wide_network(8, widths=(14, 12, 10))
    return last(search(net, np.random.default_rng(8).normal(size=net.inputs)))


@pytest.mark.parametrize("limit", [0, 1, 10, 60])
def test_the_limit_of_nodes_is_kept(limit):
    net = wide_network(8, widths=(14, 12, 10))
    point = np.random.default_rng(8).normal(size=net.inputs)
    truth = searched_to_the_end()
    assert truth.regions > 60
    step = last(search(net, point, max_regions=limit))
    assert step.regions <= limit
    assert step.status == "the limit of regions is reached"
    assert 0 < step.lower <= truth.upper


def test_the_memory_limit_leaves_a_valid_certificate():
    net = wide_network(8, widths=(14, 12, 10))
    point = np.random.default_rng(8).normal(size=net.inputs)
    truth = searched_to_the_end()
    step = last(search(net, point, max_queue=2))
    assert step.status == "the memory limit is reached"
    assert 0 < step.lower <= truth.upper


def test_the_time_limit_is_kept():
    net = wide_network(9, inputs=160, widths=(64, 64, 64), classes=10)
    point = np.random.default_rng(9).normal(size=net.inputs)
    step = last(search(net, point, max_seconds=1.0))
    assert step.status == "time is up"
    assert step.seconds <= 1.1 + 0.4  # 10 %, and what a busy machine may take away between two looks at the clock
    assert 0 < step.lower < step.upper


def test_no_time_at_all_still_gives_the_simplex_certificate():
    net = wide_network(4)
    point = np.random.default_rng(4).normal(size=net.inputs)
    step = last(search(net, point, max_seconds=0))
    assert step.lower == rc.certify(net, point).radius > 0


@pytest.mark.parametrize("seeds", quick_and_slow(2, 8))
def test_it_never_starts_below_the_cheap_certificates(seeds):
    for seed in range(seeds):
        net = wide_network(seed)
        point = np.random.default_rng(seed).normal(size=net.inputs)
        step = last(search(net, point, max_regions=0))
        best = max(rc.certify(net, point, method).radius for method in ("simplex", "crown-ada"))
        assert step.lower >= best


def test_ties_and_wrong_labels_give_zero():
    net = Network([np.eye(2), np.eye(2)], [[1.0, 1.0], [0.0, 0.0]])
    tie, wrong = rc.certify(net, [2.0, 2.0], "exact"), rc.certify(net, [2.0, 1.0], "exact", label=1)
    assert tie.radius == wrong.radius == 0
    assert (tie.status, wrong.status) == ("tie for the first place", "wrong prediction")
    assert tie.upper == wrong.upper == 0


def test_a_neuron_on_its_face_does_not_stop_it():
    net = Network([np.eye(2), [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 1.0], [2.0, 0.0]])
    assert rc.certify(net, [0.0, 0.0]).status == "degenerate"
    truth = brute_force(net, np.zeros(2), 0)
    found = rc.certify(net, [0.0, 0.0], "exact")
    assert truth.decided
    assert truth.low * (1 - 1e-6) <= found.radius <= truth.high
    assert found.guarantee == "exact"


def test_the_certificate_carries_its_witness():
    net = wide_network(2)
    point = np.random.default_rng(2).normal(size=net.inputs)
    found = rc.certify(net, point, "exact")
    logits = net(found.witness)
    assert found.guarantee == found.status == "exact"
    assert max(np.delete(logits, found.label)) > logits[found.label]
    assert np.linalg.norm(found.witness - point) <= found.upper <= found.radius * (1 + 1e-6)
    assert found.parts["simplex"] <= found.radius


def test_starts_help_where_the_attacks_fail():
    net = wide_network(6)
    points = np.random.default_rng(6).normal(size=(40, net.inputs))
    labels = net(points).argmax(1)
    other = points[labels != labels[0]]
    step = last(search(net, points[0], starts=other, max_regions=0))
    assert step.witness is not None


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"x": np.zeros((2, 24))}, "one point"),
        ({"norm": 1}, "norm 2"),
        ({"method": "magic"}, "no search"),
        ({"max_seconds": -1}, "at least 0"),
        ({"max_regions": math.nan}, "at least 0"),
    ],
)
def test_refusals(arguments, word):
    with pytest.raises((rc.InvalidInput, rc.Unsupported), match=word):
        search(wide_network(0), **{"x": np.zeros(24), **arguments})


@pytest.mark.slow
def test_ten_thousand_cases_keep_the_law():
    from tests.hunt_search import hunt

    _, decided, violations = hunt(10_000, seed=20)
    assert decided > 1_000
    assert not violations


def test_the_public_name_can_be_called_however_it_was_loaded():
    step = last(rc.search(wide_network(0), np.zeros(24), max_regions=0))
    assert step.lower > 0


@pytest.mark.parametrize("seed", [1, 4])
def test_it_agrees_with_the_planar_geometry(seed):
    from tests.planar_nets import random_net

    net, rng = random_net(seed), np.random.default_rng(seed)
    for _ in range(3):
        point = rng.normal(size=2)
        truth, step = rc.planar_distance(net, point), last(search(net, point, max_seconds=20))
        assert truth.exact
        if math.isfinite(truth.distance):
            assert step.lower == pytest.approx(truth.distance, rel=2e-6)
            assert step.exact


APEX = [[0.019155004, -0.791417615], [-0.274580384, -1.364174418], [-0.793450628, -0.540646037]]


@pytest.mark.parametrize("point", APEX)
def test_where_all_faces_meet_in_the_nearest_point(point):
    """Without biases the origin is a tie of all classes: a corner of every region, which a walk over faces may miss."""
    from relucert_core.experiments.showcase import load_run

    net = load_run("zero-biases").network
    truth, step = rc.planar_distance(net, point), last(search(net, point, max_seconds=20))
    assert step.exact
    assert step.lower == pytest.approx(truth.distance, rel=2e-6)
    assert step.regions < 6000


@pytest.mark.parametrize(
    "point",
    [
        [1.4775114619225391, -0.49822859449675216],  # the leaf with the nearest point comes early and only once
        [
            -0.8790656747435669,
            0.7470908071891009,
        ],  # a neuron that is on but for rounding is negative there
    ],
)
def test_the_last_leaf_has_its_witness(point):
    from relucert_core.experiments.showcase import SHOWCASE, load_run

    net = load_run(SHOWCASE["many"].file).network
    truth, step = rc.planar_distance(net, point), last(search(net, point, max_seconds=20))
    assert step.status == "exact"
    assert step.lower == pytest.approx(truth.distance, rel=1e-6)


def test_looking_around_finds_the_nearest_circle_that_is_read_differently():
    net = Network([[[1.0, 0.0], [-1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0], [0.0, 0.0]])  # right, left
    local = local_network(net, torch.tensor([0.5, 0.0], dtype=torch.float64), 0)
    assert planar(local)
    near = nearest_around(local, 0.1)
    assert near[0] <= -0.5
    assert np.hypot(*near) < 0.5 * 1.3
    assert np.hypot(*(next_to(near) - near).T) == pytest.approx(5e-8 * np.hypot(*near), rel=1e-6)
    one_class = Network([[[1.0, 0.0]], [[0.0], [0.0]]], [[0.0], [1.0, 0.0]])
    assert nearest_around(local_network(one_class, torch.zeros(2, dtype=torch.float64), 0), 0.1) is None


def test_corners_of_the_first_layer_nearest_first():
    net = Network(
        [[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0, 0.0], [0.5, 0.5, 0.5]]], [[0.0, 0.0, -3.0], [0.0, 0.0]]
    )
    local = local_network(net, torch.tensor([1.0, 1.0], dtype=torch.float64), 0)
    found = corners_around(local, 10.0)  # x = 0 and x = 3 are parallel: two corners
    assert np.allclose(found, [[-1.0, -1.0], [2.0, -1.0]])
    assert len(corners_around(local, 1.5)) == 1
    assert len(corners_around(local, 1.0)) == 0
    assert beside_corners(local, 1.0) is None
    beside = beside_corners(local, 10.0)
    assert np.allclose(beside, [-1.0, -1.0], atol=1e-6)
    assert (net(local.inputs(beside[None])) @ [1.0, -1.0] <= 0).all()
