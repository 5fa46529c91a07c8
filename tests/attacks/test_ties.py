"""A class that only ties counts as adversarial (SPEC, section 3.5): every method finds a flat piece at distance 1."""

import numpy as np
import pytest

import relucert_core as rc

# f = (0, -relu(1 - x)): class 0 leads by 1 - x for x < 1, and both are 0 from x = 1 on.
FLAT = rc.Network([[[-1.0, 0.0]], [[0.0], [-1.0]]], [[1.0], [0.0, 0.0]])
ORIGIN = np.zeros(2)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_searches_and_the_own_region_find_the_tie(norm):
    methods = ("exact", "neighbours") if norm == 2 else ("neighbours",)
    for method in methods:
        found = rc.certify(FLAT, ORIGIN, method, norm)
        assert found.guarantee == "exact"
        assert found.radius == pytest.approx(1.0, rel=1e-6)
        assert found.upper <= 1 + 2e-6
    inside = rc.region_distance(FLAT, ORIGIN, norm)
    assert inside.status == "found"
    assert 1 <= inside.distance <= 1 + 2e-6


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("method", ["deepfool", "best"])
def test_attacks_find_the_tie(method, norm):
    found = rc.attack(FLAT, ORIGIN, method, norm)
    assert found.success
    assert 1 <= found.distance <= 1 + 1e-6


@pytest.mark.parametrize("method", tuple(rc.ATTACKS))
def test_every_attack_finds_it_from_a_start_that_ties(method):
    found = rc.attack(FLAT, ORIGIN, method, starts=[[3.0, 0.0], [-1.0, 0.0]])
    assert found.success
    assert 1 <= found.distance <= 1 + 1e-6
    logits = FLAT(found.point)
    assert logits[1] >= logits[0]
