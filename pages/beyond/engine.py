"""Cached calls of the engine for the page "Beyond": stored runs, first looks, slices, colours of a morph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.shared import engine
from pages.shared.places import BESIDE, PAGE, Improvements, follow, give_way, heavy
from relucert_core.experiments.search_run import Recorder, SearchRun, stored_run, subject_of
from relucert_core.experiments.slices import SlicePlane, SliceView, on_plane, plane_through, random_third, view_slice

if TYPE_CHECKING:
    from relucert_core.network import Network

CUT = "Other visitors were waiting, so it was ended early; what it found stays."
_MOMENT = 0.1
FIRST_LOOK_SECONDS = 1.5
TOY_LOOK_SECONDS = 4.0  # mostly over much earlier
MAX_QUEUE = {"exact": 200_000, "semidefinite": None, "neighbours": 1_000_000}
MAX_REGIONS = {"exact": None, "semidefinite": None, "neighbours": 250_000}
MORPH_STEPS = 100
TOY = "toy-"
_HASH: dict[str | type[Any], Callable[[Any], Any]] = {
    "relucert_core.network.Network": lambda net: net.digest,
    "relucert_core.experiments.slices.SlicePlane": lambda p: (p.origin.tobytes(), p.u.tobytes(), p.v.tobytes()),
}


def toy_networks() -> dict[str, Any]:
    """The playground's stored networks, by the names that this page gives them."""
    from relucert_core.experiments.showcase import SHOWCASE

    return {TOY + name: entry for name, entry in SHOWCASE.items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def toy_network(name: str) -> Network:
    """A stored toy network, trained to its end."""
    from relucert_core.experiments.showcase import load_run

    return load_run(toy_networks()[name].file).snapshots[-1].network


def stored(net: Network, model: str, point: str, method: str, norm: str) -> SearchRun | None:
    """The run that ships with the project, if there is one for this network and image."""
    return _stored(net.digest, net, model, point, method, norm)


@st.cache_resource(max_entries=16, show_spinner=False)
def _stored(digest: str, _net: Network, model: str, point: str, method: str, norm: str) -> SearchRun | None:
    return stored_run(_net, model, point, method, norm)


class Following(Iterator[SearchRun | None]):
    """The record after every step of a search; None where none came for a moment."""

    def __init__(self, recorder: Recorder, steps: Improvements) -> None:
        self._recorder, self._steps = recorder, steps

    def __next__(self) -> SearchRun | None:
        found, step = self._steps.within(_MOMENT)
        if not found:
            return None
        self._recorder.add(step, keep_patterns=self._recorder.net.inputs == 2)
        return self._recorder.run()

    def remark(self) -> str:
        """What there is to say besides: the place in the queue, or that it was ended early."""
        return CUT if self._steps.cut else self._steps.waiting()

    def close(self) -> None:
        """End the search; the record stays."""
        self._steps.close()
        self._recorder.stop()


def begin(
    net: Network, model: str, point: np.ndarray, name: str, norm: float, method: str, seconds: float, lane: str = BESIDE
) -> tuple[Recorder, Following]:
    """A recorder and the stream of its records; the search goes on in a worker."""
    from relucert_core.search import search

    label = int(net(point).argmax())
    recorder = Recorder(net, subject_of(net, model, name, label, norm, method))
    starts = engine.sample()[0][:200] / 255.0 if net.inputs == 784 else None
    steps = follow(
        search, net, point, norm, method, seconds=seconds, kind=f"search {method} {net.digest}", lane=lane,
        starts=starts, max_seconds=seconds, max_queue=MAX_QUEUE[method], max_regions=MAX_REGIONS[method],
    )  # fmt: skip
    return recorder, Following(recorder, steps)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False, hash_funcs=_HASH)
def first_look(net: Network, model: str, pixels: bytes, name: str, norm: float, method: str) -> Recorder:
    """A short run, so that there is something to see before anybody presses a button. `pixels`: float64 bytes."""
    allowed = TOY_LOOK_SECONDS if net.inputs == 2 else FIRST_LOOK_SECONDS
    recorder, stream = begin(net, model, np.frombuffer(pixels), name, norm, method, allowed, PAGE)
    with closing(stream):
        for run in stream:
            if run is None:
                give_way()
    return recorder


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False, hash_funcs=_HASH)
def nearest_face(net: Network, pixels: bytes) -> np.ndarray | None:
    """The point of the face (or boundary) that limits the simplex ball, (D,); None when nothing does."""
    import relucert_core as rc

    with heavy():
        found = rc.certify(net, np.frombuffer(pixels), method="simplex", norm=2).nearest
    return None if found is None else np.array(found)


@st.cache_resource(max_entries=32, ttl=1800, show_spinner=False, hash_funcs=_HASH)
def flat_network(net: Network, plane: SlicePlane) -> Network:
    """The network on a plane."""
    return on_plane(net, plane)


@st.cache_resource(max_entries=24, ttl=1800, show_spinner=False, hash_funcs=_HASH)
def look_at(flat: Network, half: float) -> SliceView:
    """The square [-half, half]^2 of a plane: exact polyhedra, or the raster that says so."""
    with heavy():
        return view_slice(flat, half)


def plane_of(origin: np.ndarray, second: np.ndarray, third: np.ndarray) -> SlicePlane:
    """The plane through three points; where they lie on a line, one with a random third direction."""
    from relucert_core.errors import InvalidInput

    try:
        return plane_through(origin, second, third)
    except InvalidInput:
        return plane_through(origin, second, random_third(origin, 0))


def toy_plane(point: np.ndarray) -> SlicePlane:
    """The plane of a network of two inputs itself, with u at the origin."""
    return SlicePlane(point, np.array([1.0, 0.0]), np.array([0.0, 1.0]), (1.0, 0.0), (0.0, 1.0))


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False, hash_funcs=_HASH)
def readings_between(net: Network, start: bytes, end: bytes) -> list[int]:
    """What the network reads at MORPH_STEPS + 1 points from one digit to another (float64 bytes each)."""
    one, other = np.frombuffer(start), np.frombuffer(end)
    shares = np.linspace(0, 1, MORPH_STEPS + 1)[:, None]
    return [int(k) for k in net(one + shares * (other - one)).argmax(-1)]
