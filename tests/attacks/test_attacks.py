"""The attacks against closed forms and exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.attacks.result import AttackBatch
from relucert_core.deadline import ends_at, now
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network
from tests.helpers import KINDS, NORMS, quick_and_slow, random_network, random_points
from tests.oracles import exact, exact_forward

ALL = tuple(rc.ATTACKS)
MINIMISED = [(name, norm) for name, entry in rc.ATTACKS.items() for norm in entry.minimises]


def linear_network(rng: np.random.Generator, inputs: int, classes: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A two-layer network that is C x + d far around 0, where all its neurons are on: distances have a formula."""
    first = rng.normal(size=(inputs + 2, inputs))
    lift = np.full(inputs + 2, 1e4)
    last = rng.normal(size=(classes, inputs + 2))
    bias = rng.normal(size=classes) - last @ lift
    return Network([first, last], [lift, bias]), last @ first, bias + last @ lift


def linear_distance(c: np.ndarray, d: np.ndarray, x: np.ndarray, norm: float) -> float:
    logits = c @ x + d
    k = int(logits.argmax())
    order = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}[norm]
    rivals = [j for j in range(len(d)) if j != k]
    return min((logits[k] - logits[j]) / np.linalg.norm(c[k] - c[j], order) for j in rivals)


def centred_network(rng: np.random.Generator) -> Network:
    """Six inputs, three classes of about equal size in the unit box."""
    weights = [rng.normal(size=shape) for shape in ((12, 6), (8, 12), (3, 8))]
    biases = [rng.normal(size=len(w)) for w in weights]
    middle = Network(weights, biases)(rng.random((500, 6))).mean(0)
    return Network(weights, [*biases[:2], biases[2] - middle])


def plateau() -> Network:
    """f = (1, relu(x_1 - 2)): flat where x_1 <= 2, class 1 where x_1 > 3."""
    return Network([[[1.0, 0.0]], [[0.0], [1.0]]], [[-2.0], [1.0, 0.0]])


@pytest.mark.parametrize(("method", "norm"), MINIMISED)
@pytest.mark.parametrize("inputs", [1, 3, 20])
def test_linear_network_is_solved_to_a_per_cent(method, norm, inputs):
    rng = np.random.default_rng(inputs)
    net, c, d = linear_network(rng, inputs, classes=2 if method in ("ifgsm", "ddn") else 4)
    points = rng.normal(size=(20, inputs))
    found = rc.attack(net, points, method, norm)
    true = np.array([linear_distance(c, d, x, norm) for x in points])
    reachable = true < 50
    assert reachable.sum() >= 5
    assert found.success[reachable].all()
    ratios = found.distance[reachable] / true[reachable]
    assert ratios.min() > 1 - 1e-6, ratios.min()
    assert ratios.max() < 1.01, ratios.max()


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("norm", NORMS)
def test_single_neuron(method, norm):
    net = Network([[[3.0, -4.0]], [[0.0], [1.0]]], [[1.0], [2.0, 0.0]])
    x = np.array([2.0, 0.0])  # f = (2, relu(3 x_1 - 4 x_2 + 1)) = (2, 7): the boundary is 5 below
    found = rc.attack(net, x, method, norm)
    true = 5.0 / {1.0: 4.0, 2.0: 5.0, np.inf: 7.0}[norm]
    assert found.success
    assert found.prediction == 0
    assert found.label == 1
    assert found.distance >= true * (1 - 1e-12)
    best_possible = norm in rc.ATTACKS[method].minimises
    assert found.distance <= true * (1 + 1e-5 if best_possible else 2.0)


@pytest.mark.parametrize("networks", quick_and_slow(3, 20))
@pytest.mark.parametrize("kind", KINDS)
def test_claims_hold_in_exact_arithmetic(kind, networks):
    rng = np.random.default_rng(KINDS.index(kind))
    tried = proved = 0
    quick = {"ddn": {"steps": 20}, "best": {"steps": 20}}
    while proved < networks:
        tried, successes = tried + 1, 0
        net = random_network(rng, kind)
        points = random_points(rng, net, 3, kind)
        norm = NORMS[int(rng.integers(3))]
        starts = random_points(rng, net, 4, kind) if rng.random() < 0.5 else None
        labels = rng.integers(0, net.classes, 3) if rng.random() < 0.3 else None
        for method in ALL:
            options = quick.get(method, {})
            found = rc.attack(net, points, method, norm, label=labels, starts=starts, **options)
            for x, item in zip(points, found, strict=True):
                successes += item.success
                check_claim(net, x, item, norm)
        proved += successes > 0
        assert tried < 10 * networks, "most networks have something to find"


