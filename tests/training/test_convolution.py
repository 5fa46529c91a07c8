"""Training of a convolution: the network that comes out, and the steepness that Lipschitz margins are asked by."""

import numpy as np
import pytest
import torch

from relucert_core.training.convolution import Convolution, Convolutional, LipschitzMargin
from relucert_core.training.loop import LoopSettings, train
from relucert_core.training.model import Trainable


def small(widths=(3,), **shape):
    chosen = Convolution(**({"channels": 2, "kernel": 5, "stride": 3, "padding": 1} | shape))
    return Convolutional.start(chosen, widths, torch.Generator().manual_seed(0), torch.float32)


@pytest.mark.parametrize("shape", [{}, {"stride": 2, "kernel": 7}, {"stride": 4, "padding": 0, "channels": 1}])
def test_the_network_is_what_was_trained(shape):
    model = small(widths=(4, 3), **shape)
    points = torch.rand(5, 784, generator=torch.Generator().manual_seed(1))
    net = model.network("conv")
    np.testing.assert_allclose(net(points), model(points).detach(), rtol=1e-4, atol=1e-5)
    assert net.widths == (model.shape.channels * model.shape.side**2, 4)
    assert net.stored_dtype == "float32"
    assert not net.is_chain


def test_power_iteration_finds_the_spectral_norm():
    model, hook = small(widths=(4, 3)), LipschitzMargin(0.5)
    for _ in range(200):
        found = float(hook._steepness(model).detach())
    net = model.network("conv")
    first, second = net.layers[0].weight.toarray(), net.layers[1].weight
    assert found == pytest.approx(np.linalg.norm(first, 2) * np.linalg.norm(second, 2), rel=1e-3)


def test_the_loss_sees_the_rivals_raised_by_margin_times_steepness():
    model, hook = Trainable.glorot((3, 4, 3), torch.Generator().manual_seed(2), torch.float64), LipschitzMargin(0.5)
    logits, labels = torch.zeros(2, 3, dtype=torch.float64), torch.tensor([0, 2])
    for _ in range(100):
        seen = hook(model, logits, labels, 1.0)
    first, last = (layer.weight.detach() for layer in model.layers)
    expected = 0.5 * torch.linalg.matrix_norm(first, 2) * torch.cdist(last, last)
    torch.testing.assert_close(seen.detach(), expected[labels], rtol=1e-3, atol=1e-9)
    torch.testing.assert_close(hook(model, logits, labels, 0.125), seen / 2, rtol=1e-3, atol=1e-9)


def test_margins_make_the_network_less_steep():
    points = torch.rand(60, 784, generator=torch.Generator().manual_seed(3))
    labels = (points[:, :392].sum(1) > points[:, 392:].sum(1)).long()
    steep = []
    for margin in (0.0, 2.0):
        model, hook = small(widths=(2,)), LipschitzMargin(margin)
        list(train(model, points, labels, LoopSettings(12, 20, 0.003, 0), widen=hook if margin else None))
        with torch.no_grad():
            steep.append(float(LipschitzMargin(1.0)(model, torch.zeros(1, 2), torch.tensor([0]), 1.0)[0, 1]))
    assert steep[1] < steep[0]
