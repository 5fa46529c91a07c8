"""One button with two meanings, such as Train and Pause.

Of two buttons the old one would stand beside the new one until the script has ended. But a press is carried out with
the meaning that the button has on the server, which may have changed since the visitor saw it: a press of Train must
not pause what has just begun to train, and one of Pause must not train again what has just ended. So a press that comes
at once after the meaning has changed counts as one of the old meaning, which has happened already.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

SETTLED_SECONDS = 0.4


def toggle_button(key: str, label: str, icon: str, press: Callable[[], Any], *, primary: bool = True) -> None:
    """Draw the button as it is now; `icon`, a name of the material icons, tells its meanings apart."""
    face = f"{key}_face"
    shown = st.session_state.get(face)
    if shown is None or shown[0] != icon:
        st.session_state[face] = (icon, -math.inf if shown is None else time.monotonic())
    kind: Any = "primary" if primary else "secondary"
    st.button(label, key=key, icon=f":material/{icon}:", on_click=_pressed, args=(face, press), type=kind)


def _pressed(face: str, press: Callable[[], Any]) -> None:
    if time.monotonic() - st.session_state[face][1] >= SETTLED_SECONDS:
        press()