def check_claim(net, x, item, norm):
    if not item.success:
        assert item.distance == math.inf
        assert np.array_equal(item.point, x)
        return
    logits = exact_forward(net, item.point)[-1]
    assert max(value for j, value in enumerate(logits) if j != item.label) >= logits[item.label], (net, x, item)
    gaps = [abs(a - b) for a, b in zip(exact(item.point), exact(x), strict=True)]
    if math.isinf(item.distance):
        return
    claimed = Fraction(item.distance)
    if norm == 2:
        assert claimed**2 >= sum(gap**2 for gap in gaps)
    else:
        assert claimed >= (max(gaps) if norm == math.inf else sum(gaps))


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("norm", NORMS)
def test_box_holds_exactly(method, norm):
    rng = np.random.default_rng(5)
    net = centred_network(rng)
    points = rng.random((30, 6)).round(1)
    found = rc.attack(net, points, method, norm, bounds=(0, 1))
    free = rc.attack(net, points, method, norm)
    assert found.point.min() >= 0
    assert found.point.max() <= 1
    assert free.success.sum() >= found.success.sum() > 0


def test_box_is_used_to_its_corners():
    # f = (2.5, relu(x_1 + x_2 + x_3)) in the unit box: from 0 the class changes only near the corner (1, 1, 1).
    net = Network([np.ones((1, 3)), [[0.0], [1.0]]], [[0.0], [2.5, 0.0]])
    for method in ALL:
        found = rc.attack(net, np.full(3, 0.1), method, 2, bounds=(0, 1))
        assert found.success, method
        assert found.point.sum() >= 2.5
    outside = Network(net.weights, [[0.0], [3.5, 0.0]])
    assert not any(rc.attack(outside, np.full(3, 0.1), method, 2, bounds=(0, 1)).success for method in ALL)


def test_past_a_deadline_the_starts_count_where_nothing_was_found(monkeypatch):
    net, asked = plateau(), []
    starts = np.array([[1.0, 0.0], [9.0, 0.0], [5.0, 2.0]])
    real = rc.attacks.from_starts
    monkeypatch.setattr(rc.attacks, "from_starts", lambda problem: asked.append(problem) or real(problem))
    steep = Network([[[1.0, 0.0]], [[0.0], [1.0]]], [[0.0], [1.0, 0.0]])
    with ends_at(now() - 1.0):
        assert rc.attack(net, np.zeros(2), "deepfool", starts=starts).success
        assert len(asked) == 1
        assert rc.attack(steep, np.array([2.0, 0.0]), "deepfool", label=0, starts=starts).success
        assert len(asked) == 1
        assert rc.attack(steep, np.array([0.5, 0.0]), "deepfool", starts=starts).success
        assert len(asked) == 2, "its steps had no time"


@pytest.mark.parametrize("method", ALL)
def test_starts_rescue_flat_points(method):
    net, x = plateau(), np.zeros(2)
    assert not rc.attack(net, x, method).success
    starts = np.array([[1.0, 0.0], [9.0, 0.0], [5.0, 2.0]])
    found = rc.attack(net, x, method, starts=starts)
    assert found.success
    assert found.prediction == 1
    assert 3 <= found.distance <= (3.0 + 1e-5 if method in ("ddn", "best") else np.hypot(3, 1.2) + 1e-5)
    assert not rc.attack(net, x, method, starts=starts[:1]).success  # no start of another class


@pytest.fixture(scope="module")
def near_witness():
    """A network, a digit, and an adversarial point nearer than most attacks find."""
    net, x = rc.load_model("mnist-40-40-40"), rc.mnist_sample()[0][103].astype(np.float64)
    return net, x, rc.certify(net, x, method="exact", max_seconds=None, max_regions=300).witness


@pytest.mark.parametrize("method", ALL)
def test_a_start_counts_where_it_is_nearer_than_what_the_search_found(method, near_witness):
    net, x, witness = near_witness
    alone = rc.attack(net, x, method)
    nearest = np.linalg.norm(witness - x)
    assert nearest < alone.distance or method == "best"
    assert rc.attack(net, x, method, starts=witness[None]).distance <= nearest * (1 + 1e-6)
    assert rc.attack(net, x, method, starts=x + 3 * (alone.point - x)[None]).distance <= alone.distance


def test_a_point_that_is_adversarial_itself_has_distance_zero():
    net, x = plateau(), np.array([4.0, 0.0])
    for method in ALL:
        wrong = rc.attack(net, x, method, label=0)
        assert (wrong.distance, wrong.success, wrong.prediction, wrong.label) == (0.0, True, 1, 0)
        tie = rc.attack(net, np.array([3.0, 7.0]), method)  # relu(3 - 2) = 1: an exact tie
        assert (tie.distance, tie.success) == (0.0, True)
        assert np.array_equal(tie.point, [3.0, 7.0])


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("norm", NORMS)
def test_dead_and_flat_networks_fail_politely(classes, norm):
    bias = -np.arange(classes, dtype=float)
    dead = Network([np.ones((4, 1)), np.ones((classes, 4))], [np.full(4, -1e6), bias])
    zero = Network([np.zeros((4, 1)), np.zeros((classes, 4))], [np.zeros(4), bias])
    for net in (dead, zero):
        for method in ALL:
            found = rc.attack(net, [[0.5], [-3.0]], method, norm, bounds=(-3, 3))
            assert not found.success.any()
            assert np.isinf(found.distance).all()
    constant_tie = rc.attack(Network([np.ones((4, 1)), np.ones((2, 4))], [np.zeros(4), np.zeros(2)]), [1.0])
    assert constant_tie.distance == 0


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e150, 1e300])
def test_extreme_weights_never_give_a_nan(size):
    rng = np.random.default_rng(3)
    net = Network([size * rng.normal(size=(5, 3)), size * rng.normal(size=(4, 5))], [np.zeros(5), np.zeros(4)])
    for method in ALL:
        for norm in NORMS:
            found = rc.attack(net, rng.normal(size=(6, 3)), method, norm)
            assert not np.isnan(found.distance).any()
            assert np.isfinite(found.point).all()
    if 1e-100 < size < 1e100:
        assert found.success.any()


