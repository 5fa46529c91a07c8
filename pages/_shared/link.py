"""The link of a page: what a person asks for with it, told from the echo of what the page wrote itself.

Every message of the browser carries the address as the browser knows it. A click that is made before the page's latest
change of the address has arrived carries an older one: that is an echo, and taking it for a wish would undo the click.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import streamlit as st

Link = dict[str, str]
ECHO_SECONDS = 5.0
_KEPT = 16


@dataclass(frozen=True)
class Written:
    """What a page wrote: the latest link, earlier ones, when, and whether the browser has shown that it knows it."""

    latest: Link
    earlier: tuple[Link, ...]
    at: float
    known: bool


def changed_by_hand(page: str, link: Link) -> bool:
    """Does somebody ask for `link`: on a first visit, by a changed address, or with the browser's Back?

    False for the latest link that `wrote` was told of, and for an earlier one while the browser may not know better.
    """
    written = _written(page)
    if written is None:
        return bool(link)
    if link == written.latest:
        st.session_state[_key(page)] = replace(written, known=True)
        return False
    lately = time.monotonic() - written.at < ECHO_SECONDS
    return not (lately and not written.known and link in written.earlier)


def wrote(page: str, link: Link) -> None:
    """Remember that the page shows `link`: it wrote it into the address, or was opened with it."""
    old, now = _written(page), time.monotonic()
    if old is None:
        st.session_state[_key(page)] = Written(link, (), now, known=False)
    elif link == old.latest:
        st.session_state[_key(page)] = replace(old, at=now)
    else:
        earlier = (old.latest, *old.earlier)[:_KEPT]
        st.session_state[_key(page)] = Written(link, earlier, now, known=False)


def put(wanted: Link, known: tuple[str, ...] | list[str]) -> None:
    """Make `wanted` the part of the address that has the keys `known`; nothing else changes."""
    for key in known:
        if key not in wanted and key in st.query_params:
            del st.query_params[key]
    for key, value in wanted.items():
        if st.query_params.get(key) != value:
            st.query_params[key] = value


def _key(page: str) -> str:
    return f"{page}_link"


def _written(page: str) -> Written | None:
    found: Written | None = st.session_state.get(_key(page))
    return found
