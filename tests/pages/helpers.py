"""Opening pages through the router with Streamlit's AppTest."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pages.shared import charts

ROOT = Path(__file__).resolve().parents[2]
# Pictures that a component draws, and what their tables are the numbers behind.
COMPONENTS = {"start": "the picture", "playground": "the pictures", "lesson": "the picture", "beyond": "the pictures"}
# Every page that is opened would look through all installed packages for components once more: a third of a second.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


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
    with watched_figures() as drawn:
        at.run()
    if query.get("present") != "1" and not at.exception and not at.error:
        need_tables(page, at, drawn)
    return at


@contextlib.contextmanager
def watched_figures() -> Iterator[list[Any]]:
    """What every plotly figure that is drawn names as the place of its numbers."""
    drawn: list[Any] = []
    real = charts.st.plotly_chart

    def draw(*arguments: Any, **values: Any) -> Any:
        own = sys._getframe(1).f_locals  # of charts.draw
        drawn.append((own["behind"], own["what"]))
        return real(*arguments, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts.st, "plotly_chart", draw)
        yield drawn


def need_tables(page: str, at: AppTest, drawn: list[Any]) -> None:
    """A table behind every figure, and behind what a component draws. The playground's wait until they are opened."""
    tables = {expander.label: len(expander.table) for expander in at.expander}
    places = {behind if isinstance(behind, str) else charts.behind_label(what) for behind, what in drawn}
    if page in COMPONENTS and places:
        places.add(charts.behind_label(COMPONENTS[page]))
    for place in places:
        assert place in tables, f"{place!r} is on the page"
        assert tables[place] or page == "playground", f"{place!r} has a table"


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
