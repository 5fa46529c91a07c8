"""Cached calls of the engine: everything a page computes comes through here.

Answers are kept by the network's digest and the picture's 784 bytes, up to a fixed number of them; networks are shared
and immutable. torch is imported on the first call, not when a page is opened. At most two heavy computations run at
once in the whole server; a visitor who waits too long gets `Busy`, with a sentence.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.memory import give_back_soon
from relucert_core.arrays import Vector
from relucert_core.deadline import ends_at

if TYPE_CHECKING:
    from relucert_core.attacks.result import Attack
    from relucert_core.certificates.result import Certificate
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

HASH: dict[str | type[Any], Callable[[Any], Any]] = {"relucert_core.network.Network": lambda net: net.digest}
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.05
_PATIENT_SECONDS = 30.0  # for any method: a network of somebody's own may be of any size
AUTOMATIC_SECONDS = 1.0  # for methods that improve as long as they run


def job_seconds() -> float:
    """How long a page may work on one digit unasked: RELUCERT_JOB_SECONDS, 0 to 3600, else 20 seconds."""
    try:
        value = float(os.environ.get("RELUCERT_JOB_SECONDS", ""))
    except ValueError:
        return 20.0
    return value if 0 <= value <= 3600 else 20.0


class Busy(Exception):
    """The server has no free place for a heavy computation; the message says so to the visitor."""


@st.cache_resource(max_entries=1, show_spinner=False)
def _places() -> threading.BoundedSemaphore:
    import torch

    torch.set_num_threads(1)
    return threading.BoundedSemaphore(2)


@contextlib.contextmanager
def heavy() -> Iterator[None]:
    """A place for heavy work; raises Busy when none comes free within a minute.

    Streamlit gives way to a visitor's click only where the script calls it, so one that waits here has to ask.
    """
    places, begun = _places(), time.monotonic()
    while not places.acquire(timeout=_LOOK_SECONDS):
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise Busy("Many visitors are computing at the moment. Please try again in a minute.")
        give_way()
    try:
        yield
    finally:
        places.release()
        give_back_soon()


def give_way() -> None:
    """End this run of the script here when its visitor has clicked meanwhile: the click starts another one."""
    if get_script_run_ctx(suppress_warning=True) is not None:
        _ = "a look at it" in st.session_state  # where Streamlit gives way


@st.cache_resource(max_entries=1, show_spinner=False)
def cards() -> dict[str, ModelCard]:
    """The cards of the shipped networks by name."""
    import relucert_core as rc

    return {card.name: card for card in rc.list_models()}


@st.cache_resource(max_entries=8, show_spinner=False)
def network(name: str) -> Network:
    """A shipped network."""
    import relucert_core as rc

    return rc.load_model(name)


@st.cache_resource(max_entries=1, show_spinner=False)
def sample() -> tuple[np.ndarray, np.ndarray]:
    """The shipped test images as bytes (1000, 784) uint8 and their labels (1000,), read-only."""
    import relucert_core as rc

    images, labels = rc.mnist_sample()
    levels = np.rint(images * 255).astype(np.uint8)
    levels.flags.writeable = labels.flags.writeable = False
    return levels, labels


def as_point(pixels: bytes) -> Vector:
    """784 bytes as the float64 point that the network sees, (784,) in [0, 1]."""
    return np.frombuffer(pixels, np.uint8) / 255.0


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=HASH)
def sample_readings(net: Network) -> np.ndarray:
    """What the network reads in each of the shipped images, (1000,)."""
    with heavy():
        return np.asarray(net(sample()[0] / 255.0).argmax(-1))


def reading(net: Network, point: np.ndarray, label: int) -> int:
    """What a point (784,) proved adversarial against `label` is read as: the best of the other classes."""
    logits = np.array(net(point))
    logits[label] = -np.inf
    return int(logits.argmax())


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=HASH)
def certificate(net: Network, pixels: bytes, method: str, norm: float) -> Certificate:
    """The certificate of one picture; a method that runs as long as it may gets a second."""
    import relucert_core as rc

    timed = "max_seconds" in rc.CERTIFICATES[method].options
    options: dict[str, Any] = {"max_seconds": AUTOMATIC_SECONDS} if timed else {}
    with heavy(), ends_at(time.perf_counter() + _PATIENT_SECONDS):
        return rc.certify(net, as_point(pixels), method=method, norm=norm, **options)


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=HASH)
def adversarial(net: Network, pixels: bytes, method: str, norm: float, valid_pixels: bool) -> Attack:
    """One attack on one picture; where its steps find nothing it may start from the shipped images."""
    import relucert_core as rc

    with heavy():
        return rc.attack(
            net,
            as_point(pixels),
            method=method,
            norm=norm,
            bounds=(0.0, 1.0) if valid_pixels else None,
            starts=sample()[0] / 255.0,
        )


@st.cache_data(max_entries=256, show_spinner=False)
def readings_of(data: bytes) -> list[bytes]:
    """The one or two digits that a picture file may show, likeliest first, 784 bytes each as MNIST would have them.

    The last one goes by the levels of the whole sheet. Raises InvalidInput with one sentence.
    """
    from relucert_core.datasets.pictures import readings_of_picture

    with heavy():
        return [np.rint(digit * 255).astype(np.uint8).tobytes() for digit in readings_of_picture(data)]


def preview(data: bytes, side: int = 280) -> bytes:
    """A small grey PNG of a picture file that `readings_of` has accepted."""
    import io

    from PIL import Image

    from relucert_core.datasets.picture_files import decode_picture
    from relucert_core.datasets.pictures import MAX_PIXELS

    gray = decode_picture(data, MAX_PIXELS)
    image = Image.fromarray(np.rint(gray * 255).astype(np.uint8))
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
