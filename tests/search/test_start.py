"""What a search starts from: floors of every cheaper certificate, a first witness, budgets that hold."""

import itertools
import time

import numpy as np
import pytest

import relucert_core as rc
from relucert_core import deadline
from relucert_core.certificates.over_balls import bisection

CHEAPER = (
    "simplex",
    "decision-boundary",
    "interval",
    "lipschitz",
    "fast-lip",
    "local-lipschitz",
    "fast-lin",
    "crown-ada",
)


def network(seed, widths, spread=0.1):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(widths))
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairs]
    return rc.Network(weights, [spread * rng.normal(size=b) for _, b in pairs])


SHALLOW = network(0, [20, 40, 4])
DEEP = network(1, [30, *[10] * 5, 4])


@pytest.mark.parametrize("net", [SHALLOW, DEEP], ids=["shallow", "deep"])
def test_no_cheaper_bound_is_above_the_searchs_floor(net):
    """`local-lipschitz` was above the search on 51 of 90 images of networks with one hidden layer."""
    for point in np.random.default_rng(0).uniform(size=(2, net.inputs)):
        found = rc.certify(net, point, "exact", max_regions=0, max_seconds=None)
        for name in CHEAPER:
            if 2.0 in rc.CERTIFICATES[name].norms and net.depth <= (rc.CERTIFICATES[name].max_depth or 99):
                assert rc.certify(net, point, name).radius <= found.radius


@pytest.mark.parametrize("method", ["exact", "neighbours"])
def test_an_upper_bound_exists_from_the_first_step(method):
    """It was infinite on 10 of 12 images of deep networks."""
    net = network(2, [30, *[20] * 18, 4])
    finite = 0
    for point in np.random.default_rng(1).uniform(size=(4, 30)):
        steps = rc.search(net, point, method=method)
        first = next(steps)
        steps.close()
        finite += np.isfinite(first.upper)
        if first.witness is not None:
            assert net(first.witness).argmax() != net(point).argmax()
            assert np.linalg.norm(first.witness - point) <= first.upper
    assert finite >= 3


@pytest.mark.parametrize("name", ["crown-ada", "fast-lin"])
def test_a_batch_gives_what_each_point_alone_gives(name):
    """With 20 layers the radii of a batch were 0.90 to 1.06 of those of the same points alone."""
    net = network(3, [30, *[12] * 11, 4], spread=0.3)
    points = np.random.default_rng(3).uniform(size=(2, 30))
    batch = rc.certify(net, points, name).radius
    alone = np.array([rc.certify(net, point, name).radius for point in points])
    assert (alone > 0).any()
    np.testing.assert_allclose(batch, alone, rtol=1e-3)
    np.testing.assert_allclose(rc.certify(net, points[::-1], name).radius[::-1], batch, rtol=1e-3)


def test_a_deadline_ends_a_bisection_with_what_it_has_proved():
    """A counted clock: every look at it is one second."""
    whole = rc.certify(DEEP, np.full(30, 0.5), "crown-ada")
    ticks = itertools.count()
    with deadline.counted_by(lambda: float(next(ticks))), deadline.ends_at(25.0):
        cut = rc.certify(DEEP, np.full(30, 0.5), "crown-ada")
    assert 0 < cut.radius <= whole.radius * (1 + bisection.TOLERANCE)
    assert 0 < cut.parts["trials"] < whole.parts["trials"]


def test_a_deadline_that_ends_the_first_trial_is_no_overflow():
    with deadline.ends_at(0.0):
        cut = rc.certify(DEEP, np.full(30, 0.5), "crown-ada")
    assert cut.radius == 0
    assert cut.status == "time is up"


def test_a_deadline_after_trials_that_failed_is_no_overflow_either():
    found = set()
    for end in range(1, 30):
        ticks = itertools.count()
        with deadline.counted_by(lambda ticks=ticks: float(next(ticks))), deadline.ends_at(float(end)):
            cut = rc.certify(DEEP, np.full(30, 0.5), "crown-ada")
        found.add((cut.radius > 0, cut.status))
    assert found == {(False, "time is up"), (True, "ok")}


@pytest.mark.parametrize("method", ["deepfool", "ifgsm", "ddn", "best"])
def test_a_deadline_ends_an_attack(method):
    point = np.full(30, 0.5)
    with deadline.ends_at(0.0):
        assert rc.attack(DEEP, point, method).distance >= rc.attack(DEEP, point, "best").distance


@pytest.mark.parametrize("method", ["exact", "neighbours"])
def test_budgets_hold_on_a_convolution(method):
    """Its Gram matrix of 4,608 rows, a trial of CROWN-Ada at a large radius, the walk's hyperplanes took too long."""
    net, points = rc.load_model("mnist-conv"), rc.mnist_sample()[0]
    rc.certify(net, points[100], method, max_seconds=0.01)
    for budget, image in ((0.2, 101), (1.0, 106)):
        begun = time.thread_time()
        with deadline.counted_by(time.thread_time):
            rc.certify(net, points[image], method, max_seconds=budget)
        assert time.thread_time() - begun <= 1.1 * budget + 0.1


@pytest.mark.parametrize("method", ["exact", "neighbours"])
@pytest.mark.parametrize("widths", [[30, *[20] * 18, 4], [200, 300, 200, 10], [784, 20, 20, 20, 10]])
def test_budgets_hold(method, widths):
    """10 % plus 0.1 s of the thread's own time, once a first call has prepared the network."""
    net = network(4, widths)
    point = np.random.default_rng(4).uniform(size=net.inputs)
    rc.certify(net, point, method, max_seconds=0.01)
    for budget in (0.2, 0.6):
        begun, clock = time.thread_time(), time.perf_counter()
        found = rc.certify(net, point, method, max_seconds=budget)
        used = time.thread_time() - begun
        assert used <= 1.1 * budget + 0.1, f"{used:.2f} s of {time.perf_counter() - clock:.2f} s"
        assert 0 <= found.radius <= found.upper
