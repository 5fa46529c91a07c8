"""Cached calls of the engine that only the digits page makes; what it shares is in `pages.shared.engine`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.engine import HASH, as_point
from pages.shared.places import follow, heavy

if TYPE_CHECKING:
    from relucert_core.attacks.result import AttackEntry
    from relucert_core.certificates.over_balls.losses import Losses
    from relucert_core.certificates.result import CertificateEntry
    from relucert_core.certificates.within_region import RegionDistance
    from relucert_core.network import Network

_REGION_SECONDS = 120.0


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=HASH)
def scores(net: Network, pixels: bytes) -> np.ndarray:
    """The logits of one picture, (K,)."""
    return np.asarray(net(as_point(pixels)))


def certificates_for(net: Network, norm: float) -> list[CertificateEntry]:
    """The methods of the registry that are made for this network and norm, in the registry's order."""
    from relucert_core.registry import CERTIFICATES, supports

    return [entry for entry in CERTIFICATES.values() if not supports(entry, net, norm)]


def attacks_for(norm: float) -> list[AttackEntry]:
    """The attacks of the registry that can measure in this norm."""
    import relucert_core as rc

    return [entry for entry in rc.ATTACKS.values() if norm in entry.norms]


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def face_weights(net: Network, pixels: bytes, layer: int, neuron: int) -> np.ndarray:
    """The local weights (784,) of a hidden neuron at the picture: how each pixel moves it inside the region."""
    import relucert_core as rc

    with heavy():
        region = rc.activation_region(net, as_point(pixels))
    row = sum(len(signs) for signs in region.pattern[: layer - 1]) + neuron
    sign = 1.0 if region.pattern[layer - 1][neuron] else -1.0
    return np.array(sign * region.P[row])


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def rival_weights(net: Network, pixels: bytes, winner: int, rival: int) -> np.ndarray:
    """How each pixel moves the lead of `winner` over `rival` inside the picture's region, (784,)."""
    import relucert_core as rc

    with heavy():
        region = rc.activation_region(net, as_point(pixels))
    return np.array(region.C[winner] - region.C[rival])


def inside_region(net: Network, pixels: bytes, norm: float, progress: Callable[[int, int], None]) -> RegionDistance:
    """The nearest decision point inside the picture's own region; takes seconds, `progress(done, rivals)` is called."""
    from relucert_core.certificates.within_region import region_steps

    steps = follow(region_steps, net, as_point(pixels), norm, seconds=_REGION_SECONDS, kind=f"region {net.digest}")
    with closing(steps):
        for done, rivals in steps:
            progress(done, rivals)
        found: RegionDistance = steps.answer()
    return found


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def losses(net: Network, pixels: bytes, radius: float, norm: float) -> Losses:
    """Where a linear relaxation over the ball of that radius loses, layer by layer."""
    from relucert_core.certificates.over_balls.losses import linear_losses

    with heavy():
        return linear_losses(net, as_point(pixels), radius, norm)
