"""What a browser sends is read in one place, and never trusted; every component is mounted by one helper."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from pages.shared import component
from tests.pages.helpers import ROOT

ODD = ["x", None, True, 7, [1e9, 0], ["0", "0"], [True, False], [0.1], [None, 1], [math.nan, 0.0], [0.0, math.inf], {}]


@pytest.fixture
def browser(monkeypatch):
    """The session state, in which a test puts what the browser sends."""
    state: dict = {}
    monkeypatch.setattr("streamlit.session_state", state)
    return state


@pytest.mark.parametrize("value", [*ODD, [10.5, 0], [10**400, 0]])
def test_a_point_is_two_finite_numbers_in_reach(browser, value):
    browser["k"] = {"u": value}
    assert component.sent_point("k", "u") is None
    browser["k"] = value
    assert component.sent_point("k", "u") is None
    browser["k"] = {"u": [1, -2.5]}
    assert component.sent_point("k", "u") == (1.0, -2.5)
    assert component.sent_point("k", "u", reach=2.0) is None
    assert component.sent_numbers("k", "u", 4) is None


@pytest.mark.parametrize("value", [*ODD[:4], *ODD[5:], [], [1, 2, 3], [0.5] * 8, [1, 11]])
def test_a_stroke_is_pairs_of_numbers_no_more_than_asked_for(browser, value):
    browser["k"] = {"way": value}
    assert component.sent_points("k", "way", 3) is None
    browser["k"] = {"way": [1, 2, 3, -4.5]}
    assert component.sent_points("k", "way", 3) == [(1.0, 2.0), (3.0, -4.5)]
    assert component.sent_points("k", "way", 1) is None


@pytest.mark.parametrize("value", [*ODD, 4, -2, 10**400, 1.0])
def test_a_whole_number_is_one_in_its_range(browser, value):
    browser["k"] = {"n": value}
    assert component.sent_whole("k", "n", -1, 3) is None
    browser["k"] = {"n": 3}
    assert component.sent_whole("k", "n", -1, 3) == 3


def test_nothing_has_been_sent_yet(browser):
    assert component.sent("k", "u") is None
    assert component.sent_event("k", "u") is None


def test_one_place_mounts_and_one_place_reads():
    for path in (ROOT / "pages").rglob("*.py"):
        if path != Path(component.__file__):
            text = path.read_text(encoding="utf8")
            assert "components.v2" not in text, path
            assert not re.search(r"hasattr\(\w+, .get.\)", text), path
