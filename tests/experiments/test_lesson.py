"""The lesson's numbers against the engine's, and against Algorithm 1 and Theorem 4 written out by hand."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from relucert_core import Network, Unsupported, activation_region, certify
from relucert_core.experiments.lesson import (
    LESSON_BOX,
    LESSON_NAME,
    LESSON_POINT,
    NEURONS,
    lesson_network,
    lesson_plane,
    lower_network,
    walk,
)
from relucert_core.experiments.lesson_mix import mix
from relucert_core.figures.lesson import lesson_scene
from relucert_core.figures.theme import find_theme

RANDOM = np.random.default_rng(20191)
POINTS = [
    LESSON_POINT,
    (-0.2, -1.6),
    (2.4, 2.2),
    (1.0, 0.4),
    (0.6, -0.1),
    *np.round(RANDOM.uniform(-3, 3, (20, 2)), 2).tolist(),
]


@pytest.fixture(scope="module")
def net():
    return lesson_network()


def algorithm_1(weights, biases, x):
    """The paper's listing, line by line."""
    a, C, d, turns = np.array(x), weights[0], biases[0], []
    for i in range(len(weights) - 1):
        z = weights[i] @ a + biases[i]
        theta = (z > 0).astype(float)  # the project's convention: z = 0 is on the face, and off
        a = z * theta
        flip = np.diag(2 * theta - 1)
        turns.append((z, theta, a, C, d, flip @ C, flip @ d))
        C, d = weights[i + 1] @ np.diag(theta) @ C, weights[i + 1] @ np.diag(theta) @ d + biases[i + 1]
    return turns, C, d


def test_the_network_is_the_one_of_the_issue_and_its_picture_is_clear(net):
    assert (net.inputs, net.widths, net.classes, net.name) == (2, (3, 2), 3, LESSON_NAME)
    assert all((w == np.round(w)).all() for w in (*net.weights, *net.biases))
    plane = lesson_plane(net)
    shares = [plane.cell_areas[plane.decision.classes == k].sum() / 36 for k in range(3)]
    assert min(shares) > 0.1
    assert plane.areas.min() > 0.1
    start = walk(net, LESSON_POINT)
    assert start.nearest_face.name == "E"
    assert 0.4 < start.certificate.radius < 0.8 * start.exact


