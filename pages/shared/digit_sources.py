"""Where a digit comes from: the gallery, the drawing pad or an upload. Each puts its digit in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared import digit as state
from pages.shared import engine
from pages.shared.digit import Digit
from pages.shared.digit_pad import digit_pad, drawn_picture
from pages.shared.gallery import gallery, picked_image
from relucert_core.errors import RelucertError

if TYPE_CHECKING:
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

GALLERY, DRAW, UPLOAD = "Gallery", "Draw", "Upload"
WAYS = (GALLERY, DRAW, UPLOAD)
_PROBLEM = "digits_problem"
_STRIP, _PAD, _FILE, _FILTER, _PART = "digits_gallery", "digits_pad", "digits_upload", "digits_filter", "digits_part"
_PER_PART = 60
_KEYS_HELP = "The keys 0 to 9 show the first image of that digit, r goes back to the first of all."
ALL, MISREAD = "All digits", "Misread ones"


def source_panel(way: str, net: Network, card: ModelCard, digit: Digit) -> None:
    """The panel of one of the three ways, and the last problem with it, in one sentence."""
    if way == DRAW:
        _draw_panel()
    elif way == UPLOAD:
        _upload_panel()
    else:
        _gallery_panel(net, card, digit)
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.error(problem)


def class_of(card: ModelCard, digit: int) -> int | None:
    """The class of a digit for this network, None when its recipe leaves that digit out."""
    label = card.recipe.get("labels", list(range(10)))[digit]
    return None if label is None else int(label)


def _gallery_panel(net: Network, card: ModelCard, digit: Digit) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    options = [ALL, *"0123456789", MISREAD]
    chosen = left.selectbox("Show", options, key=_FILTER, bind="query-params", help=_KEYS_HELP)
    indices = _matching(chosen, net, card)
    parts = max(1, -(-len(indices) // _PER_PART))
    part = _part_input(right, parts, indices, digit)
    shown = indices[(part - 1) * _PER_PART : part * _PER_PART]
    if not len(shown):
        st.info("This network misreads none of the shipped images.")
        return
    gallery(_STRIP, shown.tolist(), _notes(shown, net, card), digit.index, _picked)


def _part_input(place: st.delta_generator.DeltaGenerator, parts: int, indices: np.ndarray, digit: Digit) -> int:
    """Which 60 of the matching images are shown; a link's image is in the first view."""
    if _PART not in st.session_state:
        where = np.flatnonzero(indices == digit.index)
        st.session_state[_PART] = 1 + int(where[0]) // _PER_PART if len(where) else 1
    st.session_state[_PART] = min(max(int(st.session_state[_PART]), 1), parts)
    return int(place.number_input(f"Part (of {parts})", 1, parts, key=_PART, disabled=parts == 1))


def _matching(chosen: str, net: Network, card: ModelCard) -> np.ndarray:
    _, labels = engine.sample()
    if chosen == MISREAD:
        truth = [class_of(card, d) for d in range(10)]
        wanted = np.array([-1 if c is None else c for c in truth])[labels]
        return np.flatnonzero((wanted >= 0) & (engine.sample_readings(net) != wanted))
    return np.flatnonzero(labels == int(chosen)) if chosen != ALL else np.arange(len(labels))


def _notes(indices: np.ndarray, net: Network, card: ModelCard) -> list[tuple[str, str]]:
    """Words for each image, and what a misread one is read as."""
    _, labels = engine.sample()
    readings = engine.sample_readings(net)
    notes = []
    for index in indices:
        wanted, read = class_of(card, int(labels[index])), int(readings[index])
        misread = card.classes[read] if wanted is not None and read != wanted else ""
        words = f"Test image {index}, a {labels[index]}" + (f", misread as {misread}" if misread else "")
        notes.append((words, misread))
    return notes


def _picked() -> None:
    index = picked_image(_STRIP, len(engine.sample()[1]))
    if index is not None:
        state.show(state.gallery_digit(index))


def _draw_panel() -> None:
    st.markdown("Draw one digit. Lift the pen and it is certified.")
    digit_pad(_PAD, _drawn)


def _drawn() -> None:
    data = drawn_picture(_PAD)
    if data is not None:
        _take(data, state.DRAWN)


def _upload_panel() -> None:
    st.file_uploader(
        "A picture of one digit: PNG or JPEG, up to 4 megapixels, dark on light or light on dark",
        type=["png", "jpg", "jpeg"],
        key=_FILE,
        on_change=_uploaded,
    )


def _uploaded() -> None:
    file = st.session_state.get(_FILE)
    if file is not None:
        _take(file.getvalue(), state.UPLOADED)


def _take(data: bytes, source: str) -> None:
    """Turn a picture file into the digit in view, or remember in one sentence why that's not possible."""
    try:
        state.show(Digit(source, engine.digit_of(data), given=engine.preview(data)))
    except (RelucertError, engine.Busy) as error:
        st.session_state[_PROBLEM] = str(error)
