"""The certificate as a whole: below the exact distance, above the cheaper bounds, close to both on small networks."""

import itertools
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.semidefinite.bounds import Balls
from relucert_core.certificates.semidefinite.radius import improvements
from relucert_core.certificates.semidefinite.rivals import Rival, Task
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.deadline import counted_by
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.witness import proved_adversarial
from tests.certificates.semidefinite_problems import network

SHAPES = ((4, 6), (3, 8, 8), pytest.param((6, 5, 5, 4), marks=pytest.mark.slow))


@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_it_lies_between_the_cheaper_bounds_and_the_exact_distance(widths):
    rng, ratios = np.random.default_rng(sum(widths)), []
    for _ in range(3):
        net, point = network(widths, rng), rng.standard_normal(widths[0])
        with counted_by(time.thread_time):  # a busy machine takes nothing away
            found = rc.certify(net, point, method="semidefinite", max_seconds=2.0)
            exact = rc.certify(net, point, method="exact", max_seconds=3.0)
        cheaper = [rc.certify(net, point, method=m).radius for m in ("crown-ada", "quadratic", "simplex")]
        assert found.guarantee == ("exact" if found.upper <= found.radius * (1 + 1e-6) else "lower bound")
        assert found.radius <= exact.upper
        assert found.radius >= max(cheaper[:2])
        if found.witness is not None:
            where, label = torch.from_numpy(found.witness)[None], torch.tensor([found.label])
            assert bool(proved_adversarial(net, where, label, rational=True)[0])
            assert np.linalg.norm(found.witness - point) <= found.upper
            assert exact.radius <= found.upper
        if exact.upper < math.inf:
            ratios.append(found.radius / exact.upper)
    assert np.median(ratios) > 0.95


def test_ties_and_wrong_labels_give_zero_and_no_problem():
    rng = np.random.default_rng(0)
    net = network((3, 5, 5), rng)
    point = rng.standard_normal(3)
    found = rc.certify(net, point, method="semidefinite", label=(int(np.argmax(net(point))) + 1) % 3)
    assert (found.radius, found.status) == (0.0, "wrong prediction")
    assert found.parts["iterations"] == 0
    weights, biases = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
    weights[-1][1], biases[-1][1] = weights[-1][0], biases[-1][0]
    weights[-1][2], biases[-1][2] = 0.0, -1e3
    tied = rc.certify(rc.Network(weights, biases), point, method="semidefinite")
    assert (tied.radius, tied.status) == (0.0, "tie for the first place")
    assert list(improvements(rc.Network(weights, biases), torch.from_numpy(point), 0)) == []


def test_it_ends_far_away_where_nothing_is_adversarial():
    net = rc.Network([np.eye(2), np.array([[1.0, 1.0], [0.0, 0.0]])], [np.zeros(2), np.array([1.0, 0.0])])
    found = rc.certify(net, np.array([0.3, 0.4]), method="semidefinite", max_seconds=30.0)
    assert found.radius > 1e9
    assert found.upper == math.inf


def test_other_norms_are_refused_and_budgets_checked():
    net = network((3, 5), np.random.default_rng(0))
    with pytest.raises(Unsupported, match="norm"):
        rc.certify(net, np.zeros(3), method="semidefinite", norm=1)
    with pytest.raises(InvalidInput, match="max_seconds"):
        rc.certify(net, np.zeros(3), method="semidefinite", max_seconds=-1.0)


def test_both_sides_only_improve_and_the_budget_is_kept():
    rng = np.random.default_rng(5)
    net, point = network((12, 30, 30), rng), rng.standard_normal(12)
    began = time.thread_time()
    steps = list(
        improvements(net, torch.from_numpy(point), int(np.argmax(net(point))), max_seconds=2.0, clock=time.thread_time)
    )
    assert time.thread_time() - began < 2.0 * 1.1 + 0.1
    assert steps[-1].lower > 0
    for before, after in itertools.pairwise(steps):
        assert after.lower >= before.lower
        assert after.upper <= before.upper
        assert after.seconds >= before.seconds
    assert steps[-1].lower <= steps[-1].upper


@pytest.mark.parametrize(
    ("seed", "widths"), [(51, (3, 7, 7)), pytest.param(25, (4, 9, 9), marks=pytest.mark.slow, id="without: 0.81")]
)
def test_where_cuts_gain_no_more_branching_closes_the_gap(seed, widths, monkeypatch):
    rng = np.random.default_rng(seed)
    net, point = network(widths, rng), rng.standard_normal(widths[0])
    found = rc.certify(net, point, method="semidefinite", max_seconds=60.0)
    assert found.guarantee == "exact"
    truth = rc.certify(net, point, method="exact", max_seconds=60.0)
    assert found.radius <= truth.upper
    assert truth.radius <= found.upper
    monkeypatch.setattr(Rival, "_cuts_end", lambda rival: setattr(rival, "final", True))
    without = rc.certify(net, point, method="semidefinite", max_seconds=60.0)
    assert without.radius < found.radius * 0.999


def test_a_step_is_short_where_the_time_is(monkeypatch):
    """The bounds of each ball prove all of it, and take a second of a clock of their own."""
    rng, asked, clock = np.random.default_rng(6), [], [0.0]

    def at(balls, radius):
        asked.append(radius)
        clock[0] += 1.0
        return SimpleNamespace(bounds=None, margins=np.full(3, 1.0))

    monkeypatch.setattr(Balls, "at", at)
    net, point = network((12, 110, 110), rng), rng.standard_normal(12)
    sides = {"lower": 1.0, "upper": 2.0, "clock": lambda: clock[0]}
    for seconds, step in ((5.0, 0.2), (60.0, 0.45)):
        asked.clear()
        clock[0] = 0.0
        list(improvements(net, torch.from_numpy(point), int(np.argmax(net(point))), max_seconds=seconds, **sides))
        assert asked[:2] == pytest.approx([1.45, 1.45 + step * 0.55])


def test_a_limit_of_iterations_is_counted_once():
    """What a rival has used before is gone from what is left; taken off again, its later solves ended too soon."""
    rng = np.random.default_rng(25)
    net, point = network((4, 9, 9), rng), rng.standard_normal(4)
    frame = Frame.around(net, torch.from_numpy(point))
    bounds = Balls(frame).at(1.5).bounds
    values = []
    for left in (math.inf, 25.0):
        rival = Rival(Task(frame, bounds, 1.5, lambda: math.inf, lambda left=left: left, lambda _: None), 1)
        for _ in range(3):
            rival.raise_to(1.5**2)
        values.append(rival.value)
        assert rival.iterations > 45
    assert values[0] == values[1]
