"""Places for heavy work: two in the whole server; who waits for one gives way to the visitor's next click."""

from __future__ import annotations

import threading

import pytest

from pages.shared import places as module


class Clicked(BaseException):
    """What Streamlit raises in a script whose visitor has clicked."""


class State:
    """A session state in which a click waits, as Streamlit's tells it: by raising at any look."""

    def __contains__(self, key: str) -> bool:
        raise Clicked


@pytest.fixture
def both_taken(monkeypatch):
    places = threading.BoundedSemaphore(2)
    monkeypatch.setattr(module, "_places", lambda: places)
    with module.heavy(), module.heavy():
        yield places
    assert all(places.acquire(blocking=False) for _ in range(2)), "both are free again"


def test_who_waits_too_long_is_told_so(both_taken, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(module.Busy, match="try again in a minute"), module.heavy():
        raise AssertionError("there was no place")


def test_who_waits_gives_way_to_a_click(both_taken, monkeypatch):
    monkeypatch.setattr(module, "get_script_run_ctx", lambda **_: object())
    monkeypatch.setattr(module.st, "session_state", State())
    with pytest.raises(Clicked), module.heavy():
        raise AssertionError("there was no place")