@pytest.mark.parametrize("point", POINTS)
def test_every_turn_of_algorithm_1(net, point):
    seen, region = walk(net, point), activation_region(net, point)
    turns, C, d = algorithm_1(net.weights, net.biases, point)
    for layer, turn in zip(seen.layers, turns, strict=True):
        here = (layer.values, layer.on, layer.hidden, layer.C, layer.d, layer.P, layer.q)
        for ours, theirs in zip(here, turn, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(np.concatenate([layer.P for layer in seen.layers]), region.P)
    np.testing.assert_allclose(np.concatenate([layer.q for layer in seen.layers]), region.q)
    np.testing.assert_allclose(seen.region.C, C, atol=1e-12)
    np.testing.assert_allclose(seen.region.d, d, atol=1e-12)
    np.testing.assert_allclose(C @ np.array(point) + d, seen.logits, atol=1e-12)


@pytest.mark.parametrize("point", POINTS)
def test_distances_of_theorem_3(net, point):
    seen, u = walk(net, point), np.array(point)
    for line in (*seen.faces, *seen.rivals):
        size = np.linalg.norm(line.row)
        assert line.distance == pytest.approx(abs(line.row @ u + line.offset) / size if size else math.inf)
        if line.foot is not None:
            assert line.row @ line.foot + line.offset == pytest.approx(0, abs=1e-9)
            assert np.linalg.norm(line.foot - u) == pytest.approx(line.distance)
    certificate = certify(net, point)
    assert seen.certificate.radius == certificate.radius
    smallest = min(seen.nearest_face.distance, seen.nearest_rival.distance)
    assert certificate.radius <= smallest
    if certificate.status == "ok":
        assert certificate.radius == pytest.approx(smallest, rel=1e-9)
        assert seen.reached == (certificate.guarantee == "exact")
        if seen.reached:
            assert seen.exact == pytest.approx(certificate.radius, rel=1e-6)
    assert seen.exact_proven
    inside = (seen.region.P @ seen.exact_point + seen.region.q).min()
    assert seen.exact_inside == (inside >= -1e-9)
    assert certificate.radius <= seen.exact * (1 + 1e-12)


@pytest.mark.parametrize("point", POINTS[:3] + POINTS[4:])
def test_which_lines_are_faces(net, point):
    """An edge of the region's polygon has both ends on the line that draws it."""
    seen, plane = walk(net, point), lesson_plane(net)
    polygon = plane.polygon(int(plane.locate(point)[0]))
    for line in seen.faces:
        on_it = np.abs(polygon @ line.row + line.offset) < 1e-9
        drawn = bool((on_it & np.roll(on_it, -1)).any()) and line.squares > 0
        assert line.touches == drawn, line.name


def test_counts_of_pieces_and_regions_by_sampling(net):
    points = RANDOM.uniform(*LESSON_BOX[0], (100_000, 2))
    first = points @ net.weights[0].T + net.biases[0]
    second = np.maximum(first, 0) @ net.weights[1].T + net.biases[1]
    start = walk(net, LESSON_POINT)
    assert len(np.unique(first >= 0, axis=0)) == start.pieces == 7
    patterns = np.unique(np.hstack([first >= 0, second >= 0]), axis=0)
    assert len(patterns) == start.regions


@pytest.mark.parametrize("point", POINTS)
def test_theorem_4(net, point):
    lower = lower_network(net)
    np.testing.assert_allclose(lower(point), walk(net, point).layers[1].values, atol=1e-12)
    seen, u = mix(lower, point), np.array(point)
    numerator = [seen.weights @ (np.array(t) * seen.values) + seen.gap for t in itertools.product((0, 1), repeat=3)]
    nearest = 0.0 if min(numerator) <= 0 <= max(numerator) else min(np.abs(numerator))
    assert seen.relaxed == pytest.approx(nearest, abs=1e-12)
    at_mix = seen.weights @ (np.array(seen.mix) * seen.values) + seen.gap
    assert at_mix == pytest.approx(seen.relaxed, abs=1e-12)
    assert all(0 <= theta <= 1 for theta in seen.mix)
    assert seen.weights @ (seen.on * seen.values) + seen.gap == pytest.approx(seen.here)
    certificate = certify(lower, point, method="decision-boundary")
    assert seen.certificate.radius == certificate.radius <= seen.quotient
    if certificate.status == "ok" and certificate.radius > 0:
        assert certificate.radius == pytest.approx(seen.quotient, rel=1e-6)
    assert seen.simplex.radius == certify(lower, point).radius
    distances = [one.line.distance for one in seen.patterns]
    assert distances == sorted(distances)
    assert certificate.radius <= distances[0] * (1 + 1e-12)
    assert distances[0] <= seen.exact * (1 + 1e-9) + 1e-12
    for one in seen.patterns:
        row = (seen.weights * one.pattern) @ lower.weights[0]
        np.testing.assert_allclose(one.line.row, row)
        expected = (seen.weights * one.pattern) @ seen.values + seen.gap
        assert one.line.row @ u + one.line.offset == pytest.approx(expected, abs=1e-12)


def test_seven_of_the_eight_patterns_exist_and_one_is_the_points_own(net):
    seen = mix(lower_network(net), LESSON_POINT)
    assert sum(one.real for one in seen.patterns) == 7
    own = [one.pattern for one in seen.patterns if one.own]
    assert own == [tuple(seen.on.astype(int).tolist())]


def test_theorem_4_is_smaller_for_both_reasons_at_the_lessons_point(net):
    seen = mix(lower_network(net), LESSON_POINT)
    assert 0 < seen.certificate.radius < 0.5 * seen.simplex.radius < seen.exact
    assert seen.relaxed < seen.here
    assert seen.weight_norm * seen.spectral > seen.steepness


def test_a_point_on_a_line_and_a_constant_region(net):
    on_line, constant = walk(net, (1.0, 0.4)), walk(net, (2.4, 2.2))
    assert (on_line.certificate.radius, on_line.certificate.status) == (0.0, "degenerate")
    assert on_line.nearest_face.distance == 0
    assert constant.nearest_rival.distance == math.inf
    assert constant.nearest_rival.foot is None
    assert constant.certificate.radius == pytest.approx(constant.nearest_face.distance)


def test_other_networks_are_refused_with_a_sentence(net):
    lower = lower_network(net)
    with pytest.raises(Unsupported, match="2 hidden layers"):
        walk(lower, LESSON_POINT)
    with pytest.raises(Unsupported, match="2 layers, 2 inputs, 2 classes"):
        mix(net, LESSON_POINT)
    with pytest.raises(Unsupported, match="too few"):
        lower_network(lower)
    three = Network([np.eye(3), np.ones((2, 3)), np.ones((2, 2))], [np.zeros(3), np.zeros(2), np.zeros(2)])
    with pytest.raises(Unsupported, match="2 inputs"):
        walk(three, (0, 0, 0))


@pytest.mark.parametrize(("name", "hall"), [("light", False), ("dark", True)])
def test_the_scene_is_json_and_the_same_at_every_point(net, name, hall):
    lower = lower_network(net)
    planes, theme = (lesson_plane(net), lesson_plane(lower)), find_theme(name, hall)
    scenes = [
        lesson_scene(*planes, mix(lower, u), NEURONS, theme, show=("first",)) for u in (LESSON_POINT, (2.5, -2.5))
    ]
    texts = [json.dumps(scene, allow_nan=False) for scene in scenes]
    assert texts[0] == texts[1]
    scene = scenes[0]
    assert [line["name"] for line in scene["bent"]] == list(NEURONS)
    assert len(scene["patterns"]) == 8
    assert not hall or min(scene["look"]["thin"] - 3, scene["look"]["font"] - 20) >= 0


def test_letters_stand_on_their_lines(net):
    lower = lower_network(net)
    planes = (lesson_plane(net), lesson_plane(lower))
    scene = lesson_scene(*planes, mix(lower, LESSON_POINT), NEURONS, find_theme("light"))
    for line in scene["bent"]:
        layer = walk(net, line["badge"]).layers[0 if line["layer"] == "first" else 1]
        assert layer.values[line["neuron"]] == pytest.approx(0, abs=1e-3)
        if line["layer"] == "first":
            assert walk(net, line["middle"]).layers[0].values[line["neuron"]] == pytest.approx(0, abs=1e-3)
