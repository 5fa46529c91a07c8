"""Browser components: one helper that mounts them, and one way to read what the browser sends back.

What a browser sends is never trusted: every reader says what it accepts and gives None for anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_SHARED = Path(__file__).parent
NO_FACE = "<span hidden></span>"


class BrowserComponent:
    """A component whose files lie beside the Python module `beside` (its `__file__`) or in pages/shared.

    html: markup, or the name of an .html file; css: a file or ""; js: files, put together in this order. Make one at
    the import of a module: names are global in the app. Scripts and markup never contain what visitors gave.
    """

    def __init__(self, name: str, beside: str, *, html: str = NO_FACE, css: str = "", js: Sequence[str] = ()) -> None:
        folder = Path(beside).parent
        markup = _text(folder, html) if html.endswith(".html") else f"{html}\n"
        style = _text(folder, css) if css else None
        script = "\n".join(_text(folder, file) for file in js)
        self._height: Any = 1 if html == NO_FACE else "content"
        self._mount = st.components.v2.component(f"relucert_{name}", html=markup, css=style, js=script)

    def __call__(
        self,
        key: str,
        data: dict[str, Any],
        *,
        default: dict[str, Any] | None = None,
        **on_change: Callable[[], Any],
    ) -> None:
        """Mount it; on_NAME_change=... is called when the browser sends NAME, and the readers below have it then."""
        self._mount(key=key, data=data, default=default, width="stretch", height=self._height, **on_change)


def _text(folder: Path, name: str) -> str:
    beside = folder / name
    return (beside if beside.is_file() else _SHARED / name).read_text(encoding="utf8")


def sent(key: str, name: str) -> Any:
    """What the component `key` sent as `name`, unchecked, or None."""
    state: Any = st.session_state.get(key)
    return state.get(name) if hasattr(state, "get") else None


def sent_event(key: str, name: str) -> Any:
    """The value of an event, which is sent as [value, time] so that two equal ones differ; unchecked, or None."""
    value = sent(key, name)
    return value[0] if isinstance(value, list | tuple) and value else None


def whole(value: Any, least: int, most: int) -> int | None:
    """`value` if it is a whole number from `least` to `most`."""
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return value if good else None


def sent_numbers(key: str, name: str, count: int, reach: float = 10.0) -> tuple[float, ...] | None:
    """`count` finite numbers within +-reach."""
    value = sent(key, name)
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    good = all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= reach for v in value)
    return tuple(float(v) for v in value) if good and all(math.isfinite(v) for v in value) else None


def sent_point(key: str, name: str, reach: float = 10.0) -> tuple[float, float] | None:
    """A point of the plane, within +-reach."""
    found = sent_numbers(key, name, 2, reach)
    return None if found is None else (found[0], found[1])


def sent_points(key: str, name: str, most: int, reach: float = 10.0) -> list[tuple[float, float]] | None:
    """Up to `most` points of the plane, sent as x, y, x, y, ..., within +-reach."""
    value = sent(key, name)
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= 2 * most or len(value) % 2:
        return None
    numbers = sent_numbers(key, name, len(value), reach)
    return None if numbers is None else list(zip(numbers[::2], numbers[1::2], strict=True))


def sent_whole(key: str, name: str, least: int, most: int) -> int | None:
    """A whole number from `least` to `most`."""
    return whole(sent(key, name), least, most)
