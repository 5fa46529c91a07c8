"""Bounds over balls and over caps, against sampling and against the minimum in closed form."""

import numpy as np
import pytest
import torch

from relucert_core.certificates.semidefinite.bounds import Balls, cap_minimum, cut_bounds
from relucert_core.certificates.semidefinite.substitution import Frame
from tests.certificates.semidefinite_problems import WIDTHS, network, values


def random_points(rng, count, inputs, radius):
    points = rng.standard_normal((count, inputs))
    lengths = radius * rng.random((count, 1)) ** (1 / inputs)
    return points / np.linalg.norm(points, axis=1, keepdims=True) * lengths


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_bounds_hold_in_the_ball_and_only_tighten_as_it_shrinks(widths):
    rng = np.random.default_rng(0)
    for _ in range(2):
        net = network(widths, rng)
        frame = Frame.around(net, torch.from_numpy(rng.standard_normal(widths[0])))
        balls = Balls(frame)
        wide = balls.at(1.0)
        near = balls.at(0.6)
        for bounded, radius in ((wide, 1.0), (near, 0.6)):
            assert bounded.bounds.identity.radius == radius
            assert bounded.bounds.identity.rival is None
            for d in random_points(rng, 60, widths[0], radius):
                z = values(net, frame.point + d)
                for a, low, high in zip(z, bounded.bounds.lower, bounded.bounds.upper, strict=False):
                    assert (low <= a + 1e-12).all()
                    assert (a <= high + 1e-12).all()
                assert (z[-1][frame.label] - z[-1] >= np.where(np.isinf(bounded.margins), -1e9, bounded.margins)).all()
        for inner, outer in zip(near.bounds.lower, wide.bounds.lower, strict=True):
            assert (inner >= outer).all()


def test_the_minimum_over_a_cap_is_proved_and_close():
    rng = np.random.default_rng(1)
    for _ in range(40):
        inputs = int(rng.integers(2, 6))
        rows, plane = rng.standard_normal((5, inputs)), rng.standard_normal(inputs)
        constants = rng.standard_normal(5)
        level = float(rng.uniform(0, 0.9) * np.linalg.norm(plane))
        found = cap_minimum(rows, constants, 1.0, (plane, level))
        points = random_points(rng, 4000, inputs, 1.0)
        points[:2000] /= np.linalg.norm(points[:2000], axis=1, keepdims=True)
        inside = points[points @ plane + level <= 0]
        if not len(inside):
            continue
        sampled = (inside @ rows.T + constants).min(0)
        assert (found <= sampled).all()
        assert (found >= cap_minimum(rows, constants, 1.0, None) - 1e-12).all()
    along = cap_minimum(-plane[None], np.zeros(1), 1.0, (plane, level))
    assert along[0] == pytest.approx(level, rel=1e-9)
    assert cap_minimum(plane[None], np.zeros(1), 1.0, None)[0] == pytest.approx(-np.linalg.norm(plane))


def test_infinite_and_missing_numbers_prove_nothing():
    rows = np.array([[np.nan, 0.0], [1e300, 1e300], [1.0, 0.0]])
    found = cap_minimum(rows, np.array([0.0, 0.0, np.nan]), 1e100, (np.array([1.0, np.inf]), 1.0))
    assert (found == -np.inf).all()


@pytest.mark.parametrize("widths", [*WIDTHS[:3], pytest.param(WIDTHS[3], marks=pytest.mark.slow)], ids=str)
def test_bounds_of_a_cut_ball_hold_where_the_rival_is_ahead(widths):
    rng, met, tighter = np.random.default_rng(2), 0, 0
    for _ in range(16):
        net = network(widths, rng)
        frame = Frame.around(net, torch.from_numpy(rng.standard_normal(widths[0])))
        radius = 0.8
        whole = Balls(frame).at(radius).bounds
        for rival in {0, 1, 2} - {frame.label}:
            cut = cut_bounds(frame, whole, rival, radius)
            ahead = 0
            for d in random_points(rng, 150, widths[0], radius):
                z = values(net, frame.point + d)
                if z[-1][rival] < z[-1][frame.label]:
                    continue
                ahead += 1
                assert cut is not None
                for a, low, high in zip(z, cut.lower, cut.upper, strict=False):
                    assert (low <= a + 1e-12).all()
                    assert (a <= high + 1e-12).all()
            met += ahead
            if cut is not None and cut is not whole:
                assert cut.identity.rival == rival
                assert 0 < cut.slack < frame.gaps[rival]
                tighter += any((a > b).any() for a, b in zip(cut.lower, whole.lower, strict=True))
    assert met > 10
    assert tighter or len(widths) > 3  # deep random networks leave CROWN no half-space
