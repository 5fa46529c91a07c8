"""A real server and visitors over websockets: clicks while all train are answered, and files are given back."""

from __future__ import annotations

import sys
import time

import pytest

from tests.load.__main__ import TRAINING, U, leave, ready, together
from tests.load.served import Served, served
from tests.load.visitor import Visitor

VISITS = 6

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="counts open files by /proc")]


@pytest.fixture(scope="module")
def server():
    with served(2) as found:
        yield found


def come_and_go(server: Served, visits: int) -> None:
    crowd = together(visits, server.address, "", lambda i: "")
    for visitor in crowd:
        assert visitor.wait(lambda visitor=visitor: visitor.seen.finished_whole > 0, 120)
    assert leave(crowd) == []


def test_two_visitors_who_train_are_answered(server):
    crowd = together(2, server.address, "playground", lambda i: f"{TRAINING}&pg_seed={i}")
    for visitor in crowd:
        assert visitor.wait(lambda visitor=visitor: ready(visitor), 120)
    for turn in range(2):
        for visitor in crowd:
            visitor.type_in(U, round(0.1 + 0.1 * turn, 3), "pg_point")  # raises where nothing answers
    assert all(visitor.wait(lambda visitor=visitor: visitor.seen.ticks > 2, 60) for visitor in crowd)
    assert leave(crowd) == []


def test_a_session_gives_its_files_back_at_once_and_may_return(server):
    come_and_go(server, 1)  # what the server opens for itself is open now
    time.sleep(5)
    before = server.descriptors()
    come_and_go(server, VISITS)
    end = time.monotonic() + 30  # a session is kept 120 s
    while server.descriptors() > before and time.monotonic() < end:
        time.sleep(0.5)
    assert server.descriptors() <= before, "three a session stayed open"
    visitor = Visitor(server.address, "digits", "digits_net=mnist-20-20-20&digits_image=3")
    assert visitor.wait(lambda: visitor.seen.finished_whole > 0, 120)
    address = visitor.address
    visitor.close()
    time.sleep(5)
    visitor.reconnect()
    assert visitor.wait(lambda: visitor.seen.finished_whole > 0, 120)
    assert visitor.resumed, "the same session"
    assert visitor.address == address
    assert leave([visitor]) == []
