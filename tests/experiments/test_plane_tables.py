"""The columns behind a picture of the plane, against what the network itself says."""

from __future__ import annotations

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.experiments.lesson import LESSON_BOX, LESSON_POINT, lesson_network
from relucert_core.experiments.plane_tables import class_table, neuron_table, shares_beyond


def test_classes_share_the_box_as_random_points_do():
    net, generator = lesson_network(), np.random.default_rng(0)
    points = generator.uniform(-3, 3, (40_000, 2))
    labels = generator.integers(0, 2, len(points))
    found = class_table(rc.planar_complex(net, LESSON_BOX), points, labels)
    read = net(points).argmax(-1)
    assert found["class"] == [0, 1, 2]
    assert sum(found["share"]) == pytest.approx(1)
    assert found["share"] == pytest.approx([(read == k).mean() for k in range(3)], abs=0.01)
    assert found["data"] == [(labels == k).sum() for k in range(3)]
    assert found["right"] == [((labels == k) & (read == k)).sum() for k in range(3)]


def test_neurons_come_nearest_line_first_with_their_inputs():
    net, point = lesson_network(), LESSON_POINT
    found = neuron_table(net, point)
    assert found["distance"] == sorted(found["distance"])
    assert found["distance"][0] == pytest.approx(float(rc.certify(net, point).parts["face_distance"]), rel=1e-9)
    first = net.weights[0] @ np.array(point) + net.biases[0]
    second = net.weights[1] @ np.maximum(first, 0) + net.biases[1]
    wanted = {(layer, i): z for layer, values in ((1, first), (2, second)) for i, z in enumerate(values)}
    assert dict(zip(zip(found["layer"], found["neuron"]), found["z"])) == pytest.approx(wanted)


def test_shares_count_what_is_wrong_as_nothing():
    found = shares_beyond({"a": np.array([0.0, 0.1, 0.3, np.inf])}, (0.0, 0.1, 0.2, 1.0))
    assert found == {"radius": [0.0, 0.1, 0.2, 1.0], "a": [0.75, 0.75, 0.5, 0.25]}
