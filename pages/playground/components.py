"""The browser components of the playground: the draggable point, the numbers that answer it, time, diagram, export."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.playground.setup import REACH
from relucert_core.figures.overlay import overlay_look
from relucert_core.figures.theme import Theme

_FILES = Path(__file__).parent


def _file(*names: str) -> str:
    return "\n".join((_FILES / name).read_text(encoding="utf8") for name in names)


_PICKER = st.components.v2.component(
    "relucert_plane_picker",
    html='<div class="words" aria-live="polite"></div>\n',
    css=_file("picker.css"),
    js=_file("../shared/plane_core.js", "../shared/plane_draw.js", "picker.js"),
)
_ANSWER = st.components.v2.component(
    "relucert_plane_answer", html="<span hidden></span>\n", js=_file("../shared/plane_core.js", "answer.js")
)
_TIMELINE = st.components.v2.component(
    "relucert_plane_timeline",
    html=_file("timeline.html"),
    css=_file("timeline.css"),
    js=_file("../shared/plane_core.js", "timeline.js"),
)
_DIAGRAM = st.components.v2.component(
    "relucert_plane_diagram",
    html=_file("diagram.html"),
    css=_file("diagram.css"),
    js=_file("../shared/plane_core.js", "../shared/plane_draw.js", "diagram.js"),
)
_EXPORT = st.components.v2.component(
    "relucert_plane_export",
    html=_file("export.html"),
    css=_file("export.css"),
    js=_file("../shared/plane_draw.js", "export.js"),
)


def plane_picker(
    key: str,
    *,
    target: str,
    geometry: dict[str, Any],
    point: tuple[float, float],
    seq: int,
    layers: tuple[str, ...],
    theme: Theme,
    mode: str,
    on_point: Callable[[], None],
    on_view: Callable[[], None],
    on_spot: Callable[[], None],
) -> None:
    """The draggable point over the chart in the container `target`.

    `point` counts only when `seq` has changed, so that the data stay the same, and unsent, while the point is moved.
    """
    data = {**geometry, "target": target, "u": list(point), "seq": seq, "show": list(layers)}
    data |= {"look": overlay_look(theme), "mode": mode, "reach": REACH}
    _PICKER(
        key=key,
        data=data,
        default={"u": None, "view": None},
        on_u_change=on_point,
        on_view_change=on_view,
        on_spot_change=on_spot,
        width="stretch",
        height="content",
    )


def plane_answer(
    key: str, target: str, point: tuple[float, float], epoch: int | None, marks: list[dict[str, Any]]
) -> None:
    """Hand the browser what Python found at `point` for the network of `epoch`: the attacks' paths."""
    _ANSWER(key=key, data={"target": target, "u": list(point), "epoch": epoch, "marks": marks}, height=1)


def plane_timeline(
    key: str,
    *,
    target: str,
    frames: dict[str, Any],
    run: str,
    epoch: int | None,
    points: str | None,
    theme: Theme,
    live: bool,
    on_epoch: Callable[[], None],
) -> None:
    """The time slider over the moments `frames` of a training named `run`; live: only draws the last of them.

    `epoch` counts when `run` is new. points: x, y, class as packed float32, drawn over the moments.
    """
    data = {"target": target, "frames": frames, "run": run, "epoch": epoch, "points": points, "live": live}
    data["look"] = overlay_look(theme)
    _TIMELINE(key=key, data=data, default={"epoch": None}, on_epoch_change=on_epoch, width="stretch", height="content")


def plane_diagram(key: str, target: str, diagram: dict[str, Any], theme: Theme) -> None:
    """The network, whose neurons show their bent lines on the plane."""
    _DIAGRAM(
        key=key, data={**diagram, "target": target, "look": overlay_look(theme)}, width="stretch", height="content"
    )


def plane_export(key: str, target: str, theme: Theme) -> None:
    """Two buttons that save the picture as it is on the screen."""
    _EXPORT(key=key, data={"target": target, "background": theme.background}, width="stretch", height="content")


def sent(key: str, name: str, count: int) -> tuple[float, ...] | None:
    """`count` numbers that a component sent as `name`, or None: what a browser sends is never trusted."""
    state: Any = st.session_state.get(key)
    value = state.get(name) if hasattr(state, "get") else None
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    good = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value)
    return tuple(float(v) for v in value) if good and all(abs(v) <= 10 for v in value) else None
