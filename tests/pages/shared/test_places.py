"""The seam between pages and worker processes: the same answers from both, queues in words, shared answers."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pages.playground.player import Player
from pages.playground.setup import Setup
from pages.shared import places
from relucert_core.network import Network
from relucert_core.places.foreseen import foreseen_memory
from relucert_core.places.pool import REPLACED, JobLost, Pool
from relucert_core.places.tickets import Outlook
from tests.places import work


@pytest.fixture(scope="module")
def two_workers():
    pool = Pool(2)
    yield pool
    pool.close()


@pytest.fixture(params=["here", "workers"])
def place(request, monkeypatch):
    if request.param == "workers":
        pool = request.getfixturevalue("two_workers")
        monkeypatch.setattr(places, "pool", lambda: pool)
    return request.param


def test_an_answer_comes_from_either(place):
    assert 5 < places.ask(work.time_allowed, seconds=9.0, kind="k") <= 9
    with pytest.raises(KeyError):
        places.ask(work.fail, KeyError, "no", seconds=9.0, kind="k")


def test_improvements_come_and_end(place):
    assert list(places.follow(work.improvements, 5, 0.0, seconds=9.0, kind="k")) == list(range(5))


def test_what_is_closed_ends_in_good_order(place):
    steps = places.follow(work.in_good_order, seconds=9.0, kind="k", lane=places.BESIDE)
    assert next(steps) == 1
    steps.close()
    assert list(steps) == [] or place == "workers"
    assert steps.value == "stopped after True"


def wide(inputs: int, width: int, name: str) -> Network:
    return Network([np.zeros((width, inputs)), np.zeros((2, width))], [np.zeros(width), np.zeros(2)], name=name)


def test_jobs_of_large_networks_wait_for_each_other_and_a_small_one_goes_between(monkeypatch):
    large, small = wide(3, 600, "large"), wide(3, 4, "small")
    pool = Pool(3, memory=1.5 * foreseen_memory([large]))
    names = iter("abc")
    monkeypatch.setattr(places, "pool", lambda: pool)
    monkeypatch.setattr(places, "_visitor", lambda: next(names))
    try:
        first = places.follow(work.hold, large, seconds=90.0, kind="k")
        assert next(first) == "large"
        second = places.follow(work.hold, seconds=90.0, kind="k", net=large)
        third = places.follow(work.hold, small, seconds=90.0, kind="k")
        assert next(third) == "small"
        assert second.within(0.5) == (False, None), "two large ones at once"
        assert second.waiting()
        first.close()
        assert next(second) == "large"
    finally:
        pool.close()


def test_more_neurons_are_foreseen_to_take_more_and_what_is_no_network_nothing():
    sizes = [foreseen_memory([wide(784, width, "n"), 3.0, "word"]) for width in (20, 1536, 4608)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 500 * 2**20, "the convolutional network is heavy"
    assert foreseen_memory([np.zeros(9), None]) == 0


def test_the_server_has_the_memory_that_the_environment_allows(monkeypatch):
    monkeypatch.setenv("RELUCERT_MEMORY", "300")
    made = places._pool.__wrapped__(1)
    assert made.memory == 300 * 2**20
    made.close()


def test_a_death_is_a_sentence(two_workers, monkeypatch):
    monkeypatch.setattr(places, "pool", lambda: two_workers)
    with pytest.raises(JobLost, match="reload the page"):
        places.ask(work.die, seconds=9.0, kind="k")


def test_a_training_whose_job_was_ended_goes_on_where_it_was(place):
    setup = Setup(preset="", dataset="moons", hidden=(8,), epochs=400, size=60)
    run, whole = Player(setup), Player(setup)
    run.advance(5.0, one=True)
    run.advance(5.0, one=True)
    assert run.status == "running"
    before = list(run.losses)
    run._batches.close()  # as the pool does when nobody looks, or others wait
    for player in (run, whole):
        end = time.monotonic() + 100
        while not player.done:
            assert time.monotonic() < end
            player.advance(1.0)
    assert run.status == whole.status == "finished"
    assert run.losses == whole.losses
    assert run.losses[: len(before)] == before
    assert run.latest.network == whole.latest.network


def test_a_stopped_training_keeps_what_it_learnt(place):
    run = Player(Setup(preset="", dataset="moons", hidden=(8,), epochs=5000, size=60))
    end = time.monotonic() + 60
    while len(run.snapshots) < 2 and time.monotonic() < end:  # a worker may have to start first
        run.advance(0.5, one=True)
    run.stop()
    assert run.status == "stopped"
    assert "was stopped after" in run.message
    assert len(run.snapshots) >= 2


def test_who_waits_reads_the_place_and_the_time():
    assert places.waiting_words(Outlook(0, 5.0)) == ""
    assert "number 3 in the queue" in places.waiting_words(Outlook(3, 12.0))
    assert "in about 12" in places.waiting_words(Outlook(3, 12.0))
    assert places.waiting_words(Outlook(1, 0.2)) == "Your turn comes in a moment."
    assert "in a moment" in places.waiting_words(Outlook(2, 0.2))


def test_what_one_visitor_computes_others_wait_for():
    kept, made, found = places.Kept(2), [], []

    def make():
        made.append(1)
        time.sleep(0.2)
        return "answer", True

    threads = [threading.Thread(target=lambda: found.append(kept.find("key", make))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == ["answer"] * 5
    assert made == [1]
    for key in ("b", "c"):
        kept.find(key, lambda: (1, True))
    kept.find("key", make)
    assert made == [1, 1], "the oldest was forgotten"


def test_a_failure_is_not_kept():
    kept = places.Kept(2)
    with pytest.raises(ValueError, match="no"):
        kept.find("key", lambda: work.fail(ValueError, "no"))
    assert kept.find("key", lambda: (1, True)) == 1


def test_an_answer_that_had_less_than_its_time_is_computed_again_when_nobody_waits(monkeypatch):
    kept, crowd = places.Kept(2), [True]
    monkeypatch.setattr(places, "crowded", lambda: crowd[0])
    assert kept.find("key", lambda: ("cut", False)) == "cut"
    assert kept.find("key", lambda: ("never", True)) == "cut", "the others still wait"
    crowd[0] = False
    assert kept.find("key", lambda: ("whole", True)) == "whole"
    assert kept.find("key", lambda: ("never", True)) == "whole"


def test_while_others_wait_a_job_has_its_part_and_says_so(two_workers, monkeypatch):
    monkeypatch.setattr(places, "pool", lambda: two_workers)
    names = iter(range(9))
    monkeypatch.setattr(places, "_visitor", lambda: f"visitor {next(names)}")
    assert places.asked(work.until_its_end, seconds=0.4, kind="alone")[1]
    found = []

    def ask() -> None:
        found.append(places.asked(work.until_its_end, seconds=2.0, kind="crowd"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    cut = [value for value, whole in found if not whole]
    assert len(found) == 6
    assert cut
    assert max(cut) < 2.0


def test_a_request_that_a_newer_one_replaced_has_no_answer_and_says_so(two_workers, monkeypatch):
    monkeypatch.setattr(places, "pool", lambda: two_workers)
    monkeypatch.setattr(places, "_visitor", lambda: "the same")
    found = []

    def first() -> None:
        try:
            found.append(places.ask(work.until_its_end, seconds=30.0, kind="older"))
        except JobLost as problem:
            found.append(str(problem))

    older = threading.Thread(target=first)
    older.start()
    time.sleep(0.5)
    assert places.ask(work.time_allowed, seconds=9.0, kind="newer") > 0
    older.join(20)
    assert found == [REPLACED]


def test_a_training_that_others_cut_short_goes_on_without_computing_anything_again(monkeypatch):
    pool = Pool(1)
    monkeypatch.setattr(places, "pool", lambda: pool)
    names = iter(["trainer", "other", "trainer"])
    monkeypatch.setattr(places, "_visitor", lambda: next(names))
    setup = Setup(preset="", dataset="moons", hidden=(16, 16), epochs=5000, size=60)  # longer than its turn
    run = Player(setup)
    try:
        end = time.monotonic() + 60
        while not run.losses and time.monotonic() < end:
            run.advance(0.3)
        other = places.follow(work.until_its_end_in_steps, seconds=1.0, kind="other")
        assert list(other)
        while run._stopped is None and time.monotonic() < end:
            run.advance(0.1)
        assert run._stopped.checkpoint.epoch >= len(run.losses) > 0
        while not run.done and time.monotonic() < end:
            run.advance(1.0)
    finally:
        pool.close()
    assert run.status == "finished"
    whole = Player(setup)
    monkeypatch.setattr(places, "pool", lambda: None)
    while not whole.done:
        whole.advance(5.0)
    assert run.losses == whole.losses
    assert run.latest.network == whole.latest.network
