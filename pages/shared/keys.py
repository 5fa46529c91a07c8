"""Presets on the keys: a component without a face that reports the keys 0-9 and r."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_KEYS = st.components.v2.component(
    "relucert_keys",
    html="<span hidden></span>\n",
    js=Path(__file__).with_name("keys.js").read_text(encoding="utf8"),
)


def listen_to_keys(key: str, on_press: Callable[[], None]) -> None:
    """Call `on_press` when one of the keys is pressed while nothing is being typed; see `pressed_key`."""
    _KEYS(key=key, data={}, default={"pressed": None}, on_pressed_change=on_press, height=1)


def pressed_key(key: str) -> str | None:
    """The key that was pressed last, "0" to "9" or "r", or None."""
    state: Any = st.session_state.get(key)
    value = state.get("pressed") if hasattr(state, "get") else None
    name = value[0] if isinstance(value, (list, tuple)) and value else None
    return name if isinstance(name, str) and len(name) == 1 and name in "0123456789r" else None
