"""What a relaxation loses: the terms add up to the bound that CROWN-Ada proves, and each is a loss."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.linear_bounds import CROWN_ADA, margin_bounds
from relucert_core.certificates.over_balls.centre import centre
from relucert_core.certificates.over_balls.losses import linear_losses


def random_network(rng, widths):
    weights = [rng.normal(size=(n, m)) / math.sqrt(m) for m, n in itertools.pairwise(widths)]
    return rc.Network(weights, [0.3 * rng.normal(size=len(w)) for w in weights])


@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("widths", [(4, 6, 3), (3, 8, 7, 4), (5, 6, 6, 6, 3)])
@pytest.mark.parametrize("radius", [0.01, 0.3, 2.0])
def test_the_terms_add_up_to_the_bound(norm, widths, radius):
    rng = np.random.default_rng(len(widths))
    net, x = random_network(rng, widths), rng.normal(size=widths[0])
    found = linear_losses(net, x, radius, norm)
    where = centre(net, torch.from_numpy(x)[None], norm, None)
    proved = margin_bounds(where, CROWN_ADA, torch.tensor([0]), torch.tensor([radius], dtype=torch.float64))[0]
    assert int(proved.argmin()) == found.rival
    assert found.bound == pytest.approx(float(proved.min()), rel=1e-9, abs=1e-12)
    assert found.lead == pytest.approx(float(net(x)[found.label] - net(x)[found.rival]))
    for layer, width in zip(found.layers, widths[1:-1], strict=True):
        assert layer.loss >= 0
        assert layer.neurons == width
        assert (layer.loss > 0) <= (layer.open > 0)
        assert sum(loss for _, loss in layer.worst) <= layer.loss * (1 + 1e-12)
        assert [loss for _, loss in layer.worst] == sorted((loss for _, loss in layer.worst), reverse=True)
    assert sum(found.share(layer) for layer in found.layers) == pytest.approx(1.0 if found.worst_layer else 0.0)


def test_a_small_ball_loses_nothing():
    rng = np.random.default_rng(0)
    net, x = random_network(rng, (4, 6, 5, 3)), rng.normal(size=4)
    found = linear_losses(net, x, 0.9 * rc.certify(net, x).radius)
    assert found.worst_layer is None
    assert all(layer.open == 0 for layer in found.layers)


def test_the_neuron_that_is_named_is_the_one_that_may_switch():
    """Two inputs, two neurons: the first is far from its face, the second near; the ball reaches the second only."""
    net = rc.Network(
        [np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])], [np.zeros(2), np.zeros(2)]
    )
    found = linear_losses(net, np.array([5.0, 0.5]), 1.0)
    assert found.layers[0].open == 1
    assert [neuron for neuron, _ in found.layers[0].worst] in ([1], [])
    assert linear_losses(net, np.array([5.0, -0.5]), 1.0).layers[0].open == 1
