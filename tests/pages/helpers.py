"""Opening pages through the router with Streamlit's AppTest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def open_page(page: str = "start", session: dict[str, Any] | None = None, **query: str) -> AppTest:
    """The app as a visitor finds it who opens `page` with these parameters in the link, through the page's door."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    for key, value in (session or {}).items():
        at.session_state[key] = value
    if page != "start":
        door = next((ROOT / "pages").glob(f"[0-9]*_{page}.py"))
        at.switch_page(door.relative_to(ROOT).as_posix())
    return at.run()


def texts(at: AppTest) -> str:
    """All the words on the page, one after the other."""
    kinds = (at.title, at.markdown, at.caption, at.error, at.info, at.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def figures(at: AppTest) -> list[dict[str, Any]]:
    """The specifications of the plotly figures on the page."""
    return [json.loads(element.proto.spec) for element in at.get("plotly_chart")]


def headline(at: AppTest) -> str:
    """The line "Reads 7. Safe to ...", without the signs of its heading."""
    return next(e.value.lstrip("# ") for e in at.markdown if e.value.lstrip("# ").startswith("Reads"))


def control(at: AppTest, kind: str, name: str) -> Any:
    """The control `name` of a kind, whatever its present key is (see pages/shared/control.py)."""
    return getattr(at, kind)(key=at.session_state["_controls"][name].key)
