"""The link of a page: what a person asks for with it, told from the echo of what the page wrote itself.

Every message of the browser carries the address as the browser knows it. A click that is made before the page's latest
change of the address has arrived carries an older one: that is an echo, and taking it for a wish would undo the click.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
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


def wrote(page: str, link: Link, between: Iterable[Link] = ()) -> None:
    """Remember that the page shows `link`: it wrote it into the address, or was opened with it.

    between: what the address is until then.
    """
    old, now = _written(page), time.monotonic()
    if old is not None and link == old.latest:
        st.session_state[_key(page)] = replace(old, at=now)
    else:
        before = () if old is None else (old.latest, *old.earlier)
        st.session_state[_key(page)] = Written(link, (*between, *before)[:_KEPT], now, known=False)


def write(page: str, wanted: Link, known: Iterable[str]) -> None:
    """`put`, remembered as what the page shows.

    A click may end this run of the script between two changes of the address. So it is remembered before, and what the
    address is in between are echoes too.
    """
    address = _part(known)
    steps = [address, {**address, **wanted}]
    for key in _superfluous(address, wanted):
        steps.append({name: value for name, value in steps[-1].items() if name != key})
    wrote(page, wanted, steps)
    put(wanted, known)


def put(wanted: Link, known: Iterable[str]) -> None:
    """Make `wanted` the part of the address that has the keys `known`; nothing else changes."""
    address = _part(known)
    new = {key: value for key, value in wanted.items() if address.get(key) != value}
    if new:
        st.query_params.update(new)
    for key in _superfluous(address, wanted):
        del st.query_params[key]


def _part(known: Iterable[str]) -> Link:
    """The address as it is, as far as it has the keys `known`."""
    return {key: st.query_params[key] for key in known if key in st.query_params}


def _superfluous(address: Link, wanted: Link) -> list[str]:
    return [key for key in address if key not in wanted]


def _key(page: str) -> str:
    return f"{page}_link"


def _written(page: str) -> Written | None:
    found: Written | None = st.session_state.get(_key(page))
    return found
