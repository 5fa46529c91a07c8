"""Cached calls of the engine for the playground: planes, figures, answers at a point, measurements of a training."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.playground.setup import FIGURE_LAYERS, REACH, Setup
from pages.shared.places import ask, heavy
from pages.shared.plane import BOX, HASH, MAX_REGIONS
from relucert_core.attacks.result import Attack
from relucert_core.experiments.live_training import pictures_of
from relucert_core.experiments.plane_tables import class_table, neuron_table
from relucert_core.figures.plane import plane_figure
from relucert_core.figures.plane_legend import plane_legend
from relucert_core.figures.theme import find_theme
from relucert_core.planar import PlanarComplex
from relucert_core.planar.preview import bent_lines, encode, preview_data

if TYPE_CHECKING:
    from relucert_core.experiments.history import Moment
    from relucert_core.experiments.showcase import Showcase
    from relucert_core.network import Network
    from relucert_core.training.toy import Snapshot

SHORTEST_PACE = 0.25
TICKS_A_SECOND = 8
_FORGOTTEN_SECONDS = 10.0
SHOWN_ATTACKS = ("deepfool", "ifgsm", "ddn")


def presets() -> dict[str, Showcase]:
    """The prepared views by name."""
    from relucert_core.experiments.showcase import SHOWCASE

    return SHOWCASE


def half_for(view: tuple[float, ...] | None) -> float:
    """Half the side of the square that is subdivided, so that it holds the visible rectangle."""
    reach = max((abs(v) for v in view), default=0.0) if view else 0.0
    return next((half for half in (BOX, 2.5, 5.0) if reach <= 1.02 * half), REACH)


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False, hash_funcs=HASH)
def figure_of(
    plane: PlanarComplex,
    look: tuple[str, bool],
    layers: frozenset[str],
    colouring: str,
    setup: Setup,
    view: tuple[float, float, float, float] | None,
) -> go.Figure:
    """The plotly figure; it does not depend on the point u."""
    return plane_figure(
        plane, find_theme(*look), layers=layers & FIGURE_LAYERS, colouring=colouring, data=setup.points, view=view
    )


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False, hash_funcs=HASH)
def legend_of(
    plane: PlanarComplex, look: tuple[str, bool], layers: frozenset[str], colouring: str, setup: Setup
) -> list[dict[str, Any]]:
    """What the legend in the picture says of everything that is drawn."""
    return plane_legend(plane, find_theme(*look), layers=layers, colouring=colouring, data=setup.points[1])


@st.cache_resource(max_entries=16, ttl=1800, show_spinner=False, hash_funcs=HASH)
def geometry_of(plane: PlanarComplex) -> dict[str, Any]:
    """What the browser needs to follow the pointer."""
    with heavy():
        return preview_data(plane)


def run_key(snapshots: Sequence[Snapshot]) -> str:
    """What tells two trainings apart."""
    return " ".join(f"{s.epoch}:{s.network.digest[:16]}" for s in snapshots)


@st.cache_resource(max_entries=4, ttl=1800, show_spinner=False)
def frames_of(run: str, _snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """The pictures of a training, named by its `run_key`, for the time slider; of very large ones only some."""
    networks = [(snapshot.epoch, snapshot.network) for snapshot in _snapshots]
    found: dict[str, Any] = ask(pictures_of, networks, BOX, MAX_REGIONS, seconds=60.0, kind="pictures of a training")
    return found


@st.cache_resource(max_entries=8, ttl=1800, show_spinner=False, hash_funcs=HASH)
def diagram_of(net: Network, plane: PlanarComplex) -> dict[str, Any]:
    """Widths, weights and each neuron's bent line for the diagram of the network."""
    ends, places = bent_lines(plane)
    owners = places[:, 0] * 1000 + places[:, 1]
    order = np.unique(owners, return_index=True)
    return {
        "widths": [net.inputs, *net.widths, net.classes],
        "weights": [encode(weight.astype(np.float32)) for weight in net.weights],
        "lines": encode(ends.astype(np.float32)),
        "owners": order[0].tolist(),
        "begins": [*order[1].tolist(), len(places)],
    }


@st.cache_data(max_entries=256, ttl=1800, show_spinner=False, hash_funcs=HASH)
def attacks_at(net: Network, point: tuple[float, float]) -> tuple[Attack, ...]:
    """Every attack at a point, with the way it took."""
    from relucert_core.attacks import ATTACKS, attack

    return tuple(attack(net, point, method=name, norm=2, path=True) for name in SHOWN_ATTACKS if name in ATTACKS)


@st.cache_data(max_entries=32, ttl=1800, show_spinner=False, hash_funcs=HASH)
def measured(net: Network, points: np.ndarray, labels: np.ndarray) -> Moment:
    """Safe radii, exact distances and accuracy on points with labels."""
    from relucert_core.experiments.history import moment_of

    found: Moment = ask(moment_of, net, points, labels, seconds=60.0, kind="moment")
    return found


@st.cache_resource(max_entries=1, show_spinner=False)
def _trainers() -> dict[int, float]:
    """The runs that train at the moment, in the whole server: when each was last seen."""
    return {}


def training_pace(run: object) -> float:
    """Seconds from one tick of `run` to the next, a power of 2: the more runs train at once, the longer.

    Every tick draws a picture, in Python and in the browser; all runs together make at most TICKS_A_SECOND.
    """
    seen, now = _trainers(), time.monotonic()
    seen[id(run)] = now
    for other, when in list(seen.items()):
        if now - when > _FORGOTTEN_SECONDS:
            seen.pop(other, None)
    return max(SHORTEST_PACE, 2.0 ** math.ceil(math.log2(len(seen) / TICKS_A_SECOND)))


@st.cache_data(max_entries=16, ttl=1800, show_spinner=False, hash_funcs=HASH)
def classes_of(plane: PlanarComplex, setup: Setup) -> dict[str, list[float]]:
    """The classes of the plane with their areas and data."""
    return class_table(plane, *setup.points)


@st.cache_data(max_entries=64, ttl=1800, show_spinner=False, hash_funcs=HASH)
def neurons_of(net: Network, point: tuple[float, float]) -> dict[str, list[float]]:
    """The hidden neurons at a point."""
    return neuron_table(net, point)


def finite(value: float) -> float | None:
    """A number for JSON: infinity is null."""
    return value if math.isfinite(value) else None
