"""Every page opens through the router, and the frame around the pages keeps its promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

import relucert_core as rc
from pages.shared.shell import _PLANNED, PAGES
from relucert_core.words import down, up
from tests.pages.helpers import ROOT, open_page, texts

FILES = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "pages").glob("*/page.py"))


def test_each_page_file_has_its_line_in_the_menu():
    assert sorted(entry.path for entry in PAGES) == FILES
    assert set(FILES) <= {entry.path for entry in _PLANNED}


def test_each_page_has_its_numbered_door():
    doors = sorted((ROOT / "pages").glob("[0-9]*.py"))
    assert [door.stem for door in doors] == [f"{i}_{entry.url}" for i, entry in enumerate(PAGES, 1)]
    for door in doors:
        assert (ROOT / "app.py").read_text(encoding="utf8").endswith(door.read_text(encoding="utf8"))


def test_start_shows_the_picture_links_and_a_certified_digit():
    at = open_page()
    assert not at.exception
    words = texts(at)
    assert "safe radius" in words
    best = rc.best_known(rc.load_model("mnist-1024-512"), rc.mnist_sample()[0][0])
    assert f"Reads **7**. Safe to **{down(best.lower)}**; fooled at **{up(best.upper)}** (L2)." in words
    assert len(at.get("page_link")) == len(PAGES) - 1


@pytest.mark.parametrize("path", ["start", "digits"])
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
    ).replace("app_parts", "pages.shared.shell, pages.start.figure1_live")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    start = (ROOT / "pages/start/page.py").read_text(encoding="utf8")
    top = [line for line in start.splitlines() if line.startswith(("import ", "from "))]
    assert {line.split()[1] for line in top} <= {
        "__future__",
        "streamlit",
        "pages.start.figure1_live",
        "pages.shared.keys",
        "pages.shared.shell",
        "pages.start.state",
    }
