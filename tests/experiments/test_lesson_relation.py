"""The lesson's semidefinite step: both sides enclose the plane's exact distance, and the neurons' ends are attained."""

from __future__ import annotations

import numpy as np
import pytest

from relucert_core.experiments.lesson import LESSON_POINT, lesson_network, walk
from relucert_core.experiments.lesson_relation import relation_at
from relucert_core.figures.relation import relation_figure
from relucert_core.figures.theme import DARK, LIGHT


@pytest.mark.parametrize("point", [LESSON_POINT, (0.6, -0.1)])
def test_both_sides_meet_at_the_exact_distance(point):
    found, plane = relation_at(*point).certificate, walk(lesson_network(), point)
    assert found.guarantee == "exact"
    assert found.radius <= plane.exact * (1 + 1e-9)
    assert found.upper >= plane.exact * (1 - 1e-9)
    assert found.upper <= found.radius * (1 + 2e-6)


def test_the_neurons_ends_hold_on_the_ball_and_are_attained():
    relation, net = relation_at(*LESSON_POINT), lesson_network()
    angles = np.linspace(0, 2 * np.pi, 2001)
    rim = np.array(LESSON_POINT) + relation.certificate.upper * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inputs = rim @ net.weights[0].T + net.biases[0]
    for neuron in relation.neurons:
        a = inputs[:, "ABC".index(neuron.name)]
        assert neuron.low - 1e-9 <= a.min() < neuron.low + 1e-4
        assert neuron.high - 1e-4 < a.max() <= neuron.high + 1e-9
    widths = [max(one.low, -one.high) for one in relation.neurons]
    assert widths == sorted(widths), "the most undecided neuron comes first"


def test_the_triangle_is_the_hull_of_the_relus_graph():
    neuron = next(one for one in relation_at(*LESSON_POINT).neurons if one.open)
    for theme in (LIGHT, DARK):
        traces = {trace.name: trace for trace in relation_figure(neuron, theme).data}
        corners = set(zip(traces["allowed on average"].x, traces["allowed on average"].y, strict=True))
        assert corners == set(zip(traces["the neuron"].x, traces["the neuron"].y, strict=True))
        assert all(z * (z - a) == 0 and z >= max(a, 0) for a, z in corners)
