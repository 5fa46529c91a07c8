"""The plane of a network with two inputs: its exact subdivision, and what is certified at a point of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.shared.places import heavy
from relucert_core.arrays import Vector
from relucert_core.certificates.result import Certificate
from relucert_core.planar import PlanarComplex, planar_complex
from relucert_core.registry import certify
from relucert_core.words import down, up

if TYPE_CHECKING:
    from relucert_core.network import Network

MAX_REGIONS = 30_000
BOX = 1.25
HASH: dict[str | type[Any], Callable[[Any], Any]] = {
    "relucert_core.network.Network": lambda net: net.digest,
    "relucert_core.planar.complex.PlanarComplex": lambda plane: (plane.network.digest, plane.box.tobytes()),
}


@dataclass(frozen=True)
class Answer:
    """What Python found at one point: certificates, the exact distance with its nearest point, and attacks."""

    point: tuple[float, float]
    simplex: Certificate
    boundary: Certificate | None
    exact: float
    proven: bool
    faces: int


@st.cache_resource(max_entries=24, ttl=1800, show_spinner=False, hash_funcs=HASH)
def plane_of(net: Network, half: float = BOX) -> PlanarComplex:
    """The exact subdivision of the square of side 2 `half`; OverBudget, with a sentence, past 30,000 regions."""
    with heavy():
        return planar_complex(net, ((-half, half), (-half, half)), max_regions=MAX_REGIONS)


@st.cache_data(max_entries=256, ttl=1800, show_spinner=False, hash_funcs=HASH)
def answer_at(net: Network, plane: PlanarComplex, point: tuple[float, float]) -> Answer:
    """The certified numbers at a point; fast enough to follow every release of the handle."""
    place: Vector = np.array(point)
    simplex = certify(net, place, method="simplex", norm=2)
    boundary = certify(net, place, method="decision-boundary", norm=2) if net.depth == 2 else None
    distance, _, proven = plane.boundary_distance(place[None])
    region = int(plane.locate(place[None])[0])
    faces = int(plane.sizes[region]) if region >= 0 else 0
    return Answer(point, simplex, boundary, float(distance[0]), bool(proven[0]), faces)


def limit(cert: Certificate) -> str:
    """What limits the ball, in a few words."""
    if cert.limit is None:
        return "nothing"
    if cert.limit.kind == "class":
        return f"class {cert.limit.rival}"
    return f"neuron {cert.limit.neuron} of layer {cert.limit.layer}"


def true_distance(answer: Answer) -> str:
    """The exact distance for reading, to three significant digits as all bounds."""
    if answer.exact == math.inf:
        return "∞"
    return down(answer.exact) if answer.proven else f"≤ {up(answer.exact)}"
