"""The product of norms, the local Lipschitz bound and Fast-Lip: closed forms, literal transcriptions, fractions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from relucert_core.certificates.fast_lip import gradient_bounds, gradient_margins
from relucert_core.certificates.linear_bounds import FAST_LIN, layer_bounds
from relucert_core.certificates.lipschitz import hidden_product_above, operator_norm_above
from relucert_core.certificates.over_balls.centre import centre
from relucert_core.distances import all_distances
from relucert_core.network import Network
from tests.certificates.test_linear_bounds import ball_samples, small_network
from tests.helpers import NORMS
from tests.hunt_bounds import ENTRIES, run
from tests.oracles_bounds import Literal, fast_lip_margins, local_lipschitz_margins, proves

DUALS = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}


@pytest.mark.parametrize("norm", NORMS)
def test_operator_norms_are_tight_and_never_below(norm):
    rng = np.random.default_rng(1)
    for scale in (1.0, 1e-30, 1e30):
        net = Network([scale * rng.normal(size=(9, 6)), rng.normal(size=(3, 9))], [np.zeros(9), np.zeros(3)])
        true = np.linalg.norm(net.weights[0], ord=norm)
        assert operator_norm_above(net.affine[0], float(norm)) == pytest.approx(true, rel=1e-8)
        assert operator_norm_above(net.affine[0], float(norm)) >= true * (1 - 1e-14)


@pytest.mark.parametrize("norm", NORMS)
def test_product_of_norms_is_its_formula(norm):
    rng = np.random.default_rng(2)
    net, points = small_network(rng, 4, 7, 6, 3), rng.normal(size=(10, 4))
    product = math.prod(np.linalg.norm(w, ord=norm) for w in net.weights[:-1])
    assert hidden_product_above(net, float(norm)) == pytest.approx(product, rel=1e-8)
    for point, c in zip(points, run("lipschitz", net, points, norm)):
        logits, last = net(point), net.weights[-1]
        exact = min(
            (logits[c.label] - logits[j]) / (np.linalg.norm(last[c.label] - last[j], ord=DUALS[norm]) * product)
            for j in range(3)
            if j != c.label
        )
        assert c.radius == pytest.approx(exact, rel=1e-8)
        assert c.radius <= exact * (1 + 1e-14)
        assert proves("lipschitz", net, point, c.label, norm, c.radius)


def test_product_of_norms_is_the_distance_for_one_neuron():
    net = Network([[[2.0]], [[3.0], [-3.0]]], [[1.0], [0.0, 0.0]])
    (c,) = run("lipschitz", net, np.array([[0.5]]), 2.0)
    assert c.radius == pytest.approx(1.0, rel=1e-9)
    assert c.radius <= 1.0


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("widths", [(4, 8, 3), (4, 7, 6, 3), (3, 5, 5, 4, 3)])
def test_fast_lip_is_the_literal_transcription(norm, widths):
    rng = np.random.default_rng(sum(widths))
    net, points, radii = small_network(rng, *widths), rng.normal(size=(6, widths[0])), rng.uniform(0.01, 1.0, 6)
    where = centre(net, torch.tensor(points), float(norm), None)
    margins = gradient_margins(where, torch.arange(6), torch.tensor(radii))
    for i in range(6):
        task = Literal(net, points[i], int(where.margins.label[i]), float)
        for j, value in fast_lip_margins(task, norm, radii[i]).items():
            assert float(margins[i, j]) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_gradients_of_sampled_points_stay_within_their_bounds():
    rng = np.random.default_rng(4)
    net, point = small_network(rng, 4, 9, 8, 3), rng.normal(size=(1, 4))
    where = centre(net, torch.tensor(point), 2.0, None)
    index, radii = torch.tensor([0]), torch.tensor([0.3], dtype=torch.float64)
    states = [(b.lower >= 0, b.upper <= 0) for b in layer_bounds(where, FAST_LIN, index, radii)]
    low, high = gradient_bounds(where, index, states)
    samples = torch.tensor(ball_samples(rng, point[0], 0.3, 2.0, 10_000), requires_grad=True)
    logits = net.logits(samples)
    label = int(where.margins.label[0])
    for j in range(3):
        (gradient,) = torch.autograd.grad((logits[:, label] - logits[:, j]).sum(), samples, retain_graph=True)
        assert (gradient >= low[0, j] - 1e-12).all()
        assert (gradient <= high[0, j] + 1e-12).all()


@pytest.mark.parametrize("norm", NORMS)
def test_local_bound_is_the_literal_transcription_at_its_radius(norm):
    rng = np.random.default_rng(6)
    net, points = small_network(rng, 4, 9, 3), rng.normal(size=(12, 4))
    for point, c in zip(points, run("local-lipschitz", net, points, norm)):
        task = Literal(net, point, c.label, float)
        at, beyond = (min(local_lipschitz_margins(task, norm, r).values()) for r in (c.radius, c.parts["fails_at"]))
        assert at > 0 >= beyond - 1e-12
        assert c.parts["fails_at"] <= c.radius * (1 + 1e-3)
        assert proves("local-lipschitz", net, point, c.label, norm, c.radius)


@pytest.mark.parametrize("norm", NORMS)
def test_local_bound_of_a_stable_network_is_the_distance(norm):
    rng = np.random.default_rng(8)
    lift = rng.choice([1e4, 1e4, -1e4], size=7)
    last = rng.normal(size=(3, 7))
    net = Network([rng.normal(size=(7, 5)), last], [lift, rng.normal(size=3) - last @ np.maximum(lift, 0)])
    points = rng.normal(size=(6, 5))
    exact = all_distances(net, torch.tensor(points), float(norm))[1].amin(-1).numpy()
    radius = np.array([c.radius for c in run("local-lipschitz", net, points, norm)])
    np.testing.assert_array_less(radius, exact * (1 + 1e-6))
    np.testing.assert_array_less(exact * (1 - 2e-3), radius)


def test_depth_is_declared():
    entry = ENTRIES["local-lipschitz"]
    assert (entry.min_depth, entry.max_depth) == (2, 2)
    assert "fast-lip" in entry.refusal
