"""The semidefinite certificate while a visitor watches: both sides move, a stop keeps them, nothing is done twice."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import streamlit as st

from pages.digits import live
from pages.shared.engine import job_seconds
from tests.pages.helpers import headline, open_page, texts

PAGE = "digits"
NETWORK = "mnist-40-40-40"


@pytest.fixture(autouse=True)
def patient(impatient, monkeypatch):
    monkeypatch.setattr(live, "SECONDS", 6.0)
    monkeypatch.setattr("relucert_core.jobs.records.shipped_records", lambda digest: {})  # none, so there is work left


def kept(at):
    return next(iter(at.session_state["digits_both_sides"].values()))


@pytest.mark.usefixtures("every_method")
def test_the_headline_is_the_best_that_was_proved():
    at = open_page(PAGE, digits_net=NETWORK, digits_image="0")
    found = kept(at)
    assert found.radius > 0.15
    assert "Proved by: Semidefinite" in texts(at)
    assert ("The true distance lies between" in texts(at)) != ("and no farther: exact" in headline(at))
    assert found.radius <= found.upper


def test_an_answer_is_kept_for_the_session(monkeypatch):
    at = open_page(PAGE, digits_net=NETWORK, digits_image="0")
    before = headline(at)
    monkeypatch.setattr(live, "work", lambda *_: pytest.fail("the work was done again"))
    at.run()
    assert not at.exception
    assert headline(at) == before or "exact" in headline(at)  # what came at the very end is told by the next run


@pytest.mark.usefixtures("every_method")
def test_the_next_step_is_never_weaker_than_what_was_known():
    at = open_page(PAGE, digits_net=NETWORK, digits_image="0")
    first = kept(at)
    assert first.method == live.METHOD
    assert first.label == first.prediction
    assert first.guarantee in ("lower bound", "exact")
    assert (first.guarantee == "exact") <= (first.witness is not None)


@pytest.mark.usefixtures("every_method")
def test_stop_ends_the_work_for_this_digit(monkeypatch):
    monkeypatch.setattr(live, "work", lambda *_: st.stop())  # it goes on while the page stands like this
    at = open_page(PAGE, digits_net=NETWORK, digits_image="0")
    button = at.button(key=live.STOP)
    monkeypatch.setattr(live, "work", lambda *_: pytest.fail("it went on"))
    button.click().run()
    assert not at.exception


@pytest.mark.parametrize("norm", ["Linf", "L1"])
def test_other_norms_have_no_such_work(monkeypatch, norm):
    monkeypatch.setattr(live, "work", lambda *_: pytest.fail("it is made for norm 2"))
    at = open_page(PAGE, digits_net="mnist-20-20-20", digits_image="0", digits_norm=norm)
    assert not at.exception


def test_no_time_is_no_work(monkeypatch):
    monkeypatch.setattr(live, "SECONDS", 0.0)
    monkeypatch.setattr(live, "work", lambda *_: pytest.fail("there was no time for it"))
    at = open_page(PAGE, digits_net=NETWORK, digits_image="0")
    assert not at.exception


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 20.0), ("5", 5.0), ("0", 0.0), ("nan", 20.0), ("inf", 20.0), ("-1", 20.0), ("a", 20.0)]
)
def test_the_time_a_page_takes_can_be_set(monkeypatch, text, seconds):
    monkeypatch.setenv("RELUCERT_JOB_SECONDS", text)
    assert job_seconds() == seconds


def test_a_witness_counts_only_where_it_is_nearer():
    from relucert_core.certificates.result import Certificate
    from relucert_core.search.ledger import SearchStep

    start = Certificate("semidefinite", 2.0, 0.1, "lower bound", "ok", 7, 7)
    step = SearchStep(lower=0.2, upper=0.3, regions=5, queue=0, seconds=1.0, status="searching", witness=None)
    found = live._certificate(start, step, math.inf)
    assert (found.radius, found.upper, found.witness, found.guarantee) == (0.2, math.inf, None, "lower bound")
    assert replace(found, radius=0.1).status == start.status


def test_who_has_waited_long_already_is_kept_for_a_shorter_time(monkeypatch):
    monkeypatch.setattr(live, "SECONDS", 20.0)
    assert [live.seconds_for(waited) for waited in (0.0, 12.0, 20.0, 30.0, 500.0)] == [20.0, 20.0, 20.0, 10.0, 5.0]
