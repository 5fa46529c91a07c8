"""Every page opens through the router, and the frame around the pages keeps its promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pages._shared.shell import _PLANNED, PAGES
from tests.app.helpers import ROOT, open_page, texts

FILES = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "pages").glob("*.py") if p.name != "__init__.py")


def test_each_page_file_has_its_line_in_the_menu():
    assert sorted(entry.path for entry in PAGES) == FILES
    assert set(FILES) <= {entry.path for entry in _PLANNED}


@pytest.mark.parametrize("path", FILES)
def test_page_guards_its_deep_links(path):
    assert f'guard("{path}")' in (ROOT / path).read_text(encoding="utf8")


def test_start_shows_the_picture_links_and_a_certified_digit():
    at = open_page()
    assert not at.exception
    words = texts(at)
    assert "safe radius" in words
    assert "Reads **7**. Safe to **0.0012**" in words
    assert len(at.get("page_link")) == len(PAGES) - 1


@pytest.mark.parametrize("path", ["pages/start.py", "pages/digits.py"])
def test_lecture_view_has_no_controls(path):
    at = open_page(path, present="1")
    assert not at.exception
    assert not at.selectbox
    assert not at.expander


def test_first_page_needs_nothing_heavy():
    """The picture is on the screen before torch, cvxpy or scipy are imported, and the page asks for no plotly."""
    code = (
        "import sys, app_parts\n"
        "heavy = {'torch', 'cvxpy', 'scipy', 'shapely', 'relucert_core.network'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    ).replace("app_parts", "pages._shared.shell, pages._shared.figure1_live")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    start = Path(ROOT / "pages/start.py").read_text(encoding="utf8")
    top = [line for line in start.splitlines() if line.startswith(("import ", "from "))]
    assert {line.split()[1] for line in top} <= {
        "__future__",
        "streamlit",
        "pages._shared.figure1_live",
        "pages._shared.shell",
    }
