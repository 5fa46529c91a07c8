"""The walk over neighbouring regions: sound in three norms, monotone, and valid wherever it is stopped."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.network import Network
from relucert_core.search import search
from relucert_core.search.local_network import local_network
from relucert_core.search.neighbours import frontier as frontier_module
from relucert_core.search.neighbours.coincident import coincident_groups
from relucert_core.search.neighbours.frontier import Frontier
from relucert_core.search.neighbours.regions import hyperplanes, make_atlas
from tests.helpers import KINDS, NORMS, quick_and_slow, random_network, random_points, rest_slow
from tests.hunt_search import small_network, small_point
from tests.oracles_bruteforce import brute_force
from tests.search.test_exact import last, wide_network


def neighbours(net, point, norm=2, **options):
    return search(net, point, norm, "neighbours", **options)


@pytest.mark.parametrize("seed", rest_slow(range(6), 3))
def test_it_is_sound_and_mostly_equals_brute_force(seed):
    rng = np.random.default_rng(500 + seed)
    closed = 0
    for _ in range(6):
        net = small_network(rng, 6)
        point = small_point(rng, net)
        step = last(neighbours(net, point, max_seconds=2))
        truth = brute_force(net, point, int(net(point).argmax()))
        assert step.lower <= truth.high
        assert step.upper >= truth.low * (1 - 1e-15)
        closed += step.exact or step.lower > 1e6
    assert closed >= 3


@pytest.mark.parametrize("norm", NORMS)
def test_the_first_value_is_the_simplex_certificate(norm):
    for seed in range(6):
        net = wide_network(seed)
        point = np.random.default_rng(seed).normal(size=net.inputs)
        steps = neighbours(net, point, norm)
        assert next(steps).lower == rc.certify(net, point, norm=norm).radius > 0
        steps.close()


@pytest.mark.parametrize("norm", NORMS)
def test_it_grows_and_stays_below_sampled_adversaries(norm):
    net = wide_network(11, inputs=6, widths=(8, 8), classes=3)
    rng = np.random.default_rng(11)
    point = rng.normal(size=net.inputs)
    label = int(net(point).argmax())
    step = last(neighbours(net, point, norm, max_seconds=4, max_regions=600))
    assert step.lower > 1.5 * rc.certify(net, point, norm=norm).radius
    offsets = rng.normal(size=(100_000, net.inputs))
    offsets *= step.lower * rng.random((100_000, 1)) / np.linalg.norm(offsets, norm, axis=1, keepdims=True)
    assert (net(point + offsets).argmax(1) == label).all()


@pytest.mark.parametrize("networks", quick_and_slow(1, 5))
@pytest.mark.parametrize("kind", rest_slow(KINDS, 5))
def test_the_law_on_networks_that_are_built_to_break_it(kind, networks):
    rng = np.random.default_rng(KINDS.index(kind))
    for _ in range(networks):
        net = random_network(rng, kind)
        point = random_points(rng, net, 1, kind)[0]
        broken = {norm: rc.attack(net, point, "best", norm).distance for norm in NORMS}
        for norm in NORMS:
            step = last(neighbours(net, point, norm, max_seconds=0.15))
            assert rc.certify(net, point, norm=norm).radius <= step.lower <= min(step.upper, broken[norm])
        best = last(search(net, point, max_seconds=0.2))
        assert rc.certify(net, point).radius <= best.lower <= broken[2]


def test_the_distances_are_those_of_the_affine_maps():
    net = wide_network(5)
    rng = np.random.default_rng(5)
    point = rng.normal(size=net.inputs)
    local = local_network(net, rc.network.as_points(net, point)[0][0], 0)
    atlas = make_atlas(local, 2.0)
    region = rc.activation_region(net, point)
    found = hyperplanes(atlas, np.concatenate(region.pattern)[None])
    values, sizes = np.abs(region.P @ point + region.q), np.linalg.norm(region.P, axis=1)
    truth = values / sizes
    assert (found.faces[0] <= truth).all()
    assert np.allclose(found.faces[0], truth, rtol=1e-8)
    gaps = (region.C[0] - region.C) @ point + region.d[0] - region.d
    planes = gaps[1:] / np.linalg.norm(region.C[0] - region.C[1:], axis=1)
    assert np.allclose(found.decisions[0, 1:], np.maximum(planes, 0), rtol=1e-8)
    assert found.decisions[0, 0] == math.inf


def test_coincident_rows_are_found_exactly():
    rng = np.random.default_rng(2)
    weight, bias = rng.normal(size=(6, 3)), rng.normal(size=6)
    weight[3], bias[3] = -4 * weight[1], -4 * bias[1]
    weight[4], bias[4] = weight[0] * (1 + 2.0**-50), bias[0]
    weight[5], bias[5] = 0.0, 1.0
    groups = coincident_groups(weight, bias)
    assert groups == [[(0, 1)], [(1, 1), (3, -1)], [(2, 1)], [(4, 1)]]


def test_a_region_behind_coincident_hyperplanes_is_reached():
    # Two copies of one hyperplane: the class changes only where both neurons are on.
    net = Network([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]], [[-1.0, -2.0], [3.0, 0.0]])
    step = last(neighbours(net, [0.0, 0.0]))
    assert step.exact
    assert 2 * (1 - 1e-6) <= step.lower <= 2


def test_an_exact_tie_on_a_whole_region_counts():
    # Beyond x = 1 both logits are equal: adversarial, though no point has a larger second logit.
    net = Network([[[-1.0, 0.0]], [[1.0], [0.0]]], [[1.0], [0.0, 0.0]])
    for method in ("neighbours", "exact"):
        found = rc.certify(net, [0.0, 0.0], method)
        assert 1 - 1e-6 <= found.radius <= 1
        assert found.guarantee == "exact"


def test_the_limits_leave_valid_certificates():
    net = wide_network(8, widths=(14, 12, 10))
    point = np.random.default_rng(8).normal(size=net.inputs)
    truth = last(search(net, point)).upper
    for options, word in (
        ({"max_regions": 50}, "regions"),
        ({"max_queue": 40, "max_regions": 5000}, "memory"),
        ({"max_seconds": 0.3}, "time"),
    ):
        step = last(neighbours(net, point, **options))
        assert word in step.status
        assert 0 < step.lower <= truth
        assert step.regions <= options.get("max_regions", math.inf)


def test_closing_stops_it():
    net = wide_network(8, widths=(14, 12, 10))
    steps = neighbours(net, np.random.default_rng(8).normal(size=net.inputs))
    seen = list(itertools.islice(steps, 4))
    steps.close()
    assert next(steps, None) is None
    patterns = np.concatenate([s.patterns for s in seen if len(s.patterns)])
    assert len(np.unique(patterns, axis=0)) == len(patterns) == seen[-1].regions


@pytest.mark.parametrize("norm", NORMS)
def test_a_failing_solver_never_raises_a_radius(norm, monkeypatch):
    from relucert_core.search.neighbours import planes

    net = wide_network(2, inputs=5, widths=(4, 3), classes=3)
    point = np.random.default_rng(2).normal(size=net.inputs)
    truth = last(neighbours(net, point, norm))
    assert truth.exact
    rng = np.random.default_rng(0)
    for wrong in (np.nan, np.inf, -1.0, 1e300, None):

        def answer(rows, levels, dual, wrong=wrong):
            weights = rng.random(len(levels)) if wrong is None else np.full(len(levels), wrong)
            return weights, np.full(rows.shape[1], np.nan if wrong is None else wrong)

        monkeypatch.setattr(planes, "propose_by_program", answer)
        from relucert_core.search.neighbours.walk import walk

        tensor = rc.network.as_points(net, point)[0][0]
        proposer = lambda rows, levels: answer(rows, levels, 2.0)[0]  # noqa: E731
        step = last(
            walk(net, tensor, int(net(point).argmax()), norm=norm, proposer=proposer, max_seconds=2, max_regions=200)
        )
        assert step.lower <= truth.upper
        assert step.upper >= truth.lower


@pytest.mark.parametrize("networks", quick_and_slow(6, 30))
def test_the_order_within_a_batch_raises_nothing(networks, monkeypatch):
    """All that waits in one batch, the farthest first: regions are reached over longer ways before shorter ones."""
    in_order = Frontier.pop

    def farthest_first(self, count):
        taken = in_order(self, count)
        return taken[np.argsort(-taken["key"], kind="stable")]

    monkeypatch.setattr(Frontier, "pop", farthest_first)
    monkeypatch.setattr(frontier_module, "_SPREAD", 10**9)
    rng, grown = np.random.default_rng(5), 0
    for _ in range(networks):
        net = small_network(rng, 6)
        point = small_point(rng, net)
        step = last(neighbours(net, point, 2.0, max_seconds=1))
        truth = brute_force(net, point, int(net(point).argmax()))
        assert step.lower <= truth.high
        grown += step.regions > 1
    assert grown >= networks / 3


def test_the_frontier_gives_the_smallest_buckets_first_and_forgets_only_beyond_its_horizon():
    rng = np.random.default_rng(3)
    frontier, popped, pushed = Frontier(5_000), [], []
    for _ in range(60):
        keys = rng.random(300) + (max(popped) if popped else 0)
        pushed.extend(keys)
        frontier.push(keys, np.zeros(300, int), np.arange(300))
        least = frontier.least
        taken = frontier.pop(40)["key"]
        assert least <= taken.min() <= min(waits := np.setdiff1d(pushed, popped)) * 1.002
        assert taken.max() <= np.sort(waits)[len(taken) - 1] * 1.002
        popped.extend(taken)
    assert len(frontier) <= 5_000
    assert frontier.horizon < math.inf
    waiting = []
    while len(frontier):
        waiting.extend(frontier.pop(1000)["key"])
    below = sorted(k for k in pushed if k < frontier.horizon)
    assert sorted(k for k in popped + waiting if k < frontier.horizon) == below
