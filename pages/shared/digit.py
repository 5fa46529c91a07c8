"""The digit in view on the pages that have one: fields of their records, and the digit that these fields mean.

A shipped image is named by its index, a drawn or uploaded one travels in the link, packed without loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from pages.shared.fields import choice, number, word
from pages.shared.state import PageState
from relucert_core.ranges import Range

GALLERY, DRAWN, UPLOADED = "gallery", "drawn", "uploaded"
FROM_GALLERY, DRAW, UPLOAD = "Gallery", "Draw", "Upload"
ALL, MISREAD = "All digits", "Misread ones"
WAYS = {name: name for name in (FROM_GALLERY, DRAW, UPLOAD)}
IMAGES = Range(0, 999, whole=True)
PER_PART = 60
PARTS = Range(0, -(-int(IMAGES.most + 1) // PER_PART), whole=True)
_GIVEN, _REMEMBERED = "digits_given", 8


def _unpack(text: str) -> Any:
    from relucert_core.datasets.packing import unpack_digit

    return unpack_digit(text)


@dataclass(frozen=True)
class DigitFields:
    """What a page with a digit has among its fields.

    ink: a drawn or uploaded digit, packed; it goes before `image`. part: which part of the gallery is shown, 0 for the
    one with the digit in view.
    """

    way: str = choice(FROM_GALLERY, WAYS, "Digit from", look="segmented")

    image: int = number(0, IMAGES, "Test image", link="digits_image")
    ink: str = word(_unpack, "The digit", link="digits_ink")
    filter: str = choice(
        ALL, {name: name for name in (ALL, *"0123456789", MISREAD)}, "Show", link="digits_filter",
        help="The keys 0 to 9 show the first image of that digit, r goes back to the first of all.",
    )  # fmt: skip
    part: int = number(0, PARTS, "Part of the gallery", link="digits_part")


F = TypeVar("F", bound=DigitFields)


@dataclass(frozen=True)
class Digit:
    """What is certified: 784 bytes, where they come from, the index of a shipped image, and what was given (a PNG)."""

    source: str
    pixels: bytes
    index: int | None = None
    given: bytes | None = None


def digit_of(fields: DigitFields) -> Digit:
    """The digit that the fields mean."""
    import numpy as np

    if not fields.ink:
        return gallery_digit(fields.image)
    source, given = st.session_state.get(_GIVEN, {}).get(fields.ink, (DRAWN, None))
    return Digit(source, np.rint(_unpack(fields.ink) * 255).astype(np.uint8).tobytes(), given=given)


def gallery_digit(index: int) -> Digit:
    """The shipped image `index`."""
    from pages.shared.engine import sample

    levels, _ = sample()
    return Digit(GALLERY, levels[index].tobytes(), index)


def show(state: PageState[F], digit: Digit) -> None:
    """Put a digit in view. What was given of a drawn or uploaded one stays in the session, the last few of them."""
    if digit.index is not None:
        state.change(image=digit.index, ink="", part=0)
        return
    ink = packed(digit)
    known = {**st.session_state.get(_GIVEN, {}), ink: (digit.source, digit.given)}
    st.session_state[_GIVEN] = dict(list(known.items())[-_REMEMBERED:])
    state.change(ink=ink)


def packed(digit: Digit) -> str:
    """The digit as the word that travels in links."""
    import numpy as np

    from relucert_core.datasets.packing import pack_digit

    return pack_digit(np.frombuffer(digit.pixels, np.uint8))
