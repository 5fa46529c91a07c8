"""The certificate `quadratic`: closed forms, fractions, brute force, an independent maximum, and injected faults."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

import relucert_core as rc
from relucert_core.certificates.linear_bounds import CROWN_ADA, layer_bounds
from relucert_core.certificates.quadratic import bounds as bounds_module
from relucert_core.certificates.quadratic import radius as radius_module
from relucert_core.certificates.quadratic.ball import Multipliers, evaluate, maximum_above, propose
from relucert_core.certificates.quadratic.bounds import ball_of, climb, foreseen_maximum, quadratic_bounds
from relucert_core.certificates.quadratic.memory import Memory, Start, _placed
from relucert_core.certificates.quadratic.moments import Moments, Proposal, worst_moments
from relucert_core.certificates.quadratic.parabolas import Quadratic, enclose
from relucert_core.certificates.quadratic.radius import run
from relucert_core.deadline import counted_by, ends_at
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network
from tests.hunt_quadratic import CROWN, hunt, plain_layer, scaled_network
from tests.hunt_search import small_point
from tests.oracles_bruteforce import brute_force

FINITE = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-9, 1e6)


def network(seed: int, *sizes: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) / math.sqrt(a) for a, b in pairwise(sizes)]
    return Network(weights, [0.3 * rng.normal(size=b) for b in sizes[1:]])


def radius_of(net: Network, point: np.ndarray, label: int | None = None) -> rc.Certificate:
    labels = None if label is None else torch.tensor([label])
    return run(net, torch.tensor(point, dtype=torch.float64)[None], norm=2.0, labels=labels)[0]


@given(FINITE, FINITE, POSITIVE, st.one_of(POSITIVE, st.just(math.inf)), st.floats(-1, 2), st.floats(-1, 1))
@settings(max_examples=150, deadline=None)
def test_the_curve_lies_above_the_relu_in_fractions(weight, value, reach, width, slope, place):
    arrays = [torch.tensor([v], dtype=torch.float64) for v in (weight, value, reach, width, slope)]
    found = enclose(arrays[0][None], arrays[1], arrays[2], torch.tensor([True]), arrays[3][None], arrays[4][None])
    h, e, k = (Fraction(float(part)) for part in vars(found).values())
    for spot in (-reach, reach, -value, width - value, -width - value, place * reach):
        if math.isfinite(spot) and abs(spot) <= reach:
            s, a = Fraction(spot), Fraction(value)
            assert Fraction(weight) * (max(a + s, 0) - max(a, 0)) <= h * s * s + e * s + k


def test_a_parabola_touches_the_relu_twice_and_a_line_is_exact():
    """c (a + t)^2 / 4t meets c relu(a) at a = -t and a = t: there the constant loses nothing but its rounding."""
    one = torch.ones(1, dtype=torch.float64)
    curve = enclose(2 * one[None], 0.25 * one, 3 * one, torch.tensor([True]), one[None], one[None])
    for spot in (0.75, -1.25):
        exact = 2 * (max(0.25 + spot, 0) - 0.25)
        assert float(curve.curvature * spot**2 + curve.slope * spot + curve.constant) == pytest.approx(exact, abs=1e-12)
    line = enclose(-2 * one[None], 0.25 * one, 3 * one, torch.tensor([True]), one[None], one[None])
    assert float(line.constant) < 1e-300
    assert float(line.slope) == -2


def dense_maximum(h: np.ndarray, e: np.ndarray, rows: np.ndarray, radius: float) -> float:
    """The maximum over the ball by eigenvalues and the secular equation, an independent way."""
    values, vectors = np.linalg.eigh((rows.T * h) @ rows)
    pull = vectors.T @ (e @ rows)

    def over(mu: float) -> float:
        return np.linalg.norm(pull / (2 * (mu - values))) - radius

    top = max(values[-1], 0.0)
    low, high = top * (1 + 1e-12) + 1e-14, top + np.linalg.norm(pull) / radius + 1.0
    mu = brentq(over, low, high, xtol=1e-15, rtol=1e-15) if over(low) > 0 else low
    return float(mu * radius**2 + (pull**2 / (4 * (mu - values))).sum())


@pytest.mark.parametrize("seed", range(12))
def test_the_maximum_is_that_of_an_independent_method(seed):
    rng = np.random.default_rng(seed)
    count, inputs = int(rng.integers(1, 12)), int(rng.integers(2, 8))
    rows, radius = rng.normal(size=(count, inputs)), float(rng.uniform(0.1, 3))
    h, e = np.abs(rng.normal(size=count)) * (rng.random(count) < 0.6), rng.normal(size=count)
    truth = dense_maximum(h, e, rows, radius)
    quadratic = Quadratic(torch.tensor(h)[None], torch.tensor(e)[None], torch.zeros(1, dtype=torch.float64))
    largest = np.linalg.eigvalsh((rows.T * h) @ rows)[-1]
    found = []
    for factor in (1.0001, 1.01, 1.2, 3.0):
        start = torch.tensor([largest * factor + 0.1], dtype=torch.float64)
        found.append(float(maximum_above(plain_layer(rows, radius), quadratic, start)))
    assert truth * (1 - 1e-9) <= min(found) <= truth * 1.05 + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_proposal_only_raises_the_maximum(seed):
    """The wrong multiplier, the proposal scaled or replaced: still above the truth; a NaN or no proof: infinite."""
    rng = np.random.default_rng(seed)
    rows, radius = rng.normal(size=(7, 5)), 1.3
    h, e = np.abs(rng.normal(size=7)), rng.normal(size=7)
    layer = plain_layer(rows, radius)
    quadratic = Quadratic(torch.tensor(h)[None], torch.tensor(e)[None], torch.zeros(1, dtype=torch.float64))
    truth = dense_maximum(h, e, rows, radius)
    good = propose(layer, quadratic, torch.tensor([3 * np.linalg.eigvalsh((rows.T * h) @ rows)[-1]]))
    for factor in (0.0, 0.5, -1.0, 1e6):
        changed = Multipliers(good.multiplier, good.shortfall, good.coefficients * factor)
        assert float(evaluate(layer, quadratic, changed)) >= truth * (1 - 1e-9)
    for wrong in (math.nan, math.inf):
        spoiled = good.coefficients.clone()
        spoiled[0, 2] = wrong
        assert float(evaluate(layer, quadratic, Multipliers(good.multiplier, good.shortfall, spoiled))) == math.inf
        unproved = Multipliers(good.multiplier, torch.tensor([wrong]), good.coefficients)
        assert float(evaluate(layer, quadratic, unproved)) == math.inf
    for start in (0.0, -1.0, math.nan, math.inf, 1e-300, 1e300, 0.1):
        assert float(maximum_above(layer, quadratic, torch.tensor([start], dtype=torch.float64))) >= truth * (1 - 1e-9)


def test_a_linear_network_is_exact():
    """All neurons on: f_0 - f_1 is linear, its distance |margin| / ||row||."""
    rng = np.random.default_rng(5)
    first, last = rng.normal(size=(6, 4)), rng.normal(size=(3, 6))
    net = Network([first, last], [np.full(6, 50.0), rng.normal(size=3)])
    point = rng.normal(size=4)
    logits = net(point)
    k = int(logits.argmax())
    truth = min((logits[k] - logits[j]) / np.linalg.norm((last[k] - last[j]) @ first) for j in range(3) if j != k)
    assert truth < 10
    assert radius_of(net, point).radius == pytest.approx(truth, rel=0.01)
    assert radius_of(net, point).radius <= truth


@pytest.mark.parametrize("offset", [0.5, -0.5, 0.0])
def test_a_single_neuron_is_exact(offset):
    """f_0 - f_1 = 2 - relu(3 x + offset): the distance to relu = 2, whichever side of its face the point is on."""
    net = Network([[[3.0]], [[0.0], [1.0]]], [[offset], [2.0, 0.0]])
    assert radius_of(net, np.zeros(1)).radius == pytest.approx((2 - offset) / 3, rel=0.01)
    assert radius_of(net, np.zeros(1)).radius <= (2 - offset) / 3


def test_the_law_against_brute_force():
    rng = np.random.default_rng(3)
    gains = 0
    for _ in range(8):
        net = scaled_network(rng)
        point = small_point(rng, net)
        label = int(net(point).argmax())
        found, crown = radius_of(net, point), CROWN.run(net, torch.tensor(point)[None], norm=2.0)[0]
        assert crown.radius <= found.radius <= brute_force(net, point, label).high
        gains += found.radius > crown.radius
    assert gains >= 1, "it never was better than CROWN-Ada"


def test_short_hunt():
    counts, violations = hunt(30, seed=11)
    assert not violations
    assert min(counts.values()) >= 6


def test_wrong_labels_and_ties_give_zero():
    net = network(1, 3, 5, 3)
    point = np.zeros(3)
    label = int(net(point).argmax())
    found = radius_of(net, point, (label + 1) % 3)
    assert (found.radius, found.status, found.method) == (0.0, "wrong prediction", "quadratic")
    tied = Network([np.eye(2), [[1.0, 1.0], [1.0, 1.0]]], [np.zeros(2), np.zeros(2)])
    assert radius_of(tied, np.ones(2)).radius == 0


def test_other_norms_are_refused_in_a_sentence():
    with pytest.raises(Unsupported, match="it takes L2"):
        rc.certify(network(1, 3, 5, 3), np.zeros(3), "quadratic", "inf")


@pytest.mark.parametrize("sizes", [(6, 12, 4), (6, 10, 8, 4), (5, 8, 7, 6, 3)])
def test_bounds_hold_at_points_of_the_ball_and_lie_within_crowns(sizes):
    net, rng = network(2, *sizes), np.random.default_rng(1)
    point, radius = rng.normal(size=sizes[0]), 0.8
    ball = ball_of(net, point)
    found = quadratic_bounds(net, point, radius, ball=ball)
    crown = layer_bounds(ball.centre, CROWN_ADA, torch.tensor([0]), torch.tensor([radius], dtype=torch.float64))
    steps = rng.normal(size=(400, sizes[0]))
    inside = torch.tensor(point + radius * steps / np.linalg.norm(steps, axis=1, keepdims=True) * (1 - 1e-12))
    *hidden, logits = net.pre_activations(inside)
    for layer, values in enumerate(hidden):
        assert (values >= found.lower[layer]).all()
        assert (values <= found.upper[layer]).all()
        assert (found.lower[layer] >= crown[layer].lower[0] - 1e-12).all()
        assert (found.upper[layer] <= crown[layer].upper[0] + 1e-12).all()
    gaps = (logits[:, [found.label]] - logits).amin(0)
    rivals = torch.arange(net.classes) != found.label
    assert (gaps[rivals] >= found.margins[rivals]).all()
    assert found.margins[found.label] == math.inf


def test_known_bounds_are_intersected_and_those_of_another_ball_refused():
    net, point = network(3, 4, 9, 7, 3), np.full(4, 0.2)
    larger = quadratic_bounds(net, point, 1.0)
    alone, both = quadratic_bounds(net, point, 0.5), quadratic_bounds(net, point, 0.5, known=larger)
    for layer in range(2):
        assert (both.lower[layer] >= larger.lower[layer]).all()
        assert (both.upper[layer] - both.lower[layer] <= alone.upper[layer] - alone.lower[layer] + 1e-9).all()
    other = (network(4, 4, 9, 7, 3), point, 0.5), (net, point + 0.1, 0.5), (net, point, 2.0)
    for arguments in other:
        with pytest.raises(InvalidInput, match="smaller ball"):
            quadratic_bounds(*arguments, known=larger)
    with pytest.raises(InvalidInput, match="label"):
        quadratic_bounds(net, point, 0.5, label=(larger.label + 1) % 3, known=larger)
    for radius in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InvalidInput, match="positive"):
            quadratic_bounds(net, point, radius)


def test_overflow_gives_infinite_bounds_and_no_nan():
    net = Network([[[1e300, 1e300]], [[1e300]], [[1.0], [0.0]]], [[1e300], [1e300], [0.0, 0.0]])
    found = quadratic_bounds(net, np.array([1.0, 1.0]), 1e10)
    for part in (*found.lower, *found.upper, found.margins):
        assert not torch.isnan(part).any()


def spoiled(how):
    """`worst_moments` with its answer changed by `how`."""

    def moments(*arguments, **options):
        return Proposal(*(how(part) for part in vars(worst_moments(*arguments, **options)).values()))

    return moments


FAULTS = {
    "nan": lambda part: part * math.nan,
    "infinite": lambda part: part * math.inf,
    "zero": lambda part: part * 0,
    "negative": lambda part: -part,
    "tiny": lambda part: part * 1e-9,
    "huge": lambda part: part * 1e9,
    "reversed": lambda part: part.flip(-1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_injected_faults_never_raise_the_radius(monkeypatch, fault):
    rng = np.random.default_rng(8)
    net = network(int(rng.integers(100)), 3, 4, 3, 3)
    cases = [(net, small_point(rng, net))]
    monkeypatch.setattr("relucert_core.certificates.quadratic.lines.worst_moments", spoiled(FAULTS[fault]))
    for net, point in cases:
        found = radius_of(net, point)
        assert found.radius >= CROWN.run(net, torch.tensor(point)[None], norm=2.0)[0].radius
        assert found.radius <= brute_force(net, point, int(net(point).argmax())).high


def test_what_is_foreseen_is_never_returned(monkeypatch):
    """A search steered to a radius that no proof confirms ends with CROWN-Ada's."""
    net, point = network(6, 4, 8, 3), np.full(4, 0.1)

    def hopeful(ball, radius, known=None, maximum=bounds_module.proved_maximum, memory=None):
        layers, margins = climb(ball, radius, known, maximum, memory)
        return layers, torch.ones_like(margins) if maximum is foreseen_maximum else margins

    monkeypatch.setattr(radius_module, "climb", hopeful)
    exact = rc.certify(net, point, "exact", max_seconds=5.0)
    found = radius_of(net, point)
    assert CROWN.run(net, torch.tensor(point)[None], norm=2.0)[0].radius <= found.radius <= exact.upper


