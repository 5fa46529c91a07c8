"""CLEVER: an estimate, named so, seeded; its parts against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from relucert_core.certificates.clever import ENTRY, ball_points, run_clever, weibull_end_point
from relucert_core.deadline import ends_at, now
from relucert_core.distances import all_distances
from relucert_core.errors import InvalidInput
from relucert_core.network import Network
from tests.certificates.test_linear_bounds import small_network, steady_network
from tests.helpers import NORMS


def test_it_calls_itself_an_estimate():
    rng = np.random.default_rng(0)
    net, points = small_network(rng, 3, 6, 3), torch.tensor(rng.normal(size=(2, 3)))
    assert ENTRY.guarantee == "estimate"
    assert "estimate" in ENTRY.title
    assert all(c.guarantee == "estimate" for c in run_clever(net, points, norm=2.0, batches=3, samples=4))


@pytest.mark.parametrize("norm", NORMS)
def test_network_of_constant_slope_is_estimated_exactly(norm):
    rng = np.random.default_rng(1)
    net, points = steady_network(rng, 4), torch.tensor(rng.normal(size=(5, 4)))
    exact = all_distances(net, points, float(norm))[1].amin(-1).tolist()
    found = [c.radius for c in run_clever(net, points, norm=float(norm), batches=3, samples=4)]
    assert found == pytest.approx(exact, rel=1e-5)


def test_seed_decides_and_the_batch_does_not():
    rng = np.random.default_rng(2)
    net, points = small_network(rng, 3, 8, 6, 3), torch.tensor(rng.normal(size=(3, 3)))
    settings = {"norm": 2.0, "batches": 5, "samples": 8, "radius": 2.0}
    first = [c.radius for c in run_clever(net, points, **settings)]
    assert first == [c.radius for c in run_clever(net, points, **settings)]
    assert first[1] == pytest.approx(run_clever(net, points[1:2], **settings)[0].radius, rel=1e-9)
    assert first != [c.radius for c in run_clever(net, points, **settings, seed=1)]


def test_a_deadline_leaves_two_batches():
    rng = np.random.default_rng(2)
    net, points = small_network(rng, 3, 6, 3), torch.tensor(rng.normal(size=(2, 3)))
    two = run_clever(net, points, norm=2.0, batches=2, samples=4)
    with ends_at(now() - 1.0):
        late = run_clever(net, points, norm=2.0, batches=9, samples=4)
    assert [c.radius for c in late] == [c.radius for c in two]
    assert [c.radius for c in late] != [c.radius for c in run_clever(net, points, norm=2.0, batches=9, samples=4)]


def test_estimate_is_at_most_the_sampled_radius():
    rng = np.random.default_rng(3)
    net, points = small_network(rng, 3, 6, 3), torch.tensor(rng.normal(size=(4, 3)))
    for c in run_clever(net, points, norm=2.0, batches=3, samples=4, radius=1e-3):
        assert c.radius <= 1e-3
        assert c.parts["sampled_radius"] == 1e-3


@pytest.mark.parametrize("norm", NORMS)
def test_ball_points_fill_the_ball_evenly(norm):
    points = ball_points(20_000, 3, float(norm), torch.Generator().manual_seed(0)).numpy()
    sizes = np.linalg.norm(points, ord=norm, axis=1)
    assert sizes.max() <= 1 + 1e-12
    # In three dimensions the share of a ball within half its radius is 1/8, in every norm.
    assert (sizes < 0.5).mean() == pytest.approx(1 / 8, abs=0.01)
    assert np.abs(points.mean(0)).max() < 0.02


def test_weibull_end_point_is_recovered():
    generator = np.random.default_rng(4)
    samples = 5.0 - 2.0 * generator.weibull(2.5, size=(4, 4000))
    ends = weibull_end_point(torch.tensor(samples)).numpy()
    assert (ends >= samples.max(1)).all()
    np.testing.assert_allclose(ends, 5.0, rtol=0.05)


def test_ties_and_wrong_labels_give_zero():
    net = Network([[[1.0], [-1.0]], np.eye(2)], [np.zeros(2), np.zeros(2)])
    assert run_clever(net, torch.zeros(1, 1).double(), norm=2.0)[0].radius == 0
    assert (
        run_clever(net, torch.ones(1, 1).double(), norm=2.0, labels=torch.tensor([1]))[0].status == "wrong prediction"
    )


@pytest.mark.parametrize("options", [{"batches": 1}, {"samples": 0}, {"radius": 0.0}, {"radius": math.inf}])
def test_senseless_settings_are_refused(options):
    net = Network([np.eye(2), np.eye(2)], [np.zeros(2), np.zeros(2)])
    with pytest.raises(InvalidInput, match="CLEVER"):
        run_clever(net, torch.ones(1, 2).double(), norm=2.0, **options)