def test_nearly_flat_logits_stop_deepfool():
    net = Network([np.full((1, 2), 1e-12), [[0.0], [1e-12]]], [[1.0], [1.0, 0.0]])
    found = rc.attack(net, [1.0, 1.0], "deepfool", 2, steps=3)
    assert found.success or found.distance == math.inf


@pytest.mark.parametrize("method", ALL)
def test_batch_equals_single(method):
    rng = np.random.default_rng(8)
    net = centred_network(rng)
    points, starts = rng.random((9, 6)), rng.random((5, 6))
    batch = rc.attack(net, points, method, starts=starts)
    assert isinstance(batch, AttackBatch)
    assert len(batch) == 9
    assert batch.success.any()
    for x, item in zip(points, batch, strict=True):
        single = rc.attack(net, x, method, starts=starts)
        assert single.success == item.success
        assert single.prediction == item.prediction
        assert single.distance == pytest.approx(item.distance, rel=1e-3)


def test_inputs_are_not_modified_and_types_may_differ():
    rng = np.random.default_rng(4)
    net = centred_network(rng)
    points, starts = rng.random((5, 6)), rng.random((3, 6))
    kept = points.copy(), starts.copy()
    for method in ALL:
        first = rc.attack(net, points, method, starts=starts)
        again = rc.attack(net, torch.from_numpy(points), method, "l2", starts=torch.from_numpy(starts))
        assert np.array_equal(first.point, again.point)
    assert np.array_equal(points, kept[0])
    assert np.array_equal(starts, kept[1])


def test_best_is_the_smallest_of_all():
    rng = np.random.default_rng(12)
    net = centred_network(rng)
    points = rng.random((25, 6))
    for norm in NORMS:
        others = [rc.attack(net, points, name, norm).distance for name in ALL if name != "best"]
        best = rc.attack(net, points, "best", norm).distance
        assert (best <= np.min(others, axis=0) * (1 + 1e-12)).all()
        assert np.isfinite(best).any()


@pytest.mark.parametrize("method", ALL)
def test_path_leads_from_the_point_to_the_answer(method):
    net = Network([[[3.0, -4.0], [1.0, 1.0]], [[0.0, 0.3], [1.0, 0.0]]], [[1.0, 0.0], [2.0, 0.0]])
    found = rc.attack(net, [[2.0, 0.0], [1.0, 0.5]], method, path=True)
    for x, item in zip([[2.0, 0.0], [1.0, 0.5]], found, strict=True):
        if item.distance > 0:
            assert len(item.path) >= 2
            assert np.array_equal(item.path[0], x)
            assert np.array_equal(item.path[-1], item.point)
    assert rc.attack(net, [2.0, 0.0], method).path == ()


def test_chunks_report_progress():
    net = plateau()
    seen: list[tuple[int, int]] = []
    found = rc.attack(net, np.full((300, 2), 4.0), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (300, 300)
    assert len(seen) > 1
    assert len(found) == 300
    assert len(rc.attack(net, np.zeros((0, 2)))) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "nonsense"}, "no attack 'nonsense'"),
        ({"norm": 3}, "use 1, 2 or inf"),
        ({"method": "ddn", "overshoot": 0.1}, "no option 'overshoot'"),
    ],
)
def test_what_is_not_known_is_refused(options, words):
    with pytest.raises(Unsupported, match=words):
        rc.attack(plateau(), [0.0, 0.0], **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": (1, 2)}, "must lie in that box"),
        ({"bounds": (1, 0)}, "lowest < highest"),
        ({"bounds": 3}, "must be a pair"),
        ({"starts": [[5.0, 0.0]], "bounds": (-1, 1)}, "the starts must lie"),
        ({"starts": [[1.0, 2.0, 3.0]]}, "takes points of shape"),
        ({"label": 7}, "Labels run from 0 to 1"),
        ({"steps": -1}, "a whole number above 0"),
        ({"steps": 2.5}, "a whole number above 0"),
        ({"overshoot": "much"}, "a number above 0"),
    ],
)
def test_bad_arguments_are_named(options, words):
    with pytest.raises(InvalidInput, match=words):
        rc.attack(plateau(), [0.0, 0.0], **options)


def test_registry_tells_a_page_all_it_needs():
    for name, entry in rc.ATTACKS.items():
        assert entry.name == name
        assert set(entry.minimises) <= set(entry.norms) == set(NORMS)
        assert entry.sentence.endswith(".")
        assert entry.title
        assert entry.reference
