"""How many nodes a ball will need: closed forms of a guess that decides only what is done first."""

import math

import pytest

from relucert_core.search.exact.forecast import Growth


def grown(*stages):
    growth = Growth()
    for radius, nodes in stages:
        growth.record(radius, nodes)
    return growth


def test_exponential_growth_is_continued():
    growth = grown((0.5, 20), (0.6, 40))
    assert growth.nodes(0.8) == pytest.approx(160)
    assert growth.nodes(0.6) == 40
    assert growth.nodes(0.1) == 40


def test_the_last_two_stages_count():
    assert grown((0.1, 1), (0.5, 20), (0.6, 40)).nodes(0.7) == pytest.approx(80)


def test_nothing_is_foreseen_from_one_stage():
    assert grown().nodes(1.0) == grown((0.5, 20)).nodes(1.0) == 0


def test_odd_stages_do_no_harm():
    assert grown((0.5, 20), (0.5, 900)).nodes(1.0) == 0, "a radius that does not grow says nothing"
    assert grown((0.5, 20), (0.6, 10)).nodes(1.0) == 10, "nodes do not become fewer"
    assert grown((0.5, 0), (0.6, 0)).nodes(1.0) == 1
    assert grown((0.5, 1), (math.nextafter(0.5, 1), 10**6)).nodes(9.0) == math.inf
