"""The attacks against foolbox 3.3.4, on a shipped network and its digits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import relucert_core as rc
from tests.helpers import quick_and_slow, rest_slow

CASES = [
    ("deepfool", 2, None),
    ("deepfool", np.inf, None),
    ("ddn", 2, (0.0, 1.0)),
    ("ifgsm", np.inf, (0.0, 1.0)),
    ("deepfool", 2, (0.0, 1.0)),
    ("ddn", 2, None),
]


def reference(foolbox, method, norm):
    """The attack of foolbox that has the same name, and the budgets that it wants."""
    if method == "deepfool":
        kind = foolbox.attacks.L2DeepFoolAttack if norm == 2 else foolbox.attacks.LinfDeepFoolAttack
        return kind(steps=50, candidates=10), None
    if method == "ddn":
        return foolbox.attacks.DDNAttack(steps=60), None
    return foolbox.attacks.LinfBasicIterativeAttack(rel_stepsize=0.1, steps=10), list(np.geomspace(0.02, 0.3, 20))


@pytest.fixture(scope="module")
def foolbox():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        return pytest.importorskip("foolbox")


@pytest.fixture(scope="module")
def shipped():
    net = rc.load_model("mnist-1024-512")
    layers = []
    for layer in net.affine:
        linear = torch.nn.Linear(layer.inputs, layer.outputs, dtype=torch.float64)
        linear.load_state_dict({"weight": layer.weight, "bias": layer.bias})
        layers += [linear, torch.nn.ReLU()]
    return net, torch.nn.Sequential(*layers[:-1]).eval(), rc.mnist_sample()[0]


@pytest.mark.parametrize("count", quick_and_slow(8, 24))
@pytest.mark.parametrize(("method", "norm", "bounds"), rest_slow(CASES, 4))
def test_median_is_no_worse_than_foolbox(foolbox, shipped, method, norm, bounds, count):
    net, module, sample = shipped
    images = sample[:count]
    ours = np.median(rc.attack(net, images, method, norm, bounds=bounds).distance)
    theirs = np.median(foolbox_distances(foolbox, module, images, method, norm, bounds))
    assert ours <= 1.02 * theirs, f"{method}, norm {norm}: {ours:.5f} against {theirs:.5f}"
    assert ours >= 0.5 * theirs, "suspiciously small"


def foolbox_distances(foolbox, module, images, method, norm, bounds):
    points = torch.as_tensor(images, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="foolbox|eagerpy")
        model = foolbox.PyTorchModel(module, bounds=bounds or (-1e3, 1e3), device="cpu")
        search, budgets = reference(foolbox, method, norm)
        raw, _, success = search(model, points, module(points).argmax(-1), epsilons=budgets)
    results = zip(raw, success, strict=True) if budgets else [(raw, success)]
    distances = [torch.where(ok, (p - points).norm(dim=1, p=norm), torch.inf) for p, ok in results]
    return torch.stack(distances).amin(0).detach().numpy()
