"""The gallery: a strip of the shipped test images, a browser component that says which one was picked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from pages.shared.component import BrowserComponent, sent_event, whole

_STRIP = BrowserComponent(
    "gallery",
    __file__,
    html='<div class="strip" role="group" aria-label="Test images: choose one"></div>',
    css="gallery.css",
    js=["gallery.js"],
)


def gallery(
    key: str, indices: Sequence[int], notes: Sequence[tuple[str, str]], picked: int | None, on_pick: Callable[[], None]
) -> None:
    """Show the images `indices`; notes: for each its words and, where it is misread, what it is read as."""
    items = [
        {"index": int(index), "src": thumbnail(int(index)), "words": words, "misread": misread}
        for index, (words, misread) in zip(indices, notes, strict=True)
    ]
    version = f"{indices[0]}-{indices[-1]}-{len(items)}-{hash(tuple(notes))}" if items else "empty"
    data = {"items": items, "picked": -1 if picked is None else picked, "version": version}
    _STRIP(key, data, default={"picked": None}, on_picked_change=on_pick)


def picked_image(key: str, count: int) -> int | None:
    """The index that the strip reports, or None when it reports none of the `count` images."""
    return whole(sent_event(key, "picked"), 0, count - 1)


@lru_cache(1000)  # sixty of them stand on a page: a cache that copies its values takes ten times as long
def thumbnail(index: int) -> str:
    """A shipped image as a data URL."""
    from pages.shared.engine import sample
    from relucert_core.figures.digits import digit_png

    levels, _ = sample()
    png = digit_png(np.asarray(levels[index]) / 255.0, scale=1)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
