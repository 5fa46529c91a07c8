"""Theorem 3: closed forms first, then the rational oracle, then degenerate points."""

import math
import pickle

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.simplex import row_is_zero
from tests.helpers import KINDS, NORMS, quick_and_slow, random_network, random_points, rest_slow
from tests.hunt import hunt
from tests.oracles import simplex_holds, simplex_value


def line(slope=1.0, bias=1.0):
    """f_0 - f_1 = relu(x + 2) - relu(-x - 2) + ... : one input, faces at -2 (twice), decision at x = -bias/slope."""
    return rc.Network([[[1.0], [-1.0]], [[slope, -slope], [0.0, 0.0]]], [[2.0, -2.0], [bias - 2 * slope, 0.0]])


def test_case_a_is_exact_with_a_witness():
    c = rc.certify(line(), [0.5])  # f_0 - f_1 = x + 1: decision at -1, face at -2
    assert c.radius == pytest.approx(1.5, rel=1e-12)
    assert c.radius <= 1.5
    assert (c.guarantee, c.status, c.parts["case"], str(c.limit)) == ("exact", "ok", "a", "class 1")
    assert c.nearest == pytest.approx([-1.0])
    assert c.upper <= c.radius * (1 + 1e-6)
    logits = line()(c.witness)
    assert logits[1] >= logits[0]  # ties count


def test_case_b_is_a_lower_bound_limited_by_a_face():
    c = rc.certify(line(bias=3.0), [0.5])  # decision at -3 beyond the face at -2
    assert c.radius == pytest.approx(2.5, rel=1e-12)
    assert (c.guarantee, c.parts["case"], c.limit.kind, c.limit.layer) == ("lower bound", "b", "face", 1)
    assert c.parts["face_distance"] < c.parts["decision_distance"] == pytest.approx(3.5)
    assert c.witness is None
    assert math.isinf(c.upper)


@pytest.mark.parametrize(("norm", "expected"), [(1, 4 / 4), (2, 4 / 5), (np.inf, 4 / 7)])
def test_dual_norms(norm, expected):
    net = rc.Network([[[3.0, 4.0]], [[0.0], [1.0]]], [[4.0], [0.0, 9.0]])
    assert rc.certify(net, [0.0, 0.0], norm=norm).radius == pytest.approx(expected, rel=1e-12)


def test_ties_and_wrong_predictions_give_zero_for_both_methods():
    net = rc.Network([[[1.0]], [[1.0], [1.0]]], [[1.0], [0.0, 0.0]])
    other = rc.Network([[[1.0]], [[1.0], [0.0]]], [[1.0], [0.0, 0.0]])
    for method in ("simplex", "decision-boundary"):
        tie = rc.certify(net, [0.5], method=method)
        assert (tie.radius, tie.status) == (0.0, "tie for the first place")
        wrong = rc.certify(other, [0.5], method=method, label=1)
        assert (wrong.radius, wrong.status, wrong.prediction, wrong.label) == (0.0, "wrong prediction", 0, 1)


def test_a_neuron_on_its_face_is_degenerate():
    c = rc.certify(line(), [-2.0])
    assert (c.radius, c.status) == (0.0, "degenerate")


