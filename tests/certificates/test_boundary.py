"""Theorem 4: closed form against cvxpy, rational oracle, refusals."""

import math

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.boundary import numerator_range
from tests.helpers import NORMS
from tests.oracles import boundary_holds, exact_forward


def two_layers(rng, classes=3, hidden=5, inputs=3, gap=0.0):
    bias = rng.normal(size=classes)
    bias[0] += gap
    return rc.Network(
        [rng.normal(size=(hidden, inputs)), rng.normal(size=(classes, hidden))], [rng.normal(size=hidden), bias]
    )


def test_the_closed_form_equals_cvxpy():
    import cvxpy as cp

    rng = np.random.default_rng(0)
    for _ in range(12):
        net = two_layers(rng, gap=float(rng.uniform(0, 12)))
        z = net.pre_activations(torch.from_numpy(rng.normal(size=(1, 3))))[0][0]
        weights = net.affine[1].weight[0] - net.affine[1].weight[1]
        gap = net.affine[1].bias[0] - net.affine[1].bias[1]
        low, high = (float(v) for v in numerator_range(z, weights, gap))
        theta = cp.Variable(5)
        value = theta @ (weights * z).numpy() + float(gap)
        problem = cp.Problem(cp.Minimize(cp.abs(value)), [theta >= 0, theta <= 1])
        problem.solve(solver=cp.CLARABEL)
        assert max(low, -high, 0.0) == pytest.approx(problem.value, abs=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_equals_the_formula_of_theorem_4(norm):
    rng = np.random.default_rng(1)
    positive = 0
    for _ in range(40):
        net = two_layers(rng, gap=20.0)
        point = rng.normal(size=3)
        c = rc.certify(net, point, method="decision-boundary", norm=norm)
        values = [float(v) for v in exact_forward(net, point)[0]]
        radii = []
        for j in (1, 2):
            row = net.weights[1][0] - net.weights[1][j]
            numerator = net.biases[1][0] - net.biases[1][j] + sum(min(w * z, 0) for w, z in zip(row, values))
            first = net.weights[0]
            size = {
                2.0: np.linalg.norm(row) * np.linalg.norm(first, 2),
                math.inf: np.abs(row).sum() * np.abs(first).sum(1).max(),
                1.0: np.abs(row).max() * np.abs(first).sum(0).max(),
            }[norm]
            radii.append(max(numerator, 0.0) / size)
        assert c.radius <= min(radii)
        assert c.radius == pytest.approx(min(radii), rel=1e-9)
        assert boundary_holds(net, point, c.radius, c.label, norm)
        positive += c.radius > 0
        if c.radius > 0:
            assert c.limit.kind == "class"
            assert np.argmin(radii) + 1 == c.limit.rival
    assert positive > 20


def test_a_deeper_network_is_refused_with_the_reason():
    deep = rc.Network([np.eye(2)] * 3, [np.zeros(2)] * 3)
    with pytest.raises(rc.Unsupported, match=r"two-layer networks .* polynomial in the activation pattern"):
        rc.certify(deep, [1.0, 0.0], method="decision-boundary")


def test_stays_below_the_nearest_adversarial_point_of_random_search():
    rng = np.random.default_rng(4)
    for norm in NORMS:
        net = two_layers(rng, gap=6.0)
        point = rng.normal(size=3)
        radius = rc.certify(net, point, method="decision-boundary", norm=norm).radius
        steps = rng.normal(size=(20_000, 3))
        steps *= rng.uniform(0, 30, (20_000, 1)) / np.linalg.norm(steps, ord=norm, axis=1, keepdims=True)
        logits = net(point + steps)
        adversarial = logits.argmax(1) != net(point).argmax()
        assert adversarial.any()
        assert radius <= np.linalg.norm(steps[adversarial], ord=norm, axis=1).min()
