"""Directions with mean slopes: shares of ranges over a ball; where a network is linear, its gradient."""

from __future__ import annotations

import math

import numpy as np
import torch

import relucert_core as rc
from relucert_core.attacks.mean_slopes import directions_with_mean_slopes
from relucert_core.attacks.problem import make_problem
from tests.attacks.test_descents import small_network


def _directions(net, points, rivals, reach, **of_problem):
    problem = make_problem(net, torch.tensor(points, dtype=torch.float64), None, 2.0, **of_problem)
    radii = torch.tensor(reach, dtype=torch.float64)
    return directions_with_mean_slopes(problem, torch.tensor(rivals), radii).numpy(), problem


def test_with_one_hidden_layer_every_slope_is_the_share_of_its_range_above_zero():
    rng = np.random.default_rng(0)
    net = rc.Network([rng.normal(size=(9, 50)), rng.normal(size=(3, 9))], [rng.normal(size=9), rng.normal(size=3)])
    points, reach = rng.normal(size=(4, 50)), np.array([0.1, 0.5, 1.0, 5.0])
    found, problem = _directions(net, points, [[0, 1, 2]] * 4, reach)
    (first, last), bias = (np.asarray(w) for w in net.weights), np.asarray(net.biases[0])
    for point, radius, label, rows in zip(points, reach, problem.labels.tolist(), found, strict=True):
        values, ranges = first @ point + bias, radius * np.linalg.norm(first, axis=1)
        share = np.clip((values + ranges) / (2 * ranges), 0, 1)
        for rival in range(3):
            row = ((last[rival] - last[label]) * share) @ first
            if rival == label:
                assert not rows[rival].any()
            else:  # lengths are estimated from 32 directions, within an eighth of them in one of two cases
                assert rows[rival] @ row / np.linalg.norm(row) > 0.98


def test_in_a_small_ball_it_is_the_gradient():
    rng = np.random.default_rng(1)
    net = small_network(rng, 5)
    points = rng.normal(size=(20, 5))
    found, problem = _directions(net, points, [[0, 1, 2, 3]] * 20, np.full(20, 1e-9))
    for point, label, rows in zip(points, problem.labels.tolist(), found, strict=True):
        for rival in {0, 1, 2, 3} - {label}:
            x = torch.from_numpy(point).requires_grad_()
            (net.logits(x[None])[0, rival] - net.logits(x[None])[0, label]).backward()
            assert x.grad is not None
            size = float(x.grad.norm())
            np.testing.assert_allclose(rows[rival], x.grad.numpy() / size if size else 0 * point, atol=1e-12)


def test_neurons_that_never_move_and_blocked_directions():
    net = rc.Network([np.array([[0.0, 0.0], [1.0, 2.0]]), np.eye(2)], [np.array([1.0, 0.0]), np.zeros(2)])
    found, _ = _directions(net, [[0.1, 0.2]], [[1]], [0.3])
    np.testing.assert_allclose(found[0, 0], np.array([1.0, 2.0]) / math.sqrt(5), rtol=1e-12)
    found, _ = _directions(net, [[0.1, 1.0]], [[0]], [0.3], bounds=(0.0, 1.0))  # the class is 1: downward, not blocked
    assert (found[0, 0] < 0).all()
    found, _ = _directions(net, [[0.0, 0.2]], [[1]], [0.3], bounds=(0.0, 0.2))
    np.testing.assert_array_equal(found[0, 0], [1.0, 0.0])