def test_a_row_proved_to_be_zero_limits_nothing_even_where_z_is_zero():
    weights = [[[1.0], [0.0]], [[1.0, 5.0], [0.0, 1.0]]]
    dead = rc.Network(weights, [[2.0, 0.0], [0.0, -1.0]])
    assert rc.certify(dead, [1.0]).radius == pytest.approx(3.0, rel=1e-12)  # the face at -2
    off = rc.Network(
        [[[1.0], [1.0]], [[0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]], [[-9.0, 2.0], [0.0, 0.0], [0.0, -8.0]]
    )
    c = rc.certify(off, [1.0])  # neuron 1 of layer 2 reads only a neuron that is off: its row is zero and z is 0
    assert c.status == "ok"
    assert c.radius == pytest.approx(3.0, rel=1e-12)
    assert row_is_zero(off, [torch.tensor([0.0, 1.0])], 1)
    assert not row_is_zero(off, [torch.tensor([0.0, 1.0])], 0)


def test_equal_decision_rows_with_a_gap_limit_nothing():
    net = rc.Network([[[1.0], [-1.0]], [[1.0, 1.0], [1.0, 1.0]]], [[1.0, 1.0], [1.0, 0.0]])
    c = rc.certify(net, [0.0])
    assert c.parts["decision_distance"] == math.inf
    assert c.radius == pytest.approx(1.0)


def test_a_constant_classifier_is_certified_everywhere():
    net = rc.Network([np.zeros((3, 2)), np.ones((2, 3))], [np.ones(3), [1.0, 0.0]])
    c = rc.certify(net, [4.0, 2.0])
    assert (c.radius, c.status, c.limit, c.nearest) == (math.inf, "ok", None, None)


@pytest.mark.parametrize("networks", quick_and_slow(12, 60))
@pytest.mark.parametrize("norm", NORMS)
def test_close_below_the_exact_formula_on_ordinary_networks(norm, networks):
    rng = np.random.default_rng(3)
    worst = 0.0
    for _ in range(networks):
        net = random_network(rng)
        points = random_points(rng, net, 5)
        for point, c in zip(points, rc.certify(net, points, norm=norm)):
            if c.status == "ok" and math.isfinite(c.radius):
                assert simplex_holds(net, point, c.radius, c.label, norm)
                worst = max(worst, 1 - c.radius / simplex_value(net, point, c.label, norm))
    assert worst < 1e-9, f"lost {worst:.2e} of the radius to rounding"


@pytest.mark.parametrize("seed", rest_slow(range(4), 1))
def test_no_radius_above_the_exact_value(seed):
    tried, positive, violations = hunt(900, seed)
    assert tried >= 900
    assert positive > 300
    assert not violations, "\n".join(violations)


def test_a_batch_equals_its_points_and_keeps_their_order():
    rng = np.random.default_rng(8)
    net = random_network(rng)
    points = random_points(rng, net, 9)
    batch = rc.certify(net, points)
    assert len(batch) == 9
    assert batch.radius.dtype == np.float64
    for point, c in zip(points, batch):
        alone = rc.certify(net, point)
        assert alone.radius == pytest.approx(c.radius, rel=1e-9)
        assert (alone.status, alone.prediction, alone.guarantee) == (c.status, c.prediction, c.guarantee)
        if c.limit is not None:
            assert str(alone.limit) == str(c.limit)
    assert len(rc.certify(net, np.zeros((0, net.inputs)))) == 0


def test_the_nearest_point_lies_at_the_radius_and_on_the_limiting_face():
    rng = np.random.default_rng(9)
    for norm in NORMS:
        for _ in range(20):
            net = random_network(rng)
            point = random_points(rng, net, 1)[0]
            c = rc.certify(net, point, norm=norm)
            if c.nearest is None:
                continue
            assert np.linalg.norm(c.nearest - point, ord=norm) == pytest.approx(c.radius, rel=1e-9)
            values = net.pre_activations(torch.from_numpy(c.nearest[None]))
            if c.limit.kind == "face":
                assert float(values[c.limit.layer - 1][0, c.limit.neuron]) == pytest.approx(0, abs=1e-8)
            else:
                logits = values[-1][0]
                assert float(logits[c.limit.rival] - logits[c.label]) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_network_warns_or_gives_nan(kind):
    rng = np.random.default_rng(12)
    for _ in range(5):
        net = random_network(rng, kind)
        for norm in NORMS:
            radii = rc.certify(net, random_points(rng, net, 4, kind), norm=norm).radius
            assert (radii >= 0).all()


def test_overflow_gives_zero_and_says_so():
    net = rc.Network([np.full((2, 2), 1e300), np.full((2, 2), 1e300)], [np.zeros(2), [1.0, 0.0]])
    c = rc.certify(net, [1e10, 1e10])
    assert (c.radius, c.status) == (0.0, "overflow")


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_overflow_on_their_way_back_never_raise_a_radius(seed):
    """Weights to 1e200, points to 1e-280: carried back, rows leave the range of float64 though the values need not."""
    rng, certified = np.random.default_rng([77, seed]), 0
    for _ in range(60):
        shapes = [(6, 3), (6, 6), (6, 6), (2, 6)]
        weights = [rng.normal(size=shape) * 10.0 ** float(rng.integers(-60, 200)) for shape in shapes]
        net = rc.Network(weights, [np.zeros(len(w)) for w in weights])
        point = rng.normal(size=3) * 10.0 ** -float(rng.integers(100, 280))
        norm = NORMS[int(rng.integers(3))]
        c = rc.certify(net, point, norm=norm)
        if c.radius > 0:
            certified += 1
            assert simplex_holds(net, point, c.radius, c.prediction, norm)
    assert certified >= 5


def test_unknown_methods_norms_and_options_get_a_sentence():
    net = line()
    with pytest.raises(rc.InvalidInput, match="the methods are simplex"):
        rc.certify(net, [0.0], method="magic")
    with pytest.raises(rc.Unsupported, match="use 1, 2 or inf"):
        rc.certify(net, [0.0], norm=3)
    with pytest.raises(rc.InvalidInput, match="no option 'max_seconds'"):
        rc.certify(net, [0.0], max_seconds=3)


@pytest.mark.parametrize("count", quick_and_slow(12, 60))
@pytest.mark.parametrize("name", ["mnist-gt5-1024", "mnist-1024-512", "mnist-20-20-20"])
def test_shipped_networks_lose_less_than_a_millionth_to_rounding(name, count):
    net = rc.load_model(name)
    images = rc.mnist_sample()[0][:count]
    for start in range(0, count, 6):
        part = images[start : start + 6]
        plain = torch.minimum(*rc.simplex_distances(net, torch.from_numpy(part))).numpy()
        ratio = rc.certify(net, part).radius / plain
        assert (ratio <= 1 + 1e-12).all()
        assert ratio.min() > 1 - 1e-6


@pytest.mark.parametrize("norm", NORMS)
def test_d_min_on_demand_is_that_of_a_batch(norm):
    net = rc.load_model("mnist-20-20-20")
    points = rc.mnist_sample()[0][:12]
    batch = rc.certify(net, points, norm=norm)
    for point, whole in zip(points, batch):
        alone = rc.certify(net, point, norm=norm)
        copy = pickle.loads(pickle.dumps(alone))
        assert set(alone.parts) == set(whole.parts) == {"face_distance", "decision_distance", "case"}
        assert alone.parts["case"] == whole.parts["case"]
        assert alone.parts["decision_distance"] == pytest.approx(whole.parts["decision_distance"], rel=1e-9)
        assert type(copy.parts) is dict
        assert copy.parts == alone.parts
        assert repr(alone.parts) == repr(dict(alone.parts))
