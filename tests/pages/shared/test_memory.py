"""Freed memory goes back to the system, once in a while."""

from __future__ import annotations

import threading

from pages.shared import memory


def test_one_give_back_at_a_time_and_then_again(monkeypatch):
    calls, done = [], threading.Event()

    real = memory.give_back

    def give_back() -> None:
        calls.append(real())
        done.set()

    monkeypatch.setattr(memory, "give_back", give_back)
    monkeypatch.setattr(memory, "_timer", None)
    for _ in range(5):
        memory.give_back_soon(0.01)
    assert done.wait(10)
    assert len(calls) == 1
    assert isinstance(calls[0], bool)
    done.clear()
    memory.give_back_soon(0.01)
    assert done.wait(10)
    assert len(calls) == 2
