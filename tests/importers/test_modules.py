"""Modules of every kind come through one door: equal to themselves on sample points, or refused in a sentence."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import relucert_core as rc
from tests.importers.modules import modules, refused

MODULES = modules()
REFUSED = refused()


def outputs(module, shape, points):
    """The module's own answers in float64, by running it: an oracle that does not know the door's graph."""
    double = module.double().eval()
    last = list(double.children())[-1] if isinstance(double, nn.Sequential) else None
    with torch.no_grad():
        found = double(torch.from_numpy(points).reshape(-1, *shape)).reshape(len(points), -1).numpy()
    if isinstance(last, (nn.Softmax, nn.LogSoftmax)):
        return np.log(found) if isinstance(last, nn.Softmax) else found
    return found


def same_up_to_a_shift(ours, theirs):
    return np.abs((ours - ours[:, :1]) - (theirs - theirs[:, :1])).max()


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_read_as_the_function_that_it_computes(name):
    module, shape = MODULES[name]
    net = rc.read_network(module, input_shape=shape)
    points = np.random.default_rng(1).normal(size=(12, math.prod(shape))) * 2
    ours, theirs = net(points), outputs(module, shape, points) if name != "calls float" else None
    assert net.card.difference <= 1e-9
    if theirs is None:  # it fails in double, which is why it is exported in its own number type
        theirs = module.float()(torch.from_numpy(points)).detach().numpy()
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    elif name == "sigmoid last":
        np.testing.assert_allclose(ours[:, 1], np.log(theirs / (1 - theirs))[:, 0], atol=1e-9)
    elif theirs.shape[1] == 1:
        np.testing.assert_allclose(ours, np.concatenate([np.zeros_like(theirs), theirs], 1), rtol=1e-12)
    elif "softmax" in name:
        assert same_up_to_a_shift(ours, theirs) < 1e-9
    else:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize("name", REFUSED)
def test_a_module_that_is_not_read_says_where_and_what_to_do(name):
    module, shape, words = REFUSED[name]
    with pytest.raises(rc.RelucertError, match=f"(?i){words}") as caught:
        rc.read_network(module, input_shape=shape)
    assert 30 < len(str(caught.value)) < 450