def test_what_is_remembered_stands_at_its_own_neurons():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = _placed(values, *map(torch.tensor, ([1, 4], [0, 7], [0, 1, 4], [0, 5, 7])))
    nan = math.nan
    expected = torch.tensor([[nan, nan, nan], [1.0, nan, 2.0], [3.0, nan, 4.0]])
    assert torch.equal(torch.nan_to_num(found, nan=-1.0), torch.nan_to_num(expected, nan=-1.0))


@pytest.mark.parametrize("sizes", [(4, 8, 3), (4, 6, 6, 3), (3, 6, 5, 5, 3)])
def test_a_ball_begun_from_another_has_bounds_that_hold_and_are_as_good(sizes):
    rng = np.random.default_rng(11)
    for _ in range(4):
        net = network(int(rng.integers(1000)), *sizes)
        point = small_point(rng, net)
        ball, memory = ball_of(net, point), Memory()
        for radius in (0.9, 0.5, 0.6):
            margins = climb(ball, radius, memory=memory)[1]
            fresh = climb(ball, radius)[1]
            scale = (ball.centre.gaps[0].clamp(min=0) - fresh).clamp(min=1e-9)
            assert bool(((fresh - margins)[torch.isfinite(fresh)] <= 0.1 * scale[torch.isfinite(fresh)] + 1e-9).all())
            steps = rng.normal(size=(300, net.inputs))
            steps *= radius * rng.random((300, 1)) / np.linalg.norm(steps, axis=1, keepdims=True)
            logits = net.logits(torch.tensor(point + steps))
            label = int(ball.centre.margins.label[0])
            assert bool((logits[:, label : label + 1] - logits >= margins.nan_to_num(posinf=0.0) - 1e-9).all())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoilt_memory_never_raises_the_radius(monkeypatch, fault):
    rng = np.random.default_rng(9)
    net = network(int(rng.integers(100)), 3, 4, 3, 3)
    point = small_point(rng, net)
    recall = Memory.recall

    def wrong(self, *about):
        start = recall(self, *about)
        if start is None:
            return None
        spoil = FAULTS[fault]
        return Start(tuple(map(spoil, start.slopes)), Moments(*map(spoil, vars(start.moments).values())))

    monkeypatch.setattr(Memory, "recall", wrong)
    found = radius_of(net, point)
    assert found.radius >= CROWN.run(net, torch.tensor(point)[None], norm=2.0)[0].radius
    assert found.radius <= brute_force(net, point, int(net(point).argmax())).high


