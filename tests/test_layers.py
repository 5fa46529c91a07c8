"""Layers that are sparse or carry outputs on: the whole engine on them, against fractions and against dense twins."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array, random_array
from torch import nn

import relucert_core as rc
from relucert_core.forward import proven_forward, quick_forward, rational_logits
from relucert_core.layers.sparse_spectral import sparse_spectral_above
from relucert_core.registry import supports
from tests.helpers import quick_and_slow
from tests.hunt_layers import hunt
from tests.oracles_layers import chain_twin, exact_pass, in_full, mixed_network, simplex_holds

NORMS = (1, 2, math.inf)
BOUNDS = ("interval", "fast-lin", "crown-ada", "fast-lip", "lipschitz", "simplex")


def cases(count, seed=0, **options):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        net = mixed_network(rng, **options)
        yield net, rng.normal(size=net.inputs), rng


def test_a_network_evaluates_as_its_layers_say():
    for net, x, _ in cases(40):
        values, _ = exact_pass(net, x)
        np.testing.assert_allclose(net(x), [float(v) for v in values[-1]], rtol=1e-12, atol=1e-12)
        assert rational_logits(net, torch.from_numpy(x)) == values[-1]
        assert net.widths == tuple(int(layer.rectified.sum()) for layer in net.layers[:-1])


def test_forward_error_bounds_hold():
    for net, x, _ in cases(30, wholes=False):
        values, _ = exact_pass(net, x)
        for forward in (proven_forward, quick_forward):
            found = forward(net, torch.from_numpy(x)[None])
            for z, error, exact in zip(found.values, found.errors, values):
                for a, e, b in zip(np.asarray(z)[0], np.asarray(error)[0], exact):
                    assert abs(float(b) - a) <= e * (1 + 1e-12)


def test_algorithm_1_agrees_with_fractions():
    for net, x, _ in cases(30):
        region = rc.activation_region(net, x)
        values, gradients = exact_pass(net, x)
        kept = [np.flatnonzero(layer.rectified) for layer in net.layers[:-1]]
        rows = [np.array(g, dtype=float)[k] for g, k in zip(gradients, kept)]
        signs = [np.where(np.array(z, dtype=float)[k] > 0, 1.0, -1.0) for z, k in zip(values, kept)]
        np.testing.assert_allclose(region.P, np.concatenate([s[:, None] * r for s, r in zip(signs, rows)]), atol=1e-12)
        np.testing.assert_allclose(region.C, np.array(gradients[-1], dtype=float), atol=1e-12)
        np.testing.assert_allclose(region.C @ x + region.d, net(x), atol=1e-11)
        assert (region.P @ x + region.q >= -1e-12).all()
        assert [len(p) for p in region.pattern] == list(net.widths)
        assert region.P.shape == (sum(net.widths), net.inputs)


@pytest.mark.parametrize("norm", NORMS)
def test_simplex_never_exceeds_theorem_3_and_is_close_to_it(norm):
    for net, x, rng in cases(25, seed=int(norm) if norm < 9 else 3):
        x = np.round(x, 1) if rng.random() < 0.3 else x
        cert = rc.certify(net, x, norm=norm)
        assert simplex_holds(net, x, cert.radius, cert.label, norm)
        if cert.status == "ok":
            loose = rc.simplex_distances(net, torch.from_numpy(x)[None], norm)
            assert cert.radius == pytest.approx(float(torch.minimum(*loose)[0]), rel=1e-8, abs=1e-12)
            assert not simplex_holds(net, x, cert.radius * (1 + 1e-6), cert.label, norm) or math.isinf(cert.radius)


def test_limits_name_the_faces_of_the_region():
    for net, x, _ in cases(40, seed=5):
        cert, region = rc.certify(net, x), rc.activation_region(net, x)
        if cert.limit is not None and cert.limit.kind == "face":
            row = next(i for i in range(len(region.P)) if region.place(i) == (cert.limit.layer, cert.limit.neuron))
            distance = (region.P[row] @ x + region.q[row]) / np.linalg.norm(region.P[row])
            assert distance == pytest.approx(cert.radius, rel=1e-8)


@pytest.mark.parametrize("count", quick_and_slow(2, 8))
@pytest.mark.parametrize("method", [*BOUNDS, "clever"])
def test_sparse_and_dense_give_the_same(method, count):
    for net, x, _ in cases(count, seed=7):
        for norm in NORMS:
            if norm not in rc.CERTIFICATES[method].norms:
                continue
            ours, full = (
                rc.certify(net, x, method=method, norm=norm),
                rc.certify(in_full(net), x, method=method, norm=norm),
            )
            if method == "lipschitz" and norm == 2:  # the spectral norms are bounded in different ways
                assert ours.radius <= full.radius * (1 + 1e-9)
            else:
                searched = 1e-9 if method in ("simplex", "lipschitz") else 1e-3
                assert ours.radius == pytest.approx(full.radius, rel=searched, abs=1e-12)


@pytest.mark.parametrize("count", quick_and_slow(3, 8))
@pytest.mark.parametrize("method", ["interval", "fast-lin", "crown-ada", "fast-lip", "simplex"])
def test_a_carried_output_is_a_neuron_that_is_always_on(method, count):
    """Lifted by 2^12, what is carried becomes a ReLU that never switches near the point: the bounds must agree."""
    for net, x, _ in cases(count, seed=11, sparse=False):
        twin = chain_twin(net, 4096.0)
        for norm in NORMS:
            ours, theirs = rc.certify(net, x, method=method, norm=norm), rc.certify(twin, x, method=method, norm=norm)
            if theirs.radius < 50:
                assert ours.radius == pytest.approx(theirs.radius, rel=3e-3, abs=1e-9)


@pytest.mark.parametrize("count", quick_and_slow(1, 4))
@pytest.mark.parametrize("norm", NORMS)
def test_the_law_lower_bounds_attacks_and_regions(norm, count):
    for net, x, rng in cases(count, seed=13, inputs=2):
        starts = x + 5 * rng.normal(size=(40, 2))
        attack = rc.attack(net, x, method="best", norm=norm, starts=starts)
        inside = rc.region_distance(net, x, norm=norm)
        upper = min(attack.distance, inside.distance)
        for name, entry in rc.CERTIFICATES.items():
            if norm not in entry.norms or not entry.any_layers or name == "clever":
                continue
            if entry.max_depth is not None and net.depth > entry.max_depth:
                continue
            budget = {"max_regions": 200, "max_seconds": 0.5} if "max_regions" in entry.options else {}
            assert rc.certify(net, x, method=name, norm=norm, **budget).radius <= upper, name


@pytest.mark.parametrize("count", quick_and_slow(3, 8))
@pytest.mark.parametrize(("method", "norm"), [("exact", 2), *(("neighbours", norm) for norm in NORMS)])
def test_the_exact_radius_is_that_of_the_lifted_chain(method, norm, count):
    """The chain of `chain_twin` is another network with the same function near the point: the same true distance."""
    found = 0
    for net, x, _ in cases(count, seed=37 + len(method), sparse=False):
        ours = rc.certify(net, x, method=method, norm=norm, max_seconds=None, max_regions=800)
        theirs = rc.certify(chain_twin(net, 4096.0), x, method=method, norm=norm, max_seconds=None, max_regions=800)
        if ours.guarantee == theirs.guarantee == "exact" and theirs.radius < 50:
            assert ours.radius == pytest.approx(theirs.radius, rel=1e-5, abs=1e-9)
            found += 1
        elif theirs.upper < 50:
            assert ours.radius <= theirs.upper
            assert theirs.radius <= ours.upper
    assert found >= 1


@pytest.mark.parametrize("count", quick_and_slow(2, 8))
@pytest.mark.parametrize("method", ["exact", "quadratic", "semidefinite", "neighbours"])
def test_no_point_of_another_class_lies_within_the_radius(method, count):
    """Dense sampling in the plane, with the logits in full: an oracle that knows nothing of bounds."""
    angle = np.linspace(0, 2 * np.pi, 181)[:-1]
    circle, tight = np.stack([np.cos(angle), np.sin(angle)], axis=1), 0
    for net, x, _ in cases(count, seed=41, inputs=2):
        budget = {"max_seconds": None, "max_regions": 800} if method in ("exact", "neighbours") else {}
        cert = rc.certify(net, x, method=method, **budget)
        reach = min(cert.radius, 1e3) * (1 - 1e-9)
        points = x + reach * (np.linspace(0, 1, 60)[:, None, None] * circle).reshape(-1, 2)
        logits = net(points)
        rivals = np.delete(logits, cert.label, axis=1).max(1)
        assert (logits[:, cert.label] >= rivals - 1e-9 * (1 + np.abs(logits).max())).all()
        tight += np.isfinite(cert.upper) and cert.radius > 0.99 * cert.upper
    assert method == "quadratic" or tight >= min(count / 2, 2)


def test_a_wrong_step_past_a_carried_output_would_show():
    """One carried output decides alone: its negative values count, which a ReLU would have hidden."""
    layers = [
        rc.Layer(csr_array(np.array([[1.0, 0.0], [0.0, 1.0]])), np.array([-2.0, 0.0]), np.array([False, True])),
        rc.Layer(np.array([[-1.0, 0.0], [1.0, 0.0]]), np.zeros(2), None),
    ]
    net = rc.Network.of_layers(layers)
    for method in ("exact", "quadratic", "semidefinite", "neighbours", "crown-ada", "simplex"):
        cert = rc.certify(net, np.array([0.0, 1.0]), method=method)
        assert cert.label == 0
        assert cert.radius <= 2.0
        assert cert.radius == pytest.approx(1.0 if method == "simplex" else 2.0, rel=1e-2), method


def test_what_is_made_for_chains_says_so():
    net = next(cases(1, seed=17, inputs=2))[0]
    entry = dataclasses.replace(rc.CERTIFICATES["interval"], any_layers=False)
    assert "chains of dense layers" in supports(entry, net, 2.0)
    assert supports(rc.CERTIFICATES["interval"], net, 2.0) == ""
    with pytest.raises(rc.Unsupported, match=r"net\.layers"):
        _ = net.weights


def test_saved_and_loaded(tmp_path):
    for net, x, _ in cases(12, seed=19):
        rc.save_network(net, tmp_path / "n.safetensors")
        again = rc.load_network(tmp_path / "n.safetensors")
        assert again == net
        assert rc.read_network(tmp_path / "n.safetensors") == net
        np.testing.assert_array_equal(again(x), net(x))


def test_slices_keep_masks():
    rng = np.random.default_rng(23)
    net = mixed_network(rng, inputs=4)
    u, v = np.linalg.qr(rng.normal(size=(4, 2)))[0].T
    plane = rc.slice_network(net, np.ones(4), u, v)
    np.testing.assert_allclose(plane(np.array([0.3, -0.7])), net(np.ones(4) + 0.3 * u - 0.7 * v), atol=1e-12)


def test_the_spectral_norm_of_a_sparse_matrix_is_bounded_from_above():
    rng = np.random.default_rng(29)
    for scale in (1.0, 1e-170, 1e170):
        for density in (0.05, 0.3, 1.0):
            matrix = random_array((30, 20), density=density, rng=rng, format="csr") * scale
            largest = np.linalg.norm(matrix.toarray() / scale, 2) * scale
            bound = sparse_spectral_above(matrix)
            assert largest * (1 - 1e-12) <= bound <= 3 * largest


@pytest.mark.parametrize("times", quick_and_slow(1, 5))
@pytest.mark.parametrize(("kind", "cases"), [("simplex", 12), ("algorithm", 6), ("law", 3)])
def test_promises_on_every_kind_of_layer(kind, cases, times):
    tried, violations = hunt(kind, cases * times, seed=3)
    assert tried >= cases * times
    assert not violations


def test_a_tie_inside_a_pooling_window_is_named():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2))
    net = rc.read_network(module, input_shape=(1, 5, 5))
    flat = rc.certify(net, np.zeros(25))
    assert (flat.radius, flat.status) == (0.0, "tie inside a pooling window")
    assert rc.certify(net, np.zeros(25), method="crown-ada").radius > 0
    assert rc.certify(net, np.random.default_rng(0).random(25)).status == "ok"
