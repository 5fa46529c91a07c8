"""A small network and 200 points on disk, as a run of the command line takes them."""

import sys
import types

import numpy as np
import pytest

import relucert_core as rc
from tests.helpers import random_points


@pytest.fixture(autouse=True)
def main_of_nobody(monkeypatch):
    """A page that was opened in this process leaves app.py as its main module, which every new worker would run."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


@pytest.fixture(scope="package")
def small(tmp_path_factory):
    """(path of the network, path of the data, network, points)."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(5)
    net = rc.Network([rng.normal(size=(6, 3)), rng.normal(size=(3, 6))], [rng.normal(size=6), rng.normal(size=3)])
    points = random_points(rng, net, 200)
    rc.save_network(net, folder / "small.safetensors")
    np.savez(folder / "points.npz", images=points, labels=net(points).argmax(-1))
    return folder / "small.safetensors", folder / "points.npz", net, points
