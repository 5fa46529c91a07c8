"""The files that a visitor's session holds open go back to the system soon after the visitor has gone.

Streamlit 1.67 gives every session an event loop for asyncio (three descriptors), which no page of ours uses, and keeps
the sessions of those who left two minutes for their return; what has expired goes when somebody else leaves, and at
Python's leisure. So the loops of sessions that nobody is connected to are closed here, and expired sessions dropped,
every other second. Who returns keeps the session: Streamlit makes a new loop where it finds the old one closed.

This leans on names of Streamlit's own: where one is missing nothing is done, and a test with a real server fails.
"""

from __future__ import annotations

import logging
from typing import Any

import streamlit as st

SWEEP_SECONDS = 2.0
_SAID_OF_A_CLOSED_LOOP = "The session-owned script event loop is closed."


@st.cache_resource(max_entries=1, show_spinner=False)
def give_back_descriptors() -> None:
    """Begin to sweep; called in every run of the app, it begins once a server."""
    from streamlit.runtime import exists, get_instance

    try:
        runtime: Any = get_instance() if exists() else None
        storage, main = runtime._session_mgr._session_storage, runtime._get_async_objs().eventloop
    except (AttributeError, RuntimeError):
        return
    logging.getLogger("streamlit.runtime.app_session").addFilter(_not_of_a_closed_loop)
    main.call_soon_threadsafe(_sweep, storage, main)


def _sweep(storage: Any, main: Any) -> None:
    """On the server's own loop, where sessions come and go: nobody returns meanwhile."""
    for info in storage.list():  # asking drops what has expired
        session = info.session
        loop = getattr(session, "_script_event_loop", None)
        idle = getattr(session, "_scriptrunner", True) is None
        if loop is not None and idle and not loop.is_running() and not loop.is_closed():
            loop.close()
    main.call_later(SWEEP_SECONDS, _sweep, storage, main)


def _not_of_a_closed_loop(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_SAID_OF_A_CLOSED_LOOP)
