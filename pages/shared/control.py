"""Controls whose value Python changes too: a preset fills them, a dragged point moves them.

Every message of the browser carries the values of all controls as the browser knows them. One that was sent before the
latest values had arrived carries older ones; they would look like changes that the visitor made, and undo what Python
has just set. So a control that Python changes becomes a new one: what is still said about the old one doesn't count.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

_KEYS = "_controls"


def control(name: str, value: Any) -> str:
    """The key of the control `name`, which shows `value`; the same key as long as nobody but the visitor changes it."""
    keys = st.session_state.setdefault(_KEYS, {})
    key: str = keys.get(name, name)
    if key in st.session_state and not _same(st.session_state[key], value):
        number = int(key.rpartition("~")[2]) if key != name else 0
        key = keys[name] = f"{name}~{number + 1}"
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def reading(name: str) -> Any:
    """What the control `name` shows."""
    return st.session_state[st.session_state[_KEYS].get(name, name)]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return sorted(one) == sorted(other)
    return bool(one == other)
