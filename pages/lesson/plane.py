"""The lesson's picture in the browser, and what it reports: where u was dragged to and which key was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.shared.component import BrowserComponent, sent_numbers, sent_whole

_PLANE = BrowserComponent(
    "lesson_plane",
    __file__,
    html='<div class="lesson"><div class="plane"></div><button type="button">Save this picture (SVG)</button></div>',
    css="plane.css",
    js=["plane_core.js", "plane_draw.js", "plane.js"],
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
        key,
        {**scene, "u": list(point), "seq": seq, "tallest": tallest, "bare": bare},
        default={"u": None},
        on_u_change=on_point,
        on_turn_change=on_turn,
    )


def dragged_point(key: str, reach: float) -> tuple[float, float] | None:
    """Where u was moved to, or None."""
    found = sent_numbers(key, "u", 3, reach)
    return None if found is None else (found[0], found[1])


def drag_under_way(key: str) -> bool:
    """Is u still being dragged?"""
    found = sent_numbers(key, "u", 3)
    return found is not None and found[2] == 0


def pressed_turn(key: str) -> int:
    """1 for the next step, -1 for the previous one, 0 for anything else."""
    return sent_whole(key, "turn", -1, 1) or 0
