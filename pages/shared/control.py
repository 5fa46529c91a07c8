"""Controls whose value Python changes too: a preset fills them, a dragged point moves them.

Every message of the browser carries the values of all controls as the browser knows them. One that was sent before the
latest values had arrived carries older ones; they would look like changes that the visitor made, and undo what Python
has just set. So a control that Python changes becomes a new one: what is still said about the old one doesn't count.

A new control says its value as its default, not through the session state: that would be told to the browser once only,
and a browser that gets two runs at once before it has drawn the control never hears of it (it then shows the least
number of the range).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

_CONTROLS = "_controls"


class Control(NamedTuple):
    """What a control of Streamlit takes: its key, and the value that it shows until the visitor changes it."""

    key: str
    first: Any


def control(name: str, value: Any) -> Control:
    """The control `name`, which shows `value`; the same one as long as nobody but the visitor changes it."""
    controls = st.session_state.setdefault(_CONTROLS, {})
    present = controls.get(name)
    if present is None:
        controls[name] = Control(name, value)
    elif present.key not in st.session_state or not _same(st.session_state[present.key], value):
        number = int(present.key.rpartition("~")[2]) if present.key != name else 0
        controls[name] = Control(f"{name}~{number + 1}", value)
    found: Control = controls[name]
    return found


def reading(name: str) -> Any:
    """What the control `name` shows."""
    shown: Control = st.session_state[_CONTROLS][name]
    return st.session_state.get(shown.key, shown.first)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return sorted(one) == sorted(other)
    return bool(one == other)
