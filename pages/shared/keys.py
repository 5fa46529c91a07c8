"""Presets on the keys: a component without a face that reports the keys 0-9 and r."""

from __future__ import annotations

from collections.abc import Callable

from pages.shared.component import BrowserComponent, sent_event

_KEYS = BrowserComponent("keys", __file__, js=["keys.js"])


def listen_to_keys(key: str, on_press: Callable[[], None]) -> None:
    """Call `on_press` when one of the keys is pressed while nothing is being typed; see `pressed_key`."""
    _KEYS(key, {}, default={"pressed": None}, on_pressed_change=on_press)


def pressed_key(key: str) -> str | None:
    """The key that was pressed last, "0" to "9" or "r", or None."""
    name = sent_event(key, "pressed")
    return name if isinstance(name, str) and len(name) == 1 and name in "0123456789r" else None
