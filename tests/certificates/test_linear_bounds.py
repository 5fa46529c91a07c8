"""Interval bounds, Fast-Lin and CROWN-Ada: against literal transcriptions, samples, closed forms and fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relucert_core.certificates import intervals
from relucert_core.certificates.linear_bounds import CROWN_ADA, FAST_LIN, layer_bounds, margin_bounds
from relucert_core.certificates.over_balls import centre as centres
from relucert_core.certificates.over_balls.bisection import TOLERANCE, search_radius
from relucert_core.certificates.over_balls.centre import Centre, centre
from relucert_core.distances import all_distances
from relucert_core.network import Network
from tests.helpers import KINDS, NORMS, quick_and_slow, random_network, random_points
from tests.hunt_bounds import applies, hunt, run
from tests.oracles_bounds import Literal, interval_bounds, linear_bounds, proves

RULES = (FAST_LIN, CROWN_ADA)
SHARED = ("interval", "fast-lin", "crown-ada")


def small_network(rng: np.random.Generator, *widths: int) -> Network:
    sizes = list(pairwise(widths))
    return Network([rng.normal(size=(b, a)) for a, b in sizes], [0.5 * rng.normal(size=b) for _, b in sizes])


def steady_network(rng: np.random.Generator, inputs: int) -> Network:
    """Every neuron keeps its sign in a large ball around 0: most on, some off."""
    weights = [rng.normal(size=(7, inputs)), rng.normal(size=(6, 7)), rng.normal(size=(3, 6))]
    lifts = [rng.choice([1e4, 1e4, -1e4], size=7), rng.choice([1e7, 1e7, -1e7], size=6)]
    hidden = np.maximum(lifts[1] + weights[1] @ np.maximum(lifts[0], 0), 0)
    return Network(weights, [*lifts, rng.normal(size=3) - weights[2] @ hidden])


def balls(net: Network, points: np.ndarray, norm: float) -> Centre:
    return centre(net, torch.tensor(points), float(norm), None)


def ball_samples(rng: np.random.Generator, point: np.ndarray, radius: float, norm: float, count: int) -> np.ndarray:
    """Points in the ball, most of them near its surface or on its corners."""
    steps = rng.normal(size=(count, len(point)))
    steps[: count // 3] = np.sign(steps[: count // 3])
    steps[count // 3 : count // 2] *= rng.random((count // 2 - count // 3, len(point))) < 1.5 / len(point)
    sizes = np.maximum(np.linalg.norm(steps, ord=norm, axis=1, keepdims=True), 1e-300)
    return point + radius * (1 - 1e-9) * steps / sizes * rng.random((count, 1)) ** 0.1


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("widths", [(4, 9, 3), (5, 8, 7, 4), (3, 6, 5, 6, 3)])
def test_bounds_are_those_of_the_literal_transcription(rule, norm, widths):
    rng = np.random.default_rng(len(widths))
    net, points, radii = small_network(rng, *widths), rng.normal(size=(6, widths[0])), rng.uniform(0.01, 1.5, 6)
    where = balls(net, points, norm)
    index, radius = torch.arange(6), torch.tensor(radii)
    layers, margins = layer_bounds(where, rule, index, radius), margin_bounds(where, rule, index, radius)
    for i in range(6):
        task = Literal(net, points[i], int(where.margins.label[i]), float)
        expected_layers, expected = linear_bounds(task, norm, radii[i], rule.name)
        for found, (low, high) in zip(layers, expected_layers):
            low, high = np.array(low), np.array(high)
            open_ = ~((found.lower[i] >= 0) | (found.upper[i] <= 0)).numpy()
            assert (found.lower[i].numpy() <= low + 1e-12).all()
            assert (found.upper[i].numpy() >= high - 1e-12).all()
            assert np.array_equal(open_, (low < 0) & (high > 0)), "a neuron is classified otherwise"
            np.testing.assert_allclose(found.lower[i].numpy()[open_], low[open_], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found.upper[i].numpy()[open_], high[open_], rtol=1e-9, atol=1e-9)
        for j, value in expected.items():
            assert float(margins[i, j]) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_interval_bounds_are_those_of_the_literal_transcription(norm):
    rng = np.random.default_rng(7)
    net, points, radii = small_network(rng, 5, 8, 7, 4), rng.normal(size=(6, 5)), rng.uniform(0.01, 1.0, 6)
    where = balls(net, points, norm)
    index, radius = torch.arange(6), torch.tensor(radii)
    hidden, margins = (
        intervals.hidden_deviations(where, index, radius),
        intervals.interval_margins(where, index, radius),
    )
    for i in range(6):
        task = Literal(net, points[i], int(where.margins.label[i]), float)
        layers, expected = interval_bounds(task, norm, radii[i])
        for depth, (low, high) in enumerate(layers):
            value = where.forward.values[depth][i]
            np.testing.assert_allclose((value - hidden[depth].fall[i]).numpy(), low, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose((value + hidden[depth].rise[i]).numpy(), high, rtol=1e-9, atol=1e-9)
        for j, value in expected.items():
            assert float(margins[i, j]) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_sampled_points_stay_within_every_intermediate_bound(kind, norm):
    rng = np.random.default_rng(KINDS.index(kind))
    net = random_network(rng, kind, inputs=3)
    point = random_points(rng, net, 1, kind)
    where = balls(net, point, norm)
    # A radius at which about half of the first layer's neurons are open.
    radius = float(np.median(where.forward.values[0].abs() / where.row_norms[1].clamp(min=1e-300))) or 1.0
    index, radii = torch.tensor([0]), torch.tensor([radius], dtype=torch.float64)
    samples = torch.tensor(ball_samples(rng, point[0], radius, norm, 10_000))
    values = net.pre_activations(samples)
    slack = [1e-12 * v.abs().amax() for v in values]  # the samples' own rounding
    for rule in RULES:
        for bounds, value, room in zip(layer_bounds(where, rule, index, radii), values, slack):
            assert (value >= bounds.lower - room).all()
            assert (value <= bounds.upper + room).all()
    for z, here, value, room in zip(
        intervals.hidden_deviations(where, index, radii), where.forward.values, values, slack
    ):
        assert (value >= here - z.fall - room).all()
        assert (value <= here + z.rise + room).all()


@pytest.mark.parametrize("count", quick_and_slow(4, 10))
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fast-lin", "crown-ada", "fast-lip"])
@pytest.mark.parametrize("inputs", [1, 3, 30])
def test_stable_network_gets_the_distance_to_its_decision_plane(name, norm, inputs, count):
    rng = np.random.default_rng(inputs)
    net, points = steady_network(rng, inputs), rng.normal(size=(count, inputs))
    exact = all_distances(net, torch.tensor(points), float(norm))[1].amin(-1).numpy()
    found = run(name, net, points, norm)
    radius = np.array([c.radius for c in found])
    assert (radius <= exact * (1 + 1e-6)).all(), "the network's large biases cost six digits of the plain distance"
    assert (radius >= exact * (1 - 2e-3)).all()
    # All neurons being stable, the exact bound is the exact distance: fractions leave no room at all.
    assert all(proves(name, net, point, c.label, norm, c.radius) for point, c in zip(points, found))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", SHARED)
def test_radius_is_proved_and_fails_within_the_tolerance(name, norm):
    rng = np.random.default_rng(3)
    net, points = small_network(rng, 4, 7, 6, 3), rng.normal(size=(12, 4))
    for point, c in zip(points, run(name, net, points, norm)):
        assert c.status == "ok"
        assert c.guarantee == "lower bound"
        assert c.limit is not None
        assert c.limit.rival not in (None, c.label)
        assert c.radius < c.parts["fails_at"] <= c.radius * (1 + TOLERANCE)
        assert proves(name, net, point, c.label, norm, c.radius)
        assert not proves(name, net, point, c.label, norm, c.parts["fails_at"])


@pytest.mark.parametrize("examples", quick_and_slow(5, 100))
def test_no_point_in_a_certified_ball_is_adversarial(examples):
    given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(KINDS), norm=st.sampled_from(NORMS))(
        settings(max_examples=examples)(no_sample_is_adversarial)
    )()


def no_sample_is_adversarial(seed, kind, norm):
    rng = np.random.default_rng(seed)
    net = random_network(rng, kind, inputs=2)
    point = random_points(rng, net, 1, kind)
    for name in ("interval", "fast-lin", "crown-ada", "fast-lip", "lipschitz", "local-lipschitz"):
        if applies(name, net):
            (c,) = run(name, net, point, norm)
            radius = min(c.radius, 1e6 * (1 + np.abs(point).max()))
            logits = net(ball_samples(rng, point[0], radius, norm, 2000))
            rivals = np.delete(logits, c.label, axis=1).max(1)
            room = 1e-12 * np.abs(logits).max()  # the samples' own rounding
            assert c.radius == 0 or (logits[:, c.label] >= rivals - room).all()


@settings(max_examples=2)
@given(seed=st.integers(0, 2**32 - 1))
def test_returned_radius_is_proved_in_exact_arithmetic(seed):
    checked, violations = hunt(1, seed)
    assert checked > 0
    assert not violations


@pytest.mark.slow
def test_many_returned_radii_are_proved_in_exact_arithmetic():
    checked, violations = hunt(50_000, 2019)
    assert checked >= 50_000
    assert not violations


@pytest.mark.parametrize("count", quick_and_slow(4, 9))
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", [*SHARED, "fast-lip", "lipschitz"])
def test_batch_and_single_points_agree(name, norm, count):
    rng = np.random.default_rng(11)
    net, points = small_network(rng, 4, 9, 8, 3), rng.normal(size=(count, 4))
    together = np.array([c.radius for c in run(name, net, points, norm)])
    alone = np.array([run(name, net, point[None], norm)[0].radius for point in points])
    np.testing.assert_allclose(together, alone, rtol=2.1e-3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_blocks_do_not_change_the_bounds(rule, monkeypatch):
    rng = np.random.default_rng(13)
    net, points = small_network(rng, 6, 12, 10, 9, 4), rng.normal(size=(20, 6))
    index, radii = torch.arange(20).repeat(2), torch.rand(40, generator=torch.Generator().manual_seed(1)).double()
    whole = margin_bounds(balls(net, points, 2.0), rule, index, radii)
    monkeypatch.setattr(centres, "BLOCK_NUMBERS", 1)
    single = margin_bounds(balls(net, points, 2.0), rule, index, radii)
    torch.testing.assert_close(whole, single, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [*SHARED, "fast-lip", "lipschitz", "local-lipschitz"])
def test_tie_and_wrong_label_give_zero(name):
    net = Network([[[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0], [0.0, 0.0]][:2])
    (tie,) = run(name, net, np.zeros((1, 1)), 2.0)
    assert (tie.radius, tie.status) == (0.0, "tie for the first place")
    (wrong,) = run(name, net, np.ones((1, 1)), 2.0, label=1)
    assert (wrong.radius, wrong.status) == (0.0, "wrong prediction")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", [*SHARED, "fast-lip", "lipschitz", "local-lipschitz"])
@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        ([np.zeros((3, 2)), np.zeros((2, 3))], [np.zeros(3), np.array([1.0, 0.0])]),
        ([np.ones((3, 2)), np.ones((2, 3))], [np.zeros(3), np.array([1.0, 0.0])]),
        ([np.zeros((3, 2)), np.array([[1.0, 2, 3], [0, 1, 0]])], [np.ones(3), np.zeros(2)]),
    ],
    ids=["all zero", "equal rows", "dead inputs"],
)
def test_constant_lead_is_certified_everywhere(name, norm, weights, biases):
    (c,) = run(name, Network(weights, biases), np.array([[0.3, -0.2]]), norm)
    assert c.radius == math.inf
    assert c.status == "ok"
    assert c.limit is None


def test_a_lead_that_only_grows_is_certified_everywhere_by_the_methods_that_see_it():
    """f_0 - f_1 = 1 + relu(x), at x = -1: intervals know relu >= 0, CROWN-Ada keeps slope 0; Fast-Lin does not."""
    net = Network([[[1.0]], [[1.0], [0.0]]], [[0.0], [1.0, 0.0]])
    radius = {name: run(name, net, np.array([[-1.0]]), 2.0)[0].radius for name in SHARED}
    assert radius["interval"] == radius["crown-ada"] == math.inf
    assert 1 < radius["fast-lin"] < math.inf


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("name", [*SHARED, "fast-lip", "lipschitz"])
def test_extreme_weights_scale_the_radius(name, scale):
    rng = np.random.default_rng(5)
    net, points = small_network(rng, 3, 6, 5, 3), rng.normal(size=(5, 3))
    scaled = Network([net.weights[0] * scale, *net.weights[1:]], net.biases)
    plain = np.array([c.radius for c in run(name, net, points, 2.0)])
    found = np.array([c.radius for c in run(name, scaled, points / scale, 2.0)])
    np.testing.assert_allclose(found * scale, plain, rtol=2.1e-3)


def test_overflow_gives_zero_and_says_so():
    net = Network([np.full((2, 2), 1e200), np.array([[1e200, 1.0], [1.0, 1.0]])], [np.zeros(2), np.zeros(2)])
    for name in (*SHARED, "fast-lip", "lipschitz", "local-lipschitz"):
        (c,) = run(name, net, np.ones((1, 2)), 2.0)
        assert (c.radius, c.status) == (0.0, "overflow")


@pytest.mark.parametrize("row", [[0.1, 0.2, -0.3], [0.3, -0.1, -0.2], [0.5, -0.25, -0.25]])
def test_neuron_too_near_to_its_face_is_decided_by_fractions(row):
    """Stored as floats these sum to 3e-17, -3e-17 and 0, less than rounding can tell; slope 1 is taken from 0 on."""
    net = Network([[row, [1.0, -1.0, 0.0]], np.eye(2)], [np.zeros(2), np.array([1.0, 0.0])])
    where = balls(net, np.ones((1, 3)), 2.0)
    assert (where.forward.values[0].abs() <= where.forward.errors[0]).all()
    assert where.lean.tolist() == [[float(sum(map(Fraction, row)) >= 0), 1.0]]


def test_search_brackets_any_decreasing_margin():
    """Margins that bend sharply, jump or overflow: the answer is always proved and fails just above."""
    one = torch.ones(1, dtype=torch.float64)
    shapes = {
        "steep": lambda r: 1 - (r / 3.7) ** 40,
        "jump": lambda r: torch.where(r < 1e-9, one, -1e300 * one),
        "nan": lambda r: torch.where(r < 2e5, one, torch.nan),
        "slow": lambda r: 1 / (1 + r) - 1e-3,
        "line": lambda r: 1 - r / 0.123,
    }
    edges = {"steep": 3.7, "jump": 1e-9, "nan": 2e5, "slow": 999.0, "line": 0.123}
    for name, shape in shapes.items():
        found = search_radius(lambda i, r, f=shape: f(r).unsqueeze(-1), one, one, one * math.inf)
        assert float(found.proved) <= edges[name] * (1 + 1e-12)
        assert float(found.fails_at) >= edges[name] * (1 - 1e-12)
        assert float(found.fails_at) <= float(found.proved) * (1 + TOLERANCE)
        assert int(found.trials) < 60
