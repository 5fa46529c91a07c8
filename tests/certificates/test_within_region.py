"""The nearest decision point inside the region, against dense sampling and the planar picture."""

import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core import polyhedron
from relucert_core.polyhedron import nearest_step
from tests.helpers import NORMS, random_network, random_points


@pytest.mark.parametrize("norm", NORMS)
def test_the_plain_program_over_all_rows_gives_the_same(norm):
    import cvxpy as cp

    rng = np.random.default_rng(0)
    found = 0
    for _ in range(8):
        rows, slacks, target = rng.normal(size=(120, 6)), rng.uniform(0.2, 3, 120), rng.normal(size=6)
        gap = float(rng.uniform(0.2, 1.0))
        ours = nearest_step(rows, slacks, target, gap, norm)
        step = cp.Variable(6)
        size = cp.norm(step, {1.0: 1, 2.0: 2}.get(norm, "inf"))
        problem = cp.Problem(cp.Minimize(size), [rows @ step + slacks >= 0, target @ step >= gap])
        problem.solve(solver=cp.CLARABEL)
        if problem.status == "infeasible":
            assert (ours.step, ours.status) == (None, "infeasible")
        else:
            found += 1
            assert np.linalg.norm(ours.step, ord=norm) == pytest.approx(problem.value, rel=1e-5)
    assert found >= 3


@pytest.mark.parametrize("norm", NORMS)
def test_the_witness_is_adversarial_at_its_distance_and_in_the_region(norm):
    rng = np.random.default_rng(1)
    found = none = 0
    for _ in range(25):
        net = random_network(rng, inputs=2)
        point = random_points(rng, net, 1)[0]
        inside = rc.region_distance(net, point, norm=norm)
        simplex = rc.certify(net, point, norm=norm)
        region = rc.activation_region(net, point)
        if inside.status != "found":
            none += 1
            assert (inside.distance, inside.witness) == (math.inf, None)
            continue
        found += 1
        logits = net(inside.witness)
        assert logits[inside.rival] >= logits[inside.label]
        assert np.linalg.norm(inside.witness - point, ord=norm) == pytest.approx(inside.distance, rel=1e-12)
        assert (region.P @ inside.witness + region.q >= -1e-6 * (1 + np.abs(region.q))).all()
        assert inside.distance >= simplex.radius
        if simplex.guarantee == "exact":
            assert inside.distance == pytest.approx(simplex.radius, rel=2e-6)
    assert found >= 5
    assert none >= 3


def test_no_sampled_point_of_the_region_is_nearer():
    rng = np.random.default_rng(2)
    beaten = 0
    for _ in range(10):
        net = random_network(rng, inputs=2)
        point = random_points(rng, net, 1)[0]
        inside, region = rc.region_distance(net, point), rc.activation_region(net, point)
        samples = point + rng.normal(size=(20_000, 2)) * rng.uniform(0, 3, (20_000, 1))
        member = (samples @ region.P.T + region.q >= 0).all(1)
        adversarial = net(samples).argmax(1) != inside.label
        near = np.linalg.norm(samples - point, axis=1) < inside.distance * (1 - 1e-6)
        assert not (member & adversarial & near).any()
        beaten += int((member & adversarial).any())
    assert beaten >= 1


def test_ties_and_batches():
    net = rc.Network([[[1.0]], [[1.0], [1.0]]], [[1.0], [0.0, 0.0]])
    assert rc.region_distance(net, [0.5]).distance == 0.0
    with pytest.raises(rc.InvalidInput, match="one point"):
        rc.region_distance(net, [[0.5]])


def test_a_failing_solver_is_said_and_gives_no_point(monkeypatch):
    monkeypatch.setattr(polyhedron, "_solve", lambda *_: (None, polyhedron.FAILED))
    net = rc.Network([[[1.0], [-1.0]], [[1.0, -1.0], [0.0, 0.0]]], [[2.0, -2.0], [-1.0, 0.0]])
    inside = rc.region_distance(net, [0.5])
    assert (inside.status, inside.witness, inside.distance) == ("none found: a solver failed", None, math.inf)


def test_a_lying_solver_gives_no_witness(monkeypatch):
    monkeypatch.setattr(polyhedron, "_solve", lambda *_: (np.zeros(1), polyhedron.FOUND))
    net = rc.Network([[[1.0], [-1.0]], [[1.0, -1.0], [0.0, 0.0]]], [[2.0, -2.0], [-1.0, 0.0]])
    assert rc.region_distance(net, [0.5]).witness is None


def test_progress_is_told_for_each_rival_and_a_digit_takes_seconds():
    calls = []
    net, images = rc.load_model("mnist-1024-512"), rc.mnist_sample()[0]
    inside = rc.region_distance(net, images[1], progress=lambda done, rivals: calls.append((done, rivals)))
    assert calls == [(i, 10) for i in range(1, 11)]
    assert inside.status == "found"
    assert net(inside.witness).argmax() == inside.rival
    assert rc.certify(net, images[1]).radius < inside.distance


@pytest.mark.parametrize("norm", NORMS)
def test_an_overflow_proves_no_distance(norm):
    """It was said to be at distance 0, with the point itself as a witness."""
    net = rc.Network([np.full((3, 2), 1e200), np.full((2, 3), 1e200)], [np.zeros(3), np.array([0.0, 1.0])])
    inside = rc.region_distance(net, [1.0, 1.0], norm)
    assert (inside.distance, inside.witness) == (math.inf, None)
    tie = rc.Network([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(2)])
    inside = rc.region_distance(tie, [1.0, 1.0], norm)
    assert inside.distance == 0
    assert np.array_equal(inside.witness, [1.0, 1.0])
