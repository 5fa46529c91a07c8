"""The digit in view and the link that brings it back.

A shipped image is named in the link by its index (`digits_image`), a drawn or uploaded one travels in it, packed
without loss (`digits_ink`). Network and norm are bound to the link by their widgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.shared import link as links

IMAGE, INK = "digits_image", "digits_ink"
_DIGIT, _PAGE = "digits_shown", "digits"
GALLERY, DRAWN, UPLOADED = "gallery", "drawn", "uploaded"


@dataclass(frozen=True)
class Digit:
    """What is certified: 784 bytes, where they come from, the index of a shipped image, and what was given (a PNG)."""

    source: str
    pixels: bytes
    index: int | None = None
    given: bytes | None = None


def current_digit() -> Digit:
    """The digit in view: the link's when somebody changed it, else the session's, else the first image.

    A damaged link raises InvalidInput once; after it the first image is shown.
    """
    link = {key: st.query_params[key] for key in (IMAGE, INK) if key in st.query_params}
    changed = bool(link) and links.changed_by_hand(_PAGE, link)
    if changed or _DIGIT not in st.session_state:
        st.session_state.setdefault(_DIGIT, gallery_digit(0))
        if changed:
            links.wrote(_PAGE, link)
            st.session_state[_DIGIT] = _from_link(link)
    digit: Digit = st.session_state[_DIGIT]
    return digit


def show(digit: Digit) -> None:
    """Put a digit in view; the link follows with `write_link`."""
    st.session_state[_DIGIT] = digit


def gallery_digit(index: int) -> Digit:
    """The shipped image `index`; InvalidInput when there is none."""
    from pages.shared.engine import sample
    from relucert_core.errors import InvalidInput

    levels, _ = sample()
    if not 0 <= index < len(levels):
        raise InvalidInput(f"The link asks for test image {index}; there are images 0 to {len(levels) - 1}.")
    return Digit(GALLERY, levels[index].tobytes(), index)


def write_link(digit: Digit) -> None:
    """Make the browser's address a link to this digit."""
    links.write(_PAGE, link_of(digit), (IMAGE, INK))


def link_of(digit: Digit) -> dict[str, str]:
    """The part of the link that names the digit."""
    if digit.index is not None:
        return {IMAGE: str(digit.index)}
    return {INK: packed(digit)}


def packed(digit: Digit) -> str:
    """The digit as the word that travels in links."""
    import numpy as np

    from relucert_core.datasets.pictures import pack_digit

    return pack_digit(np.frombuffer(digit.pixels, np.uint8))


def address(parameters: dict[str, str]) -> str:
    """The full address of this page with these parameters, or only them where the address is not known."""
    query = urlencode(parameters)
    parts = urlsplit(st.context.url or "")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")) if parts.netloc else f"?{query}"


def _from_link(link: dict[str, str]) -> Digit:
    import numpy as np

    from relucert_core.datasets.pictures import unpack_digit
    from relucert_core.errors import InvalidInput

    if INK in link:
        point = unpack_digit(link[INK])
        return Digit(DRAWN, np.rint(point * 255).astype(np.uint8).tobytes())
    if not (link[IMAGE].isascii() and link[IMAGE].isdigit() and len(link[IMAGE]) < 8):
        raise InvalidInput("The link's image is no number: test images are named 0 to 999.")
    return gallery_digit(int(link[IMAGE]))
