"""The digit behind a mark of Figure 2: its picture under the pointer, and a click that opens it in Digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.component import BrowserComponent, sent_event, whole
from pages.shared.digit import IMAGES
from pages.shared.engine import digit_networks
from pages.shared.gallery import thumbnail

if TYPE_CHECKING:
    from relucert_core.experiments.records import Record

HINT = "A mark shows its digit under the pointer; a click (with a finger a second tap) opens it in Digits."
_KEY, _OPEN = "experiments_marks", "experiments_open"
_MARKS = BrowserComponent("experiments_marks", __file__, js=["marks.js"])


def mount(record: Record) -> None:
    """Listen to the marks of all figures of the record; images that do not ship have no picture and open nothing."""
    charts = {f"experiments_{record.experiment}-{panel.network}": panel.network for panel in record.panels}
    images = {index for panel in record.panels for index in panel.images if IMAGES.least <= index <= IMAGES.most}
    data = {"charts": charts, "pictures": {str(index): thumbnail(index) for index in sorted(images)}}
    _MARKS(_KEY, data, default={"picked": None}, on_picked_change=take)


def take() -> None:
    """A mark was clicked: keep what it stands for until `follow`, since a callback cannot change the page."""
    found = chosen(sent_event(_KEY, "picked"))
    if found is not None:
        st.session_state[_OPEN] = found


def chosen(value: object) -> tuple[str, int] | None:
    """The network and the image that the browser names, or None for anything but a shipped network and image."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    network, image = value[0], whole(value[1], int(IMAGES.least), int(IMAGES.most))
    return (network, image) if image is not None and network in list(digit_networks()) else None


def follow() -> None:
    """Open the link to the digit in Digits when its mark was clicked."""
    if _OPEN in st.session_state:
        network, image = st.session_state.pop(_OPEN)
        st.switch_page("pages/digits/page.py", query_params={"digits_net": network, "digits_image": str(image)})
