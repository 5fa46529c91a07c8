"""Cached calls of the engine: everything a page computes comes through here.

Answers are kept by the network's digest and the picture's 784 bytes, up to a fixed number of them; networks are shared
and immutable. torch is imported on the first call, not when a page is opened. What is heavy is computed in worker
processes, see `pages.shared.places`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.shared.places import Kept, Say, asked, heavy
from relucert_core.arrays import Vector
from relucert_core.errors import InvalidInput
from relucert_core.places.settings import JOB_SECONDS

if TYPE_CHECKING:
    from relucert_core.attacks.result import Attack
    from relucert_core.certificates.result import Certificate
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

HASH: dict[str | type[Any], Callable[[Any], Any]] = {"relucert_core.network.Network": lambda net: net.digest}
CLOSED_FORMS = ("simplex", "decision-boundary")  # some forward passes
_PATIENT_SECONDS = 30.0  # for any method: a network of somebody's own may be of any size
_ATTACK_SECONDS = 20.0
AUTOMATIC_SECONDS = 1.0  # for methods that improve as long as they run


def job_seconds() -> float:
    """How long a page may work on one digit unasked: RELUCERT_JOB_SECONDS, 0 to 3600, else 20 seconds."""
    try:
        return JOB_SECONDS.read()
    except InvalidInput:  # said where the settings are checked
        return JOB_SECONDS.usual or 0.0


@st.cache_resource(max_entries=1, show_spinner=False)
def cards() -> dict[str, ModelCard]:
    """The cards of the shipped networks by name."""
    import relucert_core as rc

    return {card.name: card for card in rc.list_models()}


def digit_networks() -> dict[str, str]:
    """The shipped networks that take pictures of digits, by name, in words."""
    from pages.shared.words import network_words

    return {
        name: network_words(name, card.architecture, card.test_accuracy, card.title)
        for name, card in cards().items()
        if card.architecture[0] == 784
    }


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


def certificate(net: Network, pixels: bytes, method: str, norm: float, say: Say | None = None) -> Certificate:
    """The certificate of one picture; a method that runs as long as it may gets a second.

    Closed forms are computed here, at once; the others in a worker, and `say` is told while they wait for one.
    """
    from relucert_core.experiments.one_digit import certificate_in_time
    from relucert_core.registry import CERTIFICATES

    timed = "max_seconds" in CERTIFICATES[method].options
    seconds = AUTOMATIC_SECONDS if timed else _PATIENT_SECONDS
    call = (net, as_point(pixels), method, norm, AUTOMATIC_SECONDS)

    def make() -> tuple[Certificate, bool]:
        if method in CLOSED_FORMS:
            with heavy():
                return certificate_in_time(*call), True
        return asked(certificate_in_time, *call, seconds=seconds, kind=f"{method} {norm} {net.digest}", say=say)

    return _certificates().find((net.digest, pixels, method, norm), make)


def adversarial(
    net: Network, pixels: bytes, method: str, norm: float, valid_pixels: bool, say: Say | None = None
) -> Attack:
    """One attack on one picture; where its steps find nothing it may start from the shipped images."""
    from relucert_core.experiments.one_digit import attack_in_time

    bounds = (0.0, 1.0) if valid_pixels else None

    def make() -> tuple[Attack, bool]:
        call, kind = (net, as_point(pixels), method, norm, bounds), f"{method} {norm} {net.digest}"
        return asked(attack_in_time, *call, seconds=_ATTACK_SECONDS, kind=kind, say=say)

    return _attacks().find((net.digest, pixels, method, norm, valid_pixels), make)


@st.cache_resource(max_entries=1, show_spinner=False)
def _certificates() -> Kept[Certificate]:
    return Kept(2048)


@st.cache_resource(max_entries=1, show_spinner=False)
def _attacks() -> Kept[Attack]:
    return Kept(1024)


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
