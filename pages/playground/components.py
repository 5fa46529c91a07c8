"""The browser components of the playground: the draggable point, the numbers that answer it, time, diagram, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pages.playground.setup import REACH
from pages.playground.words import SENTENCES
from pages.shared.component import BrowserComponent
from relucert_core.figures.overlay import overlay_look
from relucert_core.figures.theme import Theme

_CORE, _DRAW = "plane_core.js", "plane_draw.js"
_PICKER = BrowserComponent(
    "plane_picker",
    __file__,
    html="picker.html",
    css="picker.css",
    js=[_CORE, _DRAW, "gestures.js", "strokes.js", "probe.js", "legend.js", "live.js", "picker.js"],
)
_ANSWER = BrowserComponent("plane_answer", __file__, js=[_CORE, "answer.js"])
_TIMELINE = BrowserComponent(
    "plane_timeline", __file__, html="timeline.html", css="timeline.css", js=[_CORE, "timeline.js"]
)
_DIAGRAM = BrowserComponent(
    "plane_diagram", __file__, html="diagram.html", css="diagram.css", js=[_CORE, _DRAW, "diagram.js"]
)
_UNDO = BrowserComponent("plane_undo", __file__, html="undo.html", css="undo.css", js=["undo.js"])
_EXPORT = BrowserComponent("plane_export", __file__, html="export.html", css="export.css", js=[_DRAW, "export.js"])


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
    ink: int,
    legend: list[dict[str, Any]],
    on_point: Callable[[], None],
    on_view: Callable[[], None],
    on_spot: Callable[[], None],
    on_stroke: Callable[[], None],
) -> None:
    """The draggable point over the chart in the container `target`. ink: the class of points that are drawn.

    `point` counts only when `seq` has changed, so that the data stay the same, and unsent, while the point is moved.
    """
    data = {**geometry, "target": target, "u": list(point), "seq": seq, "show": list(layers)}
    data |= {
        "look": overlay_look(theme),
        "mode": mode,
        "ink": ink,
        "reach": REACH,
        "legend": legend,
        "sentences": SENTENCES,
    }
    _PICKER(
        key,
        data,
        default={"u": None, "view": None},
        on_u_change=on_point,
        on_view_change=on_view,
        on_spot_change=on_spot,
        on_stroke_change=on_stroke,
    )


def plane_answer(
    key: str, target: str, point: tuple[float, float], epoch: int | None, marks: list[dict[str, Any]]
) -> None:
    """Hand the browser what Python found at `point` for the network of `epoch`: the attacks' paths."""
    _ANSWER(key, {"target": target, "u": list(point), "epoch": epoch, "marks": marks})


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
    _TIMELINE(key, data, default={"epoch": None}, on_epoch_change=on_epoch)


def plane_diagram(key: str, target: str, diagram: dict[str, Any], theme: Theme) -> None:
    """The network, whose neurons show their bent lines on the plane."""
    _DIAGRAM(key, {**diagram, "target": target, "look": overlay_look(theme)})


def undo_buttons(key: str) -> None:
    """Undo and Redo, which are the browser's Back and Forward within this page."""
    _UNDO(key, {})


def plane_export(key: str, target: str, theme: Theme, about: Sequence[str]) -> None:
    """Two buttons that save the picture as it is on the screen; `about`: lines that the files say of their making."""
    _EXPORT(key, {"target": target, "background": theme.background, "about": "\n".join(about)})
