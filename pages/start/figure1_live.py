"""The paper's Figure 1, alive: a small network's plane with a point to drag. Nothing heavy is imported to show it.

The geometry was computed by `python -m relucert_core presets`; the browser follows the pointer with it, and Python
certifies where the point is let go.
"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.shared.component import BrowserComponent, sent_point
from pages.shared.keys import pressed_key
from pages.shared.shell import presenting, theme_name
from pages.start.state import REACH, SEQ, STATE
from relucert_core.paths import PRESETS

KEY, SEED, KEYS = "figure1_live", "start_seed", "start_keys"
GEOMETRY = PRESETS / "figure1.json"
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
    """Draw it. The browser takes u from the data when `seq` is new: they don't change while u is dragged."""
    parts = stored()
    name = "present" if presenting() else "normal"
    data = {
        **{key: parts[key] for key in ("geometry", "frame", "points", "centre")},
        "look": parts["looks"][theme_name()][name],
    }
    seed = st.session_state.get(SEED)
    if seed is None or seed[0] != st.session_state.get(SEQ) or KEY not in st.session_state:
        st.session_state[SEQ] = st.session_state.get(SEQ, 0) + (KEY not in st.session_state)
        seed = st.session_state[SEED] = (st.session_state[SEQ], STATE.now.u or parts["points"]["a"])
    data |= {"seq": seed[0], "u": list(seed[1])}
    _LIVE(KEY, data, default={"u": None}, on_u_change=moved)


def moved() -> None:
    """The point was let go somewhere."""
    point = sent_point(KEY, "u", REACH.most)
    if point is not None:
        STATE.change(u=point)


def press() -> None:
    """Keys 1 and 2 show the cases (a) and (b), r the first again."""
    case = {"1": "a", "2": "b", "r": "a"}.get(pressed_key(KEYS) or "")
    if case:
        STATE.change(u=tuple(stored()["points"][case]))
        st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1


def certified_line() -> None:
    """What Python certifies at the point, in one line."""
    point = STATE.now.u
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
    from relucert_core.experiments.showcase import load_run
    from relucert_core.words import down

    net = load_run(stored()["run"]).network
    answer = plane.answer_at(net, plane.plane_of(net), point)
    return {
        "safe": down(answer.simplex.radius),
        "limit": plane.limit(answer.simplex),
        "exact": plane.true_distance(answer),
    }
