"""Where a digit comes from: the gallery, the drawing pad or an upload. Each puts its digit in view."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.shared import engine
from pages.shared.control import control, reading
from pages.shared.digit import DRAW, DRAWN, MISREAD, PER_PART, UPLOAD, UPLOADED, Digit, gallery_digit, show
from pages.shared.digit_pad import digit_pad, drawn_picture
from pages.shared.gallery import gallery, picked_image
from pages.shared.places import Busy
from pages.shared.state import PageState
from pages.shared.text import say_problem
from pages.shared.uploads import count_upload
from relucert_core.errors import RelucertError

if TYPE_CHECKING:
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

State = PageState[Any]
_PROBLEM, _READINGS = "problem", "readings"
_READ_BY = ("Ink is what stands out from the paper beside it", "Ink is what stands out from the whole sheet")


def source_panel(state: State, net: Network, card: ModelCard, digit: Digit) -> None:
    """The panel of the chosen one of the three ways, and the last problem with it, in one sentence.

    state: of a page whose fields are DigitFields and more.
    """
    if state.now.way == DRAW:
        st.markdown("Draw one digit. Lift the pen and it is certified.")
        digit_pad(_key(state, "pad"), partial(_drawn, state), _in_the_pad(digit))
    elif state.now.way == UPLOAD:
        _upload_panel(state)
        _ask_which(state, digit)
    else:
        _gallery_panel(state, net, card, digit)
    problem = st.session_state.pop(_key(state, _PROBLEM), None)
    if problem:
        say_problem(problem)


def _key(state: State, name: str) -> str:
    return f"{state.page}_{name}"


def class_of(card: ModelCard, digit: int) -> int | None:
    """The class of a digit for this network, None when its recipe leaves that digit out."""
    label = card.labels[digit]
    return None if label is None else int(label)


def _gallery_panel(state: State, net: Network, card: ModelCard, digit: Digit) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    state.control("filter", left, then=partial(_filtered, state, net, card, digit))
    indices = _matching(state.now.filter, net, card)
    part = _part_input(state, right, indices, digit)
    shown = indices[(part - 1) * PER_PART : part * PER_PART]
    if not len(shown):
        st.info("This network misreads none of the shipped images.")
        return
    gallery_strip(state, net, card, digit, shown)


def lecture_strip(state: State, net: Network, card: ModelCard, digit: Digit) -> None:
    """The gallery of a lecture hall: the strip alone, with the digit in view among its images."""
    first = (digit.index or 0) // PER_PART * PER_PART
    gallery_strip(state, net, card, digit, np.arange(len(engine.sample()[1]))[first : first + PER_PART])


def gallery_strip(state: State, net: Network, card: ModelCard, digit: Digit, shown: np.ndarray) -> None:
    """The images `shown` in a strip; a click puts one in view."""
    key = _key(state, "gallery")
    gallery(key, shown.tolist(), _notes(shown, net, card), digit.index, partial(_picked, state, key))


def _part_input(state: State, place: st.delta_generator.DeltaGenerator, indices: np.ndarray, digit: Digit) -> int:
    """Which 60 of the matching images are shown: those that were asked for, else those with the digit in view."""
    parts = max(1, -(-len(indices) // PER_PART))
    where = np.flatnonzero(indices == digit.index)
    own = 1 + int(where[0]) // PER_PART if len(where) else 1
    part = min(state.now.part or own, parts)
    key, first = control(_key(state, "part"), part)
    place.number_input(
        f"Part (of {parts})", 1, parts, min(first, parts), key=key, disabled=parts == 1, on_change=_turned,
        args=(state,),
    )  # fmt: skip
    return part


def _filtered(state: State, net: Network, card: ModelCard, digit: Digit) -> None:
    """Another choice of images begins at its first part; of the misread ones the first is put in view."""
    state.change(part=0)
    indices = _matching(state.now.filter, net, card)
    if state.now.filter == MISREAD and len(indices) and digit.index not in indices:
        show(state, gallery_digit(int(indices[0])))


def _turned(state: State) -> None:
    state.change(part=int(reading(_key(state, "part"))))


def _matching(chosen: str, net: Network, card: ModelCard) -> np.ndarray:
    _, labels = engine.sample()
    if chosen == MISREAD:
        truth = [class_of(card, d) for d in range(10)]
        wanted = np.array([-1 if c is None else c for c in truth])[labels]
        return np.flatnonzero((wanted >= 0) & (engine.sample_readings(net) != wanted))
    return np.flatnonzero(labels == int(chosen)) if chosen.isdigit() else np.arange(len(labels))


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


def _picked(state: State, key: str) -> None:
    index = picked_image(key, len(engine.sample()[1]))
    if index is not None:
        show(state, gallery_digit(index))


def _drawn(state: State) -> None:
    data = drawn_picture(_key(state, "pad"))
    if data is not None:
        _take(state, data)


def _in_the_pad(digit: Digit) -> bytes | None:
    """What lies in the pad before a stroke: what was drawn; of a link that was opened, what the network sees of it."""
    from relucert_core.figures.digits import digit_png

    if digit.index is not None:
        return None
    return digit.given if digit.source == DRAWN and digit.given else digit_png(engine.as_point(digit.pixels), scale=1)


def _upload_panel(state: State) -> None:
    st.file_uploader(
        "A picture of one digit: PNG or JPEG, up to 4 megapixels, dark on light or light on dark",
        type=["png", "jpg", "jpeg"],
        key=_key(state, "upload"),
        on_change=_uploaded,
        args=(state,),
        max_upload_size=10,
    )


def _uploaded(state: State) -> None:
    file = st.session_state.get(_key(state, "upload"))
    if file is not None:
        _take(state, file.getvalue(), uploaded=True)


def _take(state: State, data: bytes, *, uploaded: bool = False) -> None:
    """Turn a picture file into the digit in view, or remember in one sentence why that's not possible.

    An upload's likelier reading comes first, and the other one is offered; a drawing has no shadow.
    """
    st.session_state.pop(_key(state, _READINGS), None)
    try:
        if uploaded:
            count_upload(len(data))
        readings, given = engine.readings_of(data), engine.preview(data)
    except (RelucertError, Busy) as error:
        st.session_state[_key(state, _PROBLEM)] = str(error)
        return
    choices = [Digit(UPLOADED if uploaded else DRAWN, pixels, given=given) for pixels in readings]
    if uploaded and len(choices) == 2:
        st.session_state[_key(state, _READINGS)] = choices
    show(state, choices[0] if uploaded else choices[-1])


def _ask_which(state: State, digit: Digit) -> None:
    """Both readings of an upload that may be read in two ways, side by side, to choose from."""
    choices = st.session_state.get(_key(state, _READINGS))
    if not choices:
        return
    st.markdown("**The picture can be read in two ways**, as with a hard shadow across the sheet. Which one is meant?")
    for number, (place, choice, words) in enumerate(zip(st.columns(2), choices, _READ_BY, strict=True), start=1):
        with place:
            st.image(np.frombuffer(choice.pixels, np.uint8).reshape(28, 28), caption=words, width=112)
            chosen = choice.pixels == digit.pixels
            st.button(
                f"Reading {number} is in view" if chosen else f"Take reading {number}",
                key=_key(state, f"reading_{number}"),
                disabled=chosen,
                on_click=show,
                args=(state, choice),
            )
