"""The paper's Figure 1, alive: a small network's plane with a point to drag. Nothing heavy is imported to show it.

The geometry was computed by `python -m relucert_core presets`; the browser follows the pointer with it, and Python
certifies where the point is let go.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.shell import ROOT, presenting, theme_name

KEY = "figure1_live"
GEOMETRY = ROOT / "assets" / "presets" / "figure1.json"
_FILES = Path(__file__).parent


def _file(*names: str) -> str:
    return "\n".join((_FILES / name).read_text(encoding="utf8") for name in names)


_LIVE = st.components.v2.component(
    "relucert_figure1_live",
    html=_file("figure1_live.html"),
    css=_file("figure1_live.css"),
    js=_file("../shared/plane_core.js", "../shared/plane_draw.js", "figure1_live.js"),
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
    _LIVE(key=KEY, data=data, default={"u": None}, on_u_change=lambda: None, width="stretch", height="content")


def released_point() -> tuple[float, float] | None:
    """Where the point was let go, or None: what a browser sends is never trusted."""
    state: Any = st.session_state.get(KEY)
    value = state.get("u") if hasattr(state, "get") else None
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    good = all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) and abs(v) <= 10 for v in value
    )
    return (float(value[0]), float(value[1])) if good else None


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
