"""Garbage is collected and freed memory goes back to the system, once in a while."""

from __future__ import annotations

import gc
import threading
import time
import tomllib
import weakref

from pages.shared import memory
from tests.pages.browser import ROOT


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


def test_what_streamlit_does_not_collect_after_every_run_is_collected_here(monkeypatch):
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    monkeypatch.setattr(memory, "_timer", None)
    circle = threading.Event()
    circle.itself = circle
    gone = weakref.ref(circle)
    gc.disable()
    try:
        del circle
        assert gone() is not None
        memory.give_back_soon(0.01)
        end = time.monotonic() + 10
        while gone() is not None and time.monotonic() < end:
            time.sleep(0.01)
        assert gone() is None
    finally:
        gc.enable()
