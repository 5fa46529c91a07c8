"""The drawing pad: a small browser component that hands Python a checked PNG of what was drawn."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from typing import Any

from pages.shared.component import BrowserComponent, sent

SIDE = 280
_PEN = 22
_HEAD = "data:image/png;base64,"
_MAX_CHARACTERS = 200_000
_PAD = BrowserComponent("digit_pad", __file__, html="digit_pad.html", css="digit_pad.css", js=["digit_pad.js"])


def digit_pad(key: str, on_change: Callable[[], None], start: bytes | None = None) -> None:
    """Show the pad; `on_change` runs when a stroke ends, and `drawn_picture(key)` has the picture then.

    start: a PNG of white ink on black that lies in a pad without strokes: the digit of a link that was opened again.
    """
    shown = "" if start is None else _HEAD + base64.b64encode(start).decode("ascii")
    _PAD(key, {"side": SIDE, "pen": _PEN, "start": shown}, default={"png": ""}, on_png_change=on_change)


def drawn_picture(key: str) -> bytes | None:
    """The PNG file that the pad sent, or None when it is empty or not what our pad sends."""
    return checked_png(sent(key, "png"))


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
