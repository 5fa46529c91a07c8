"""Worker processes: what they import, answers and improvements, stops, deaths, and who is replaced."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import time

import numpy as np
import pytest

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.network import Network
from relucert_core.places.pool import LOST, JobLost, Pool
from relucert_core.places.tickets import ENDED, RUNNING, Job, Ticket
from tests.places import work

PATIENCE = 120.0


@pytest.fixture(scope="module")
def pool():
    made = Pool(2)
    yield made
    made.close()


def job(function, *args, seconds=20.0, **options):
    return Job(function, args, {}, seconds, function.__name__, **options)


def until(pool: Pool, condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def waited(pool: Pool, ticket: Ticket) -> Ticket:
    end = time.monotonic() + PATIENCE
    while ticket.state != ENDED:
        assert time.monotonic() < end
        pool.wait(ticket, 0.05)
        if ticket.items:
            time.sleep(0.01)
    return ticket


def value(pool: Pool, ticket: Ticket):
    waited(pool, ticket)
    if ticket.error is not None:
        raise ticket.error
    return ticket.value


def test_a_worker_knows_neither_the_app_nor_streamlit(pool):
    assert value(pool, pool.submit("a", job(work.imported))) == {"foreign": [], "threads": 1, "wait": "PASSIVE"}


def test_networks_travel_once_and_keep_their_numbers(pool):
    rng = np.random.default_rng(0)
    nets = [Network([rng.normal(size=(5, 3)), rng.normal(size=(2, 5))], [np.zeros(5), np.zeros(2)]) for _ in range(5)]
    points = rng.normal(size=(4, 3))
    for net in [*nets, *nets, nets[0], nets[0]]:
        assert value(pool, pool.submit("a", job(work.sum_of, net, points)))[0] == pytest.approx(net(points).sum())


def test_a_call_has_its_seconds(pool):
    assert 15 < value(pool, pool.submit("a", job(work.time_allowed, seconds=20.0))) <= 20


def test_improvements_come_one_by_one_and_a_stop_keeps_them(pool):
    ticket = pool.submit("a", job(work.improvements, 10_000, 0.02))
    until(pool, lambda: len(ticket.items) >= 2)
    assert ticket.state == RUNNING
    pool.stop(ticket)
    waited(pool, ticket)
    kept = list(ticket.items)
    assert kept == list(range(len(kept)))
    assert len(kept) < 10_000
    assert ticket.error is None


def test_a_generator_may_end_in_good_order(pool):
    ticket = pool.submit("a", job(work.in_good_order))
    until(pool, lambda: ticket.items)
    pool.stop(ticket)
    assert value(pool, ticket) == "stopped after True"


def test_the_newest_request_replaces_the_older_one_of_its_lane(pool):
    first = pool.submit("a", job(work.improvements, 10_000, 0.02))
    beside = pool.submit("a", job(work.improvements, 10_000, 0.02, lane="beside"))
    until(pool, lambda: first.items)
    second = pool.submit("a", job(work.time_allowed))
    assert value(pool, second) > 0
    waited(pool, first)
    assert beside.state != ENDED
    pool.stop(beside)
    waited(pool, beside)


def test_one_that_does_not_listen_is_ended_and_replaced(pool):
    ticket = pool.submit("a", job(work.deaf, 100.0))
    until(pool, lambda: ticket.items)
    begun = time.monotonic()
    pool.stop(ticket)
    waited(pool, ticket)
    assert time.monotonic() - begun < 20
    assert ticket.error is None, "its visitor wanted it to end"
    assert list(ticket.items) == [1]
    assert value(pool, pool.submit("a", job(work.time_allowed))) > 0


def test_what_dies_before_anything_was_seen_is_begun_once_more(pool, tmp_path):
    ticket = pool.submit("a", job(work.die_once, str(tmp_path / "mark")))
    assert value(pool, ticket) == "there"
    assert ticket.again


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is known in Linux")
def test_a_worker_that_has_grown_leaves_and_takes_no_job_with_it(pool):
    """The next job waits when the answer comes: it was once given to the worker that was about to end."""
    tickets = [pool.submit(f"visitor {i}", job(work.hoard, 130 if i % 3 == 0 else 1)) for i in range(12)]
    pids = {value(pool, ticket) for ticket in tickets}
    assert len(pids) >= 4
    assert not any(ticket.again for ticket in tickets)


def test_a_death_is_one_sentence_and_the_next_job_has_a_worker(pool):
    for _ in range(2):
        with pytest.raises(JobLost, match="A new one is ready"):
            value(pool, pool.submit("a", job(work.die)))
        assert value(pool, pool.submit("a", job(work.time_allowed))) > 0
    assert len(LOST) < 200


@pytest.mark.parametrize(
    ("kind", "seen", "words"),
    [(InvalidInput, InvalidInput, "no"), (MemoryError, Unsupported, "more memory"), (KeyError, KeyError, "no")],
)
def test_errors_come_back_as_they_are(pool, kind, seen, words):
    with pytest.raises(seen, match=words):
        value(pool, pool.submit("a", job(work.fail, kind, "no")))


def test_what_cannot_travel_is_said(pool):
    with pytest.raises(RuntimeError, match="cannot travel"):
        value(pool, pool.submit("a", job(work.unreadable)))
    with pytest.raises((AttributeError, pickle.PicklingError)):
        value(pool, pool.submit("a", job(lambda: 1)))
    assert value(pool, pool.submit("a", job(work.time_allowed))) > 0


def test_nobody_waits_and_the_work_ends(pool, monkeypatch):
    monkeypatch.setattr("relucert_core.places.pool.LEASE", 0.5)
    ticket = pool.submit("a", job(work.improvements, 10_000, 0.02))
    until(pool, lambda: ticket.state == ENDED)
    assert ticket.error is None


def test_more_jobs_than_workers_are_all_answered(pool):
    tickets = [pool.submit(f"visitor {i}", job(work.time_allowed)) for i in range(20)]
    assert all(value(pool, ticket) > 0 for ticket in tickets)
    assert 1 <= len(pool.pids()) <= 3


def test_closing_ends_every_process_and_memory_is_limited(monkeypatch):
    monkeypatch.setenv("RELUCERT_JOB_MEMORY", "200")
    made = Pool(1)
    assert value(made, made.submit("a", job(work.allocate, 50))) == 50
    if sys.platform == "linux":
        with pytest.raises(Unsupported, match="200 MB, RELUCERT_JOB_MEMORY"):
            value(made, made.submit("a", job(work.allocate, 400)))
    pids = made.pids()
    made.close()
    for pid in pids:
        until(made, lambda pid=pid: not alive(pid))
    gc.collect()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
