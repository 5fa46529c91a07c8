"""The proof rule, the whitened coordinates and the linear bounds: each is judged by exact or sampled arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from relucert_core.search.exact.facts import branched, cap_minimum, everything, pack, unpack
from relucert_core.search.exact.nodes import bound_nodes
from relucert_core.search.exact.relax import Ball
from relucert_core.search.exact.tighten import tighten
from relucert_core.search.half_spaces import farthest_aggregate, propose_by_program, propose_weights
from relucert_core.search.local_network import local_network, whitening_factor
from tests.oracles import dot, exact
from tests.search.test_exact import wide_network


def exact_square_distance(rows, levels, weights):
    """(sum w h)^2 / ||sum w g||^2 in exact arithmetic, 0 where the aggregated level is not positive."""
    total = [dot(exact(weights), exact(column)) for column in rows.T]
    reached = dot(exact(weights), exact(levels))
    return Fraction(0) if reached <= 0 else reached * reached / dot(total, total)


@pytest.mark.parametrize("seed", range(40))
def test_the_distance_never_exceeds_its_exact_value(seed):
    rng = np.random.default_rng(seed)
    rows, levels = rng.normal(size=(5, 3)) * 10.0 ** rng.integers(-6, 7, size=(5, 1)), rng.normal(size=5)
    weights = np.abs(rng.normal(size=5)) if seed % 2 else propose_weights(rows, levels)
    distance, direction = farthest_aggregate(rows[None], levels[None], weights[None], 10.0)
    truth = exact_square_distance(rows, levels, weights)
    assert min(Fraction(float(distance[0])), Fraction(10)) ** 2 <= truth
    assert float(distance[0]) >= min(math.sqrt(float(truth)) * (1 - 1e-6) - 1e-6, 10.0)
    assert dot(exact(direction[0]), exact(direction[0])) <= 1 + Fraction(1, 2**50)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_weights_that_are_no_weights_count_as_zero(bad):
    rows, levels = np.eye(2)[None], np.array([[1.0, 2.0]])
    distance, _ = farthest_aggregate(rows, levels, np.array([[bad, 1.0]]), 10.0)
    assert 2 - 1e-9 < distance[0] <= 2
    nothing, direction = farthest_aggregate(rows, levels, np.array([[bad, bad]]), 10.0)
    assert nothing[0] == 0
    assert not direction.any()


@pytest.mark.parametrize("dual", [1.0, np.inf])
@pytest.mark.parametrize("seed", range(5))
def test_the_program_finds_the_distance_in_the_other_norms(dual, seed):
    rng = np.random.default_rng(seed)
    point = rng.normal(size=4)
    rows = rng.normal(size=(6, 4))
    levels = rows @ point - np.abs(rng.normal(size=6)) * (rng.random(6) < 0.5)
    weights, near = propose_by_program(rows, levels, dual)
    distance, _ = farthest_aggregate(rows[None], levels[None], weights[None], 100.0, dual)
    size = np.abs(near).max() if dual == 1 else np.abs(near).sum()
    assert (rows @ near >= levels - 1e-9).all()
    assert distance[0] <= size + 1e-12
    assert distance[0] >= size - 1e-6


@pytest.mark.parametrize("kind", ["plain", "duplicates", "one pixel"])
def test_whitening_never_shortens_a_row(kind):
    rng = np.random.default_rng(7)
    weight = rng.normal(size=(6, 40))
    if kind == "duplicates":
        weight[3] = weight[1]
    if kind == "one pixel":
        weight[:, 1:] = 0.0
    factor = whitening_factor(weight)
    assert factor is not None
    rational, whitened = [exact(row) for row in weight.T], [exact(row) for row in factor.T]
    _, directions = np.linalg.eigh(weight @ weight.T)
    for coefficients in (*rng.normal(size=(20, 6)), *directions.T):
        g = exact(coefficients)
        before = sum(dot(g, column) ** 2 for column in rational)
        after = sum(dot(g, column) ** 2 for column in whitened)
        assert after >= before
        assert float(after) <= float(before) * (1 + 1e-9) + 1e-9 * float(np.square(weight).sum())


@pytest.mark.parametrize("seed", range(20))
def test_the_cap_bound_holds_and_is_tight(seed):
    rng = np.random.default_rng(seed)
    row, direction = rng.normal(size=(2, 4))
    direction /= np.linalg.norm(direction)
    level, radius = float(rng.uniform(0, 1)), 1.0
    bound = float(cap_minimum(np.array([row @ row]), np.array([row @ direction]), np.array([level]), radius, 4)[0])
    points = rng.normal(size=(200_000, 4))
    points *= (rng.random((200_000, 1)) ** 0.05) / np.linalg.norm(points, axis=1, keepdims=True)
    edge = direction * level + (points - np.outer(points @ direction, direction)) * 1.0
    inside = np.concatenate([points[points @ direction >= level], edge[np.linalg.norm(edge, axis=1) <= 1]])
    least = float((inside @ row).min())
    assert bound <= least
    assert bound >= least - 0.25 * np.linalg.norm(row)


def sampled(local, rng, radius, count=20_000):
    points = rng.normal(size=(count, local.size))
    return points * (radius * rng.random((count, 1)) ** 0.2 / np.linalg.norm(points, axis=1, keepdims=True))


@pytest.mark.parametrize("seed", range(6))
def test_facts_hold_at_sampled_points_of_the_target_sets(seed):
    rng = np.random.default_rng(seed)
    net = wide_network(seed)
    point = torch.from_numpy(rng.normal(size=net.inputs))
    label = int(net(point).argmax())
    local = local_network(net, point, label)
    ball = Ball.around(local, 6.0)
    rivals = np.array([j for j in range(net.classes) if j != label])
    facts = everything(rivals, np.concatenate(ball.sizes[:-1]), local.size)
    points = sampled(local, rng, ball.radius)
    values = local.values(points)
    hidden, logits = np.concatenate(values[:-1], axis=1), values[-1]
    members = np.stack([logits[:, j] >= logits[:, label] for j in rivals])
    assert members.any()
    for _ in range(6):
        bounded = bound_nodes(ball, facts, propose_weights)
        facts = bounded.facts
        for i in range(len(facts)):
            mine = members[i]
            assert (hidden[mine] >= facts.lower[i] - 1e-9).all()
            assert (hidden[mine] <= facts.upper[i] + 1e-9).all()
            assert (points[mine] @ facts.direction[i] >= facts.level[i] - 1e-9).all()
            assert (np.linalg.norm(points[mine], axis=1) >= bounded.distance[i] - 1e-9).all()
        open_ = bounded.branch >= 0
        if not open_.any():
            break
        kept, neurons = facts.take(open_), bounded.branch[open_]
        on = np.stack([hidden[:, n] >= 0 for n in neurons])
        members = np.concatenate([members[open_] & on, members[open_] & ~on])
        facts = branched(kept, neurons)


def test_tightening_only_tightens():
    net = wide_network(3)
    local = local_network(net, torch.zeros(net.inputs, dtype=torch.float64), 0)
    ball = Ball.around(local, 1.0)
    facts = everything(np.array([1]), np.concatenate(ball.sizes[:-1]), local.size)
    once = tighten(ball, facts)
    assert (once.lower >= facts.lower).all()
    assert (once.upper <= facts.upper).all()
    assert (once.upper - once.lower < facts.upper - facts.lower).any()


def test_packing_keeps_every_field():
    rng = np.random.default_rng(1)
    facts = branched(everything(np.array([2, 5]), rng.random(7), 3), np.array([0, 6]))
    again = unpack(pack(facts), 7)
    for name, values in vars(facts).items():
        assert np.array_equal(values, getattr(again, name))
        assert values.dtype == getattr(again, name).dtype
