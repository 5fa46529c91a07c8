"""The lesson's picture in the browser, and what it reports: where u was dragged to and which key was pressed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FILES = Path(__file__).parent


def _file(*names: str) -> str:
    return "\n".join((_FILES / name).read_text(encoding="utf8") for name in names)


_PLANE = st.components.v2.component(
    "relucert_lesson_plane",
    html='<div class="lesson"><div class="plane"></div><button type="button">Save this picture (SVG)</button></div>\n',
    css=_file("plane.css"),
    js=_file("../shared/plane_core.js", "../shared/plane_draw.js", "plane.js"),
)


def lesson_plane(
    key: str,
    scene: dict[str, Any],
    point: tuple[float, float],
    seq: int,
    *,
    tallest: int,
    bare: bool,
    on_point: Callable[[], None],
    on_turn: Callable[[], None],
) -> None:
    """Draw a scene of `relucert_core.figures.lesson`. `point` counts only when `seq` has changed.

    tallest: the most pixels that the square's side may have. bare: without the link that saves the picture.
    """
    _PLANE(
        key=key,
        data={**scene, "u": list(point), "seq": seq, "tallest": tallest, "bare": bare},
        default={"u": None},
        on_u_change=on_point,
        on_turn_change=on_turn,
        width="stretch",
        height="content",
    )


def dragged_point(key: str, reach: float) -> tuple[float, float] | None:
    """Where u was moved to, or None: what a browser sends is never trusted."""
    value = _sent(key, "u")
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
        return None
    return (float(value[0]), float(value[1])) if all(abs(v) <= reach for v in value) else None


def pressed_turn(key: str) -> int:
    """1 for the next step, -1 for the previous one, 0 for anything else."""
    value = _sent(key, "turn")
    return value if value in (1, -1) and isinstance(value, int) else 0


def _sent(key: str, name: str) -> Any:
    state: Any = st.session_state.get(key)
    return state.get(name) if hasattr(state, "get") else None
