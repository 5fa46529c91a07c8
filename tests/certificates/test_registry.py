"""Every line of the registries through the same questions: shapes, norms, batches, ties, labels, budgets and the law.

Nothing here names a method: what is asked follows from the entry's own norms, depths, guarantee and options, so that a
new line of `rc.CERTIFICATES` or `rc.ATTACKS` is asked it all without another test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.errors import RelucertError
from relucert_core.norms import NORMS
from tests.helpers import random_network, random_points
from tests.oracles import exact, exact_forward
from tests.oracles_bruteforce import brute_force

CASES = [(name, norm) for name, entry in rc.CERTIFICATES.items() for norm in entry.norms]
PROVED = [(name, norm) for name, norm in CASES if rc.CERTIFICATES[name].guarantee != "estimate"]
ATTACKS = [(name, norm) for name, entry in rc.ATTACKS.items() for norm in entry.norms]
KINDS = ("ordinary", "duplicates", "zeros", "integers", "cancelling")
REGIONS, MORE_REGIONS, SECONDS = 8, 15, 30  # few regions, and so much time that a busy machine changes nothing


def options_of(name: str, thorough: bool = False) -> dict[str, Any]:
    """Small budgets, where the entry takes any."""
    wanted = {"max_regions": MORE_REGIONS if thorough else REGIONS, "max_seconds": SECONDS, "batches": 2, "samples": 8}
    return {key: value for key, value in wanted.items() if key in rc.CERTIFICATES[name].options}


THOROUGH = [False, pytest.param(True, marks=pytest.mark.slow)]


def few_if_slow(name: str, count: int, thorough: bool) -> int:
    """How many networks: in the quick suite one for what takes as long as it is given; its own hunts have thousands."""
    return count if thorough or "max_seconds" not in rc.CERTIFICATES[name].options else 1


def few_neurons(name: str, thorough: bool = False) -> int:
    """How many neurons the networks have at most: fewer, in the quick suite, for what takes as long as it is given."""
    return 9 if thorough or "max_seconds" not in rc.CERTIFICATES[name].options else 5


def fitting_networks(name: str, count: int, seed: int = 0, neurons: int = 9) -> Iterator[tuple[rc.Network, np.ndarray]]:
    """Random networks of the depths that an entry takes, awkward ones among them, with three points each."""
    entry, rng = rc.CERTIFICATES[name], np.random.default_rng(seed)
    found = 0
    while found < count:
        kind = KINDS[found % len(KINDS)]
        net = random_network(rng, kind)
        if net.depth >= entry.min_depth and net.depth <= (entry.max_depth or net.depth) and sum(net.widths) <= neurons:
            found += 1
            yield net, random_points(rng, net, 3, kind)


def two_classes() -> rc.Network:
    """Two inputs, two neurons, two classes; the logits tie where x_1 = x_2."""
    return rc.Network([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[5.0, 5.0], [0.0, 0.0]])


def tied_or_beaten(net: rc.Network, point: np.ndarray, label: int) -> bool:
    """Is some f_j >= f_label at the point, exactly?"""
    logits = exact_forward(net, point)[-1]
    return any(value >= logits[label] for j, value in enumerate(logits) if j != label)


def no_nearer(distance: float, a: np.ndarray, b: np.ndarray, norm: float) -> bool:
    """Is `distance` at least the exact one of two points?"""
    steps = [abs(p - q) for p, q in zip(exact(a), exact(b), strict=True)]
    if norm == 2:
        return Fraction(distance) ** 2 >= sum(step * step for step in steps)
    return Fraction(distance) >= (max(steps) if norm == math.inf else sum(steps))


@pytest.mark.parametrize("name", list(rc.CERTIFICATES))
def test_an_entry_says_what_it_is(name):
    entry = rc.CERTIFICATES[name]
    assert entry.name == name
    assert entry.norms
    assert set(entry.norms) <= set(NORMS)
    assert entry.guarantee in ("lower bound", "exact", "estimate")
    assert entry.title
    assert entry.sentence.endswith(".")
    assert entry.reference
    assert all(entry.options.values())


@pytest.mark.parametrize(("name", "norm"), CASES)
def test_shapes_and_records(name, norm):
    net, points = next(fitting_networks(name, 1, neurons=few_neurons(name)))
    batch = rc.certify(net, points, method=name, norm=norm, **options_of(name))
    assert isinstance(batch, rc.CertificateBatch)
    assert batch.radius.shape == (3,)
    assert batch.radius.dtype == np.float64
    assert len(rc.certify(net, points[:0], method=name, norm=norm)) == 0
    for point, c in zip(points, batch, strict=True):
        assert (c.method, c.norm) == (name, norm)
        assert c.radius >= 0
        assert c.seconds >= 0
        assert c.prediction == c.label == int(net(point).argmax())
        assert c.guarantee in ("lower bound", rc.CERTIFICATES[name].guarantee)
        assert c.nearest is None or c.nearest.shape == point.shape
        assert (c.witness is None) == (c.upper == math.inf)


@pytest.mark.parametrize("thorough", THOROUGH)
@pytest.mark.parametrize(("name", "norm"), PROVED)
def test_one_point_and_a_batch_agree(name, norm, thorough):
    for net, points in fitting_networks(
        name, few_if_slow(name, 2, thorough), seed=1, neurons=few_neurons(name, thorough)
    ):
        batch = rc.certify(net, points, method=name, norm=norm, **options_of(name, thorough))
        for point, together in zip(points, batch, strict=True):
            alone = rc.certify(net, point, method=name, norm=norm, **options_of(name, thorough))
            if "max_regions" in options_of(name, thorough):  # the size of a batch of regions follows the clock
                assert alone.radius <= together.upper
                assert together.radius <= alone.upper
            else:
                assert alone.radius == pytest.approx(together.radius, rel=1e-2, abs=1e-300)


@pytest.mark.parametrize(("name", "norm"), PROVED)
def test_no_radius_where_the_label_does_not_win(name, norm):
    net = two_classes()
    if rc.CERTIFICATES[name].min_depth > net.depth:
        pytest.skip("made for deeper networks")
    tie, wrong = np.array([0.25, 0.25]), np.array([0.5, 0.25])
    assert rc.certify(net, tie, method=name, norm=norm).radius == 0
    found = rc.certify(net, np.stack([wrong, wrong]), method=name, norm=norm, label=[1, 0], **options_of(name))
    assert found.radius[0] == 0
    assert found.status[0] == "wrong prediction"
    assert found.prediction.tolist() == [0, 0]


@pytest.mark.parametrize("thorough", THOROUGH)
@pytest.mark.parametrize(("name", "norm"), PROVED)
def test_the_law_against_attacks_and_witnesses(name, norm, thorough):
    """Lower bound <= attack, point by point; a witness is adversarial and no nearer than its distance says."""
    for net, points in fitting_networks(
        name, few_if_slow(name, 5 if thorough else 3, thorough), seed=2, neurons=few_neurons(name, thorough)
    ):
        found = rc.certify(net, points, method=name, norm=norm, **options_of(name, thorough))
        broken = rc.attack(net, points, "deepfool", norm)
        assert (found.radius <= broken.distance).all(), (found.radius, broken.distance)
        for point, c in zip(points, found, strict=True):
            assert c.radius == 0 or not tied_or_beaten(net, point, c.label)
            assert c.radius <= c.upper
            if c.witness is not None:
                assert tied_or_beaten(net, c.witness, c.label)
                assert no_nearer(c.upper, c.witness, point, norm)
            if c.guarantee == "exact":
                assert c.upper <= c.radius * (1 + 1e-6)


@pytest.mark.parametrize("thorough", THOROUGH)
@pytest.mark.parametrize("name", [name for name, norm in PROVED if norm == 2])
def test_the_law_against_every_pattern(name, thorough):
    """In norm 2 the exact distance of a small network is known from a program for every activation pattern."""
    for net, points in fitting_networks(name, few_if_slow(name, 3, thorough), seed=3, neurons=6):
        for c, point in zip(rc.certify(net, points, method=name, **options_of(name, thorough)), points, strict=True):
            assert c.radius <= brute_force(net, point, c.label).high, net


@pytest.mark.parametrize("name", list(rc.CERTIFICATES))
def test_what_an_entry_is_not_made_for_is_refused_in_a_sentence(name):
    entry, net = rc.CERTIFICATES[name], next(fitting_networks(name, 1))[0]
    point = np.zeros(net.inputs)
    asked: list[tuple[rc.Network, Any, dict[str, Any]]] = [
        (net, point, {"no_such_option": 1}),
        (net, np.zeros(net.inputs + 1), {}),
        (net, point * math.nan, {}),
        (net, point, {"label": net.classes}),
        (net, point, {"norm": 3}),
        *((net, point, {"norm": norm}) for norm in NORMS if norm not in entry.norms),
    ]
    if entry.max_depth is not None:
        deep = [np.eye(2)] * (entry.max_depth + 1)
        asked.append((rc.Network(deep, [np.zeros(2)] * len(deep)), np.zeros(2), {}))
    for other, x, options in asked:
        with pytest.raises(RelucertError) as error:
            rc.certify(other, x, method=name, **{"norm": entry.norms[0], **options})
        assert str(error.value).endswith("."), options


@pytest.mark.parametrize("name", [n for n, entry in rc.CERTIFICATES.items() if "max_seconds" in entry.options])
def test_a_budget_that_runs_out_leaves_a_bound(name):
    for net, points in fitting_networks(name, 2, seed=4):
        for budget in ({"max_seconds": 0.0}, {"max_seconds": 0.0, "max_regions": 0}):
            known = {key: value for key, value in budget.items() if key in rc.CERTIFICATES[name].options}
            for point, c in zip(points, rc.certify(net, points, method=name, **known), strict=True):
                assert 0 <= c.radius <= rc.attack(net, point, "deepfool", c.norm).distance
                assert c.status


@pytest.mark.parametrize(("name", "norm"), ATTACKS)
def test_an_attack_proves_what_it_found(name, norm):
    rng = np.random.default_rng(5)
    for kind in KINDS:
        net = random_network(rng, kind)
        points = random_points(rng, net, 3, kind)
        found = rc.attack(net, points, name, norm)
        assert found.distance.shape == (3,)
        for point, a in zip(points, found, strict=True):
            assert (a.method, a.norm) == (name, norm)
            assert a.point.shape == point.shape
            if a.success:
                assert tied_or_beaten(net, a.point, a.label)
                assert no_nearer(a.distance, a.point, point, norm)
            else:
                assert a.distance == math.inf
                assert (a.point == point).all()


@pytest.mark.parametrize(("name", "norm"), ATTACKS)
def test_an_attack_on_a_tie_a_wrong_label_and_in_a_box(name, norm):
    net = two_classes()
    tie, inside = np.array([0.25, 0.25]), np.array([0.5, 0.25])
    for point, label in ((tie, 0), (inside, 1)):
        found = rc.attack(net, point, name, norm, label=label)
        assert found.success
        assert found.distance == 0
    boxed = rc.attack(net, inside, name, norm, bounds=(0, 1))
    assert boxed.success
    assert (boxed.point >= 0).all()
    assert (boxed.point <= 1).all()
    for wrong in ({"bounds": (1, 0)}, {"no_such_option": 1}, {"label": 2}, {"starts": np.zeros((1, 3))}):
        with pytest.raises(RelucertError):
            rc.attack(net, inside, name, norm, **wrong)


@pytest.mark.parametrize(("name", "norm"), ATTACKS)
def test_an_attack_on_a_batch_one_point_and_nothing_with_the_least_budget(name, norm):
    """One step is enough for a record; an attack that found nothing says so, and so does a batch of 0."""
    least = {key: 1 for key in ("steps", "rounds") if key in rc.ATTACKS[name].options}
    rng = np.random.default_rng(6)
    for kind in KINDS[:3]:
        net = random_network(rng, kind)
        points = random_points(rng, net, 2, kind)
        assert len(rc.attack(net, points[:0], name, norm)) == 0
        together = rc.attack(net, points, name, norm, **least)
        assert together.distance.shape == (2,)
        for point, one in zip(points, [rc.attack(net, point, name, norm, **least) for point in points], strict=True):
            assert one.point.shape == point.shape
            assert one.success == math.isfinite(one.distance)
            if one.success:
                assert tied_or_beaten(net, one.point, one.label)
                assert no_nearer(one.distance, one.point, point, norm)


@pytest.mark.parametrize("name", [name for name, norm in ATTACKS if norm == 2])
def test_no_attack_is_nearer_than_what_every_pattern_allows(name):
    for net, points in fitting_networks("simplex", 3, seed=7, neurons=6):
        for a, point in zip(rc.attack(net, points, name), points, strict=True):
            if not tied_or_beaten(net, point, a.label):
                assert a.distance >= brute_force(net, point, a.label).low, net
