"""The lecture hall's view (`?present=1`): the way out, the list of keys, and a code that brings the view to phones."""

from __future__ import annotations

import io
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.shared.component import BrowserComponent

HINT_SECONDS = 3
_HALL = BrowserComponent("hall", __file__, html="hall.html", css="hall.css", js=["hall.js"])
_ALWAYS = (("r", "back to the beginning"), ("?", "this list, with the code for phones"), ("Esc", "leave this view"))
KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "start": (("1, 2", "cases (a) and (b) of Figure 1"), ("arrows", "move u, once it is chosen")),
    "playground": (("1 to 8", "the presets"), ("arrows", "move u, once it is chosen")),
    "lesson": (("← →", "steps"), ("1 to 5", "answer an open question"), ("1 to 5", "else: places for u")),
    "digits": (("0 to 9", "a digit of that class"), ("arrows", "through the gallery, once it is chosen")),
    "experiments": (("1 to 3", "Figure 2a, Figure 2b, Table 1"),),
    "beyond": (("1 to 3", "the prepared searches"),),
}


def hall(page: str) -> None:
    """Mount it at the end of a run, when the address says what is shown."""
    address = link_without_hall()
    keys = [*KEYS.get(page, ()), *_ALWAYS]
    data = {"keys": keys, "address": address, "code": code_of(address), "seconds": HINT_SECONDS}
    _HALL("hall", data, on_ask_change=lambda: None)


def link_without_hall() -> str:
    """The address of the view as anyone opens it."""
    query = urlencode({name: st.query_params[name] for name in st.query_params if name != "present"}, safe=",~")
    parts = urlsplit(st.context.url or "")
    return urlunsplit((parts.scheme or "http", parts.netloc or "localhost", parts.path, query, ""))


@st.cache_data(max_entries=64, show_spinner=False)
def code_of(address: str) -> list[str]:
    """The QR code of an address as lines of 0 and 1, without its quiet zone; [] where it is too long for one."""
    import segno

    out = io.StringIO()
    try:
        segno.make_qr(address, error="l").save(out, kind="txt", border=0)
    except segno.DataOverflowError:
        return []
    return out.getvalue().split()
