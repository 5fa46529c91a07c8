"""The paper's Figure 1, alive: a small network's plane with a point to drag. Nothing heavy is imported to show it.

The geometry was computed by `python -m relucert_core presets`; the browser follows the pointer with it, and Python
certifies where the point is let go.
"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.shared.component import BrowserComponent, sent_point
from pages.shared.shell import ROOT, presenting, theme_name

KEY = "figure1_live"
GEOMETRY = ROOT / "assets" / "presets" / "figure1.json"
_LIVE = BrowserComponent(
    "figure1_live",
    __file__,
    html="figure1_live.html",
    css="figure1_live.css",
    js=["plane_core.js", "plane_draw.js", "figure1_live.js"],
)


@st.cache_resource(max_entries=1, show_spinner=False)
def stored() -> dict[str, Any]:
    """The geometry, the two points of the paper's cases, and the looks."""
    data: dict[str, Any] = json.loads(GEOMETRY.read_text(encoding="utf8"))
    return data


def figure1_live() -> None:
    """Draw it; `released_point` has the point once it has been let go somewhere."""
    parts = stored()
    name = "present" if presenting() else "normal"
    data = {
        **{key: parts[key] for key in ("geometry", "frame", "points", "centre")},
        "look": parts["looks"][theme_name()][name],
    }
    _LIVE(KEY, data, default={"u": None}, on_u_change=lambda: None)


def released_point() -> tuple[float, float] | None:
    """Where the point was let go, or None: what a browser sends is never trusted."""
    return sent_point(KEY, "u")


def certified_line() -> None:
    """What Python certifies at the point, in one line."""
    point = released_point()
    if point is None:
        numbers = stored()["certified"]
    else:
        numbers = _certified(point)
    st.markdown(
        f"**Certified here: safe radius {numbers['safe']}**, limited by {numbers['limit']}; "
        f"true distance {numbers['exact']}."
    )


def _certified(point: tuple[float, float]) -> dict[str, str]:
    """Numbers at a point as text; this is where the engine is loaded."""
    from pages.shared import plane
    from pages.shared.words import down
    from relucert_core.training.showcase import load_run

    net = load_run(stored()["run"]).network
    answer = plane.answer_at(net, plane.plane_of(net), point)
    return {
        "safe": down(answer.simplex.radius),
        "limit": plane.limit(answer.simplex),
        "exact": plane.true_distance(answer),
    }
