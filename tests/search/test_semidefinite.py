"""The semidefinite certificate from both sides: the interval holds the exact distance, the witness is proved."""

import contextlib
import itertools
import math
import time

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.result import Limit
from relucert_core.deadline import counted_by
from relucert_core.errors import InvalidInput
from relucert_core.search.semidefinite import NO_MORE, sharpened, two_sides
from tests.helpers import random_network
from tests.oracles import exact_forward
from tests.oracles_bruteforce import brute_force


def small_case(rng: np.random.Generator) -> tuple[rc.Network, np.ndarray, float, float]:
    """A random network of up to 6 neurons, a point, and bounds of its distance by brute force, both finite."""
    while True:
        net = random_network(rng)
        point = rng.normal(size=net.inputs)
        if sum(net.widths) <= 6:
            truth = brute_force(net, point, int(net(point).argmax()))
            if 0 < truth.high < math.inf:
                return net, point, truth.low, truth.high


def test_the_interval_holds_the_exact_distance_and_the_witness_is_adversarial():
    rng = np.random.default_rng(3)
    closed = 0
    for _ in range(3):
        net, point, low, high = small_case(rng)
        cert = rc.certify(net, point, method="semidefinite", max_seconds=None, max_iterations=60)
        assert cert.radius <= high
        assert low <= cert.upper
        logits = exact_forward(net, cert.witness)[-1]
        assert any(value >= logits[cert.label] for j, value in enumerate(logits) if j != cert.label)
        assert (cert.guarantee == "exact") == (cert.upper <= cert.radius * (1 + 1e-6) * (1 - 1e-15))
        assert cert.ratio == cert.radius / cert.upper
        closed += cert.guarantee == "exact"
        assert cert.limit == Limit.decision(max((v, j) for j, v in enumerate(logits) if j != cert.label)[1])
    assert closed >= 1


def test_a_digit_is_closed_below_a_good_attack_and_its_witness_is_a_start():
    net, (images, _) = rc.load_model("mnist-40-40-40"), rc.mnist_sample()
    point = images[102].astype(np.float64)
    attack = rc.attack(net, point, method="ddn")
    cert = rc.certify(net, point, method="semidefinite", max_seconds=None, max_iterations=100)
    assert cert.guarantee == "exact"
    assert cert.status == "exact"
    assert cert.radius > rc.certify(net, point, method="quadratic").radius
    assert cert.upper < attack.distance * (1 - 1e-4)
    assert rc.attack(net, point, method="best", starts=cert.witness[None]).distance <= cert.upper * (1 + 1e-6)


def test_steps_only_improve_and_the_last_one_says_why():
    rng = np.random.default_rng(5)
    net, point, low, high = small_case(rng)
    label = int(net(point).argmax())
    steps = list(two_sides(net, torch.from_numpy(point), label, max_iterations=60))
    for before, after in itertools.pairwise(steps):
        assert before.lower <= after.lower <= high
        assert low <= after.upper <= before.upper
        assert before.regions <= after.regions
        assert before.status == "searching"
    assert steps[-1].status != "searching"
    assert 0 < steps[-1].regions <= 60


@pytest.mark.parametrize("seconds", [0, 1e-3, 0.2])
def test_a_short_budget_leaves_a_valid_bound(seconds):
    net, point, _, high = small_case(np.random.default_rng(8))
    cert = rc.certify(net, point, method="semidefinite", max_seconds=seconds)
    assert 0 <= cert.radius <= high
    assert cert.status.startswith(("time is up", "exact", "nothing more"))


def test_no_problem_is_built_for_ties_and_wrong_labels():
    net = rc.Network([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(2)])
    tie = rc.certify(net, np.array([1.0, 1.0]), method="semidefinite")
    wrong = rc.certify(net, np.array([2.0, 1.0]), method="semidefinite", label=1)
    for cert in (tie, wrong):
        assert (cert.radius, cert.upper, cert.guarantee) == (0.0, 0.0, "lower bound")
        assert math.isnan(cert.ratio)
        assert cert.limit is None
        assert cert.parts["iterations"] == 0


def test_nothing_adversarial_is_an_infinite_or_a_very_large_radius():
    net = rc.Network([np.eye(2), np.array([[1.0, 1.0], [0.0, 0.0]])], [np.zeros(2), np.array([1.0, 0.0])])
    cert = rc.certify(net, np.array([0.3, 0.4]), method="semidefinite")
    assert cert.radius > 1e9
    assert cert.upper == math.inf
    assert cert.witness is None


@pytest.mark.parametrize(
    "budgets", [{"max_seconds": -1}, {"max_iterations": -1}, {"max_seconds": math.nan}, {"max_iterations": "3"}]
)
def test_a_budget_that_is_none_is_refused(budgets):
    net = rc.Network([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(2)])
    with pytest.raises(InvalidInput, match="must be a number"):
        rc.certify(net, np.array([2.0, 1.0]), method="semidefinite", **budgets)


def test_it_goes_on_from_bounds_that_are_known():
    net, point, low, high = small_case(np.random.default_rng(9))
    label, asked = int(net(point).argmax()), []

    def clock() -> float:
        asked.append(time.perf_counter())
        return asked[-1]

    with counted_by(clock):
        steps = list(sharpened(net, torch.from_numpy(point), label, lower=0.1 * low, upper=2 * high, max_seconds=20.0))
    assert 0.1 * low < steps[-1].lower <= high
    assert low <= steps[-1].upper <= 2 * high
    assert (steps[-1].witness is None) == (steps[-1].upper == 2 * high)
    assert len(asked) > steps[-1].regions > 0


@pytest.mark.parametrize("method", ["semidefinite", "exact"])
def test_a_budget_is_kept_on_a_wide_network(method):
    net, point = rc.load_model("mnist-1024-512"), rc.mnist_sample()[0][103]
    net(point)
    with counted_by(time.thread_time):
        began = time.thread_time()
        last = list(rc.search(net, point, method=method, max_seconds=1.5))[-1]
        taken = time.thread_time() - began
    assert taken <= 1.1 * 1.5 + 0.1 + 0.3  # and an iteration of the solver
    assert last.status not in ("searching", "exact", NO_MORE)
    assert 0 < last.lower <= last.upper


@pytest.mark.parametrize("after", [30, 60, 120])
def test_an_interruption_in_the_midst_leaves_what_was_proved(after):
    net, point, low, high = small_case(np.random.default_rng(10))
    asked = itertools.count()

    def clock() -> float:
        if next(asked) >= after:
            raise KeyboardInterrupt
        return time.perf_counter()

    steps = []
    with counted_by(clock), contextlib.suppress(KeyboardInterrupt):
        for step in two_sides(net, torch.from_numpy(point), int(net(point).argmax()), max_seconds=60.0):
            steps.append(step)
    assert steps[-1].lower <= high
    assert low <= steps[-1].upper
