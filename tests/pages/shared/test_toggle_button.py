"""A button with two meanings: a press that comes just after the meaning has changed was meant for the old one."""

from __future__ import annotations

import pytest

from pages.shared import toggle_button


class Button:
    """What the page drew last, and the clock."""

    now = 100.0

    def __call__(self, label, *, on_click, args, **_):
        self.label, self._click, self._args = label, on_click, args

    def press(self):
        self._click(*self._args)


@pytest.fixture
def button(monkeypatch):
    drawn = Button()
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("streamlit.button", drawn)
    monkeypatch.setattr(toggle_button.time, "monotonic", lambda: drawn.now)
    return drawn


def test_a_press_just_after_a_change_of_meaning_does_nothing(button):
    done = []
    train = ("Train", "play_arrow", lambda: done.append("train"))
    pause = ("Pause", "pause", lambda: done.append("pause"))
    toggle_button.toggle_button("key", *train)
    button.press()
    assert done == ["train"], "the first meaning holds at once"
    toggle_button.toggle_button("key", *pause)
    button.now += 0.1
    button.press()
    assert done == ["train"], "a second press of Train"
    button.now += 0.2
    toggle_button.toggle_button("key", *pause)
    button.now += 0.2
    button.press()
    assert done == ["train", "pause"], "drawn once more, it has had its meaning long enough"
    toggle_button.toggle_button("key", *train)
    button.press()
    assert done == ["train", "pause"]
