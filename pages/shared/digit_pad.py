"""The drawing pad: a small browser component that hands Python a checked PNG of what was drawn."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

SIDE = 280
_PEN = 22
_HEAD = "data:image/png;base64,"
_MAX_CHARACTERS = 200_000
_FILES = Path(__file__).parent


def _file(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf8")


_PAD = st.components.v2.component(
    "relucert_digit_pad", html=_file("digit_pad.html"), css=_file("digit_pad.css"), js=_file("digit_pad.js")
)


def digit_pad(key: str, on_change: Callable[[], None]) -> None:
    """Show the pad; `on_change` runs when a stroke ends, and `drawn_picture(key)` has the picture then."""
    _PAD(key=key, data={"side": SIDE, "pen": _PEN}, default={"png": ""}, on_png_change=on_change, width="stretch")


def drawn_picture(key: str) -> bytes | None:
    """The PNG file that the pad sent, or None when it is empty or not what our pad sends."""
    state: Any = st.session_state.get(key)
    value = state.get("png") if hasattr(state, "get") else None
    return checked_png(value)


def checked_png(value: Any) -> bytes | None:
    """The bytes of a data URL of a PNG of 280 x 280, else None: what a browser sends is never trusted."""
    if not isinstance(value, str) or not value.startswith(_HEAD) or len(value) > _MAX_CHARACTERS:
        return None
    try:
        data = base64.b64decode(value[len(_HEAD) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) < 33 or data[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", data[16:24]) != (SIDE, SIDE):
        return None
    return data
