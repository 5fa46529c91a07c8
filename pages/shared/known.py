"""One headline for a digit and a network on all pages: the record of the best known bounds, kept for the visit.

It begins with the record that ships, if there is one, and takes in whatever a page finds out: each page reads it here,
and hands back what it has proved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared import engine

if TYPE_CHECKING:
    from relucert_core.experiments.best_known import BestKnown
    from relucert_core.network import Network

_KEPT, _REMEMBERED = "best_known", 64


def known(net: Network, point: np.ndarray, norm: float) -> BestKnown:
    """What is known of a point (D,) so far: what ships and what this visit found; at least that it lies in [0, inf]."""
    from relucert_core.experiments.best_known import content

    found = _recorded(content(net, point, norm))
    return _blank(net, np.asarray(point).tobytes(), norm) if found is None else found


def learn(record: BestKnown) -> BestKnown:
    """Take in what a page has found out; returns all that is known then."""
    kept: dict[object, BestKnown] = st.session_state.get(_KEPT, {})
    old = _recorded(record.key)
    joined = record if old is None else old.better(record)
    if old is None or (joined.lower, joined.upper, joined.seconds) != (old.lower, old.upper, old.seconds):
        rest = {key: value for key, value in kept.items() if key != record.key}
        st.session_state[_KEPT] = dict([*list(rest.items())[1 - _REMEMBERED :], (record.key, joined)])
        return joined
    return old


def _recorded(key: tuple[str, str, float]) -> BestKnown | None:
    """The record of this visit, else the one that ships."""
    from relucert_core.jobs.records import shipped_records

    found: BestKnown | None = st.session_state.get(_KEPT, {}).get(key) or shipped_records(key[0]).get(key)
    return found


@st.cache_data(max_entries=2048, show_spinner=False, hash_funcs=engine.HASH)
def _blank(net: Network, point: bytes, norm: float) -> BestKnown:
    from relucert_core.experiments.best_known import nothing_known

    place = np.frombuffer(point)
    return nothing_known(net, place, norm, int(np.asarray(net(place)).argmax()))
