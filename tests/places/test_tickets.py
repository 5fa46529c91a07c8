"""Fairness without a process: who is next, how long each may take, what somebody who waits is told."""

from __future__ import annotations

import math

import pytest

from relucert_core.errors import InvalidInput
from relucert_core.places.settings import JOB_MEMORY, JOB_SECONDS, SETTINGS, WORKERS, cores, workers
from relucert_core.places.tickets import (
    AGING,
    LEAST,
    RUNNING,
    TURN,
    Job,
    Lengths,
    Ticket,
    allowed_seconds,
    in_order,
    next_ticket,
    outlook,
)


def ticket(number, visitor="a", *, asked=0.0, seconds=60.0, kind="k", memory=0.0, lane="page"):
    return Ticket(number, visitor, Job(print, (), {}, seconds, kind, memory, lane), asked, asked)


def running(made, begun=0.0):
    made.state, made.begun = RUNNING, begun
    return made


@pytest.fixture
def lengths():
    known = Lengths()
    known.learn(ticket(0, kind="short").job, 0.1)
    known.learn(ticket(0, kind="long").job, 30.0)
    return known


def test_short_jobs_come_first_but_nobody_waits_for_ever(lengths):
    long, short = ticket(1, kind="long"), ticket(2, asked=1.0, kind="short")
    assert in_order([long, short], lengths) == [short, long]
    late = ticket(3, asked=AGING * 30.0 + 1.0, kind="short")
    assert in_order([late, long], lengths) == [long, late]


def test_lengths_are_learnt_and_never_above_what_is_allowed(lengths):
    assert lengths.of(ticket(0, kind="short").job) == pytest.approx(0.1)
    assert lengths.of(ticket(0, kind="long", seconds=5.0).job) == 5.0
    for _ in range(60):
        lengths.learn(ticket(0, kind="long").job, 1.0)
    assert lengths.of(ticket(0, kind="long").job) == pytest.approx(1.0, rel=1e-3)
    for i in range(2000):
        lengths.learn(ticket(0, kind=str(i)).job, 1.0)
    assert len(lengths._average) <= 500


def test_a_job_waits_while_its_memory_has_no_room(lengths):
    large, small = ticket(1, kind="short", memory=80.0), ticket(2, kind="long", memory=10.0)
    now = [running(ticket(0, memory=50.0))]
    assert next_ticket([large, small], now, lengths, 100.0) is small
    assert next_ticket([large], now, lengths, 100.0) is None
    assert next_ticket([large], [], lengths, 10.0) is large, "alone it may always try"
    assert next_ticket([], [], lengths, 100.0) is None


def test_time_is_shared_only_while_somebody_waits():
    now = [running(ticket(i, f"v{i}")) for i in range(2)]
    queue = [ticket(i, f"v{i}") for i in range(2, 20)]
    assert allowed_seconds(now[0], [], now, 2) == 60.0
    assert allowed_seconds(now[0], queue, now, 2) == pytest.approx(TURN * 2 / 20)
    assert allowed_seconds(ticket(1, seconds=1.0), queue, now, 2) == LEAST
    assert allowed_seconds(ticket(1, seconds=0.1), queue, now, 2) == 0.1, "never more than was asked for"
    own = [ticket(5, "v0", lane="beside")]
    assert allowed_seconds(now[0], own, now, 2) == 60.0, "one's own second job is no other visitor"


def test_who_waits_is_told_the_place_and_the_time(lengths):
    now = [running(ticket(0, "v", kind="long"), begun=90.0)]
    queue = [ticket(1, kind="short"), ticket(2, kind="long")]
    assert outlook(now[0], queue, now, lengths, 1, 100.0).place == 0
    first, second = (outlook(one, queue, now, lengths, 1, 100.0) for one in queue)
    assert (first.place, second.place) == (1, 2)
    assert first.seconds == pytest.approx(20.0)
    assert second.seconds == pytest.approx(20.1)


def test_settings_have_names_ranges_and_defaults():
    assert WORKERS.read({}) == math.inf
    assert JOB_SECONDS.read({}) == 20.0
    assert JOB_SECONDS.read({"RELUCERT_JOB_SECONDS": " 5 "}) == 5.0
    assert JOB_MEMORY.read({"RELUCERT_JOB_MEMORY": "512"}) == 512
    for setting in SETTINGS:
        assert setting.least <= setting.public <= setting.most
        for text in ("nan", "x", "-1", "1e12"):
            with pytest.raises(InvalidInput, match=setting.name):
                setting.read({setting.name: text})


def test_workers_are_as_many_as_cores_or_as_the_setting_says(monkeypatch):
    monkeypatch.delenv("RELUCERT_WORKERS", raising=False)
    assert workers() == cores() >= 1
    monkeypatch.setenv("RELUCERT_WORKERS", "3")
    assert workers() == 3
