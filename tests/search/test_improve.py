"""Witnesses from directions: proved, never below the exact distance, near it where the direction is good."""

import math

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.search.improve import crossing, decision_slope, improve_along, slide
from relucert_core.search.ledger import Ledger
from relucert_core.search.local_network import local_network
from tests.helpers import random_network
from tests.oracles import exact_forward
from tests.oracles_bruteforce import brute_force


def started(net: rc.Network, point: np.ndarray) -> tuple[Ledger, int]:
    label = int(net(point).argmax())
    return Ledger(net, torch.from_numpy(point), label, 2.0, max_seconds=None, max_regions=None), label


def test_rays_end_in_proved_witnesses_that_are_often_the_nearest():
    rng = np.random.default_rng(4)
    met = tried = 0
    while tried < 25:
        net = random_network(rng)
        point = rng.normal(size=net.inputs)
        ledger, label = started(net, point)
        true = brute_force(net, point, label) if sum(net.widths) <= 7 else None
        if true is None or not 0 < true.high < math.inf:
            continue
        tried += 1
        local = local_network(net, ledger.point, label)
        for direction in rng.normal(size=(6, net.inputs)):
            improve_along(ledger, local, direction * true.high)
        if ledger.witness is None:
            assert ledger.upper == math.inf
            continue
        logits = exact_forward(net, ledger.witness)[-1]
        assert any(value >= logits[label] for j, value in enumerate(logits) if j != label)
        assert ledger.upper >= true.low
        met += ledger.upper <= true.high * (1 + 1e-7)
    assert met >= 15


def test_a_shipped_network_yields_nearer_points_than_the_attack_it_starts_from():
    net, (images, _) = rc.load_model("mnist-40-40-40"), rc.mnist_sample()
    point = images[103].astype(np.float64)
    ledger, label = started(net, point)
    found = rc.attack(net, point, method="deepfool")
    assert improve_along(ledger, local_network(net, ledger.point, label), found.point - point)
    assert ledger.upper < 0.95 * found.distance


@pytest.mark.parametrize(
    "direction", [np.zeros(2), np.array([np.nan, 1.0]), np.array([np.inf, 0.0]), np.ones(2) * 1e308]
)
def test_a_useless_direction_changes_nothing(direction):
    net = rc.Network([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(2)])
    ledger, label = started(net, np.array([2.0, 1.0]))
    assert not improve_along(ledger, local_network(net, ledger.point, label), direction * np.array([1.0, -1.0]))
    assert ledger.witness is None


def test_slide_reaches_the_nearest_point_of_a_plane():
    net = rc.Network(
        [np.eye(2), np.eye(2)], [np.full(2, 9.0), np.zeros(2)]
    )  # all neurons on: the boundary is x_1 = x_2
    local = local_network(net, torch.tensor([1.0, 0.0], dtype=torch.float64), 0)
    near = crossing(local, np.array([-4.0, 0.0]))
    assert near == pytest.approx(np.array([-1.0, 0.0]), rel=1e-5)
    assert slide(local, near) == pytest.approx(np.array([-0.5, 0.5]), rel=1e-4)
    np.testing.assert_array_equal(decision_slope(local, near), [-1.0, 1.0])
    assert crossing(local, np.array([4.0, 0.0])) is None
