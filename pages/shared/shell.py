"""The frame around every page: the menu, the look, and the view for a lecture hall.

Until somebody has opened the app's first page, Streamlit runs the file in `pages/` that a deep link names. That is one
of the numbered doors (`pages/1_start.py`, ...), which does what app.py does; the pages themselves lie in folders.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.shared.descriptors import give_back_descriptors
from pages.shared.memory import give_back_soon
from pages.shared.text import plain, say_problem
from relucert_core.errors import InvalidInput
from relucert_core.paths import ROOT
from relucert_core.places.settings import imprint
from relucert_core.threads import spare_threads

spare_threads()  # every door of the app comes through here, before any page imports NumPy

STYLE = Path(__file__).with_name("style.css")
DARK_STYLE = Path(__file__).with_name("dark.css")
PRESENT_STYLE = Path(__file__).with_name("present.css")
DRESSED, HEAD_START = "shell_dressed", 0.4  # seconds in which a browser takes the style sheet in
SOURCE = "Singla and Feizi, Robustness Certificates Against Adversarial Examples for ReLU Networks (2019)"


@dataclass(frozen=True)
class PageEntry:
    """A line of the menu: file in the project, title, icon and what the page is for, in one sentence."""

    path: str
    title: str
    icon: str
    purpose: str

    @property
    def url(self) -> str:
        """The page's place in the address."""
        return self.path.split("/")[1]


_PLANNED = (
    PageEntry("pages/start/page.py", "Start", ":material/home:", "What a certificate is, in one picture."),
    PageEntry(
        "pages/playground/page.py",
        "Playground",
        ":material/polyline:",
        "Drag a point through the regions of a small network and watch its safe circle.",
    ),
    PageEntry(
        "pages/lesson/page.py",
        "Lesson",
        ":material/school:",
        "The four theorems and Algorithm 1, step by step.",
    ),
    PageEntry(
        "pages/digits/page.py",
        "Digits",
        ":material/draw:",
        "Draw or pick a digit and see how far it is from being read as another.",
    ),
    PageEntry(
        "pages/experiments/page.py",
        "Experiments",
        ":material/monitoring:",
        "The paper's figures and table, run again here.",
    ),
    PageEntry(
        "pages/beyond/page.py",
        "Beyond",
        ":material/explore:",
        "Grow the ball to the exact distance.",
    ),
)
PAGES: tuple[PageEntry, ...] = tuple(entry for entry in _PLANNED if (ROOT / entry.path).is_file())


def _dress() -> None:
    """The style sheet, before anything else, and a visitor's first time with a head start.

    The browser fetches what shows it; whatever is drawn before would be drawn in the framework's own sizes, and jump.
    """
    st.html(STYLE)
    if presenting():
        st.html(PRESENT_STYLE)
    if DRESSED not in st.session_state and st.context.headers:  # no headers: no browser
        time.sleep(HEAD_START)
    st.session_state[DRESSED] = True


def run_app() -> None:
    """Draw the menu and run the page that is asked for; the whole of app.py."""
    import pandas as pd  # noqa: F401 - whole, before a page draws: plotly takes one that another visitor's run is importing

    _dress()
    st.set_page_config(page_title="Relucert", page_icon="🔷", layout="wide")
    give_back_descriptors()
    give_back_soon()
    pages = [st.Page(p.path, title=p.title, icon=p.icon, url_path=p.url, default=p is PAGES[0]) for p in PAGES]
    current = st.navigation(pages, position="hidden" if presenting() else "sidebar")
    if theme_name() == "dark":
        st.html(DARK_STYLE)
    st.set_page_config(page_title=f"{current.title} · Relucert")
    current.run()
    if presenting():
        from pages.shared.hall import hall  # the shell is imported before everything that draws

        hall(current.url_path or PAGES[0].url)


def presenting() -> bool:
    """Is this the view for a lecture hall (`?present=1`)?"""
    return st.query_params.get("present") == "1"


def headline(text: str) -> None:
    """The page's first sentence as a heading: below its title, or, in a lecture hall, in the title's place."""
    st.markdown(f"{'#' if presenting() else '##'} {text}")


def theme_name() -> str:
    """ "light" or "dark", as the visitor's browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def footer() -> None:
    """Where the mathematics comes from, at the foot of a page, and whose server this is, where that was set."""
    if not presenting():
        st.caption(
            f"After {SOURCE}; the same radius was found by Croce, Andriushchenko and Hein (2018). "
            "Certified numbers are computed in Python with outward rounding."
        )
        _imprint()


def _imprint() -> None:
    try:
        links = [f"[{plain(link.words)}]({link.address})" for link in imprint()]
    except InvalidInput as problem:
        say_problem(problem)
        return
    if links:
        st.caption(" · ".join(links))