def test_it_proves_nearly_all_on_figure_2a():
    """mnist-gt5-1024, three images: more than 0.92 of the distance of the attack, where CROWN-Ada proves about 0.6."""
    net, images = rc.load_model("mnist-gt5-1024"), rc.mnist_sample()[0][101:104]
    found, attacks = rc.certify(net, images, "quadratic"), rc.attack(net, images, method="ddn")
    shares = found.radius / np.array([a.distance for a in attacks])
    assert (shares <= 1).all()
    assert np.median(shares) > 0.92


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_it_ends_when_its_time_does_with_what_was_proved(seconds):
    net = rc.load_model("mnist-1024-512")
    points = torch.tensor(np.asarray(rc.mnist_sample()[0][103:104]), dtype=torch.float64)
    net.logits(points)
    with counted_by(time.thread_time):
        began = time.thread_time()
        with ends_at(began + seconds):
            found = run(net, points, norm=2.0)[0]
        taken = time.thread_time() - began
    assert taken <= 1.1 * seconds + 0.15
    assert 0 <= found.radius <= 1.29  # an attack's distance


def test_a_deadline_that_is_not_met_changes_nothing():
    net = rc.load_model("mnist-20-20-20")
    points = torch.tensor(np.asarray(rc.mnist_sample()[0][:2]), dtype=torch.float64)
    with ends_at(time.perf_counter() + 1000):
        timed = run(net, points, norm=2.0)
    assert [cert.radius for cert in timed] == [cert.radius for cert in run(net, points, norm=2.0)]
