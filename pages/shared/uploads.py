"""What one visitor may upload in all, so that a stranger's files do not fill a server (RELUCERT_UPLOADS, in MB)."""

from __future__ import annotations

import streamlit as st

from relucert_core.errors import InvalidInput
from relucert_core.memory import MEGABYTE
from relucert_core.places.settings import UPLOADS

_TAKEN, _COUNTED = "_uploaded_bytes", "_uploaded_files"


def count_upload(size: int, identity: str = "") -> None:
    """Add a file of so many bytes to what this visitor has uploaded; InvalidInput, in a sentence, past the limit.

    identity: what tells a file that may be read again from others, such as its `file_id`: it counts once.
    """
    counted = st.session_state.get(_COUNTED, frozenset())
    if identity in counted:
        return
    taken, most = st.session_state.get(_TAKEN, 0) + size, UPLOADS.read()
    if taken > most * MEGABYTE:
        raise InvalidInput(
            f"One visit may upload {most:g} MB in all, and this file of {size / MEGABYTE:.1f} MB goes beyond it: take "
            "a smaller one, or reload the page to begin a new visit."
        )
    st.session_state[_TAKEN] = taken
    if identity:
        st.session_state[_COUNTED] = counted | {identity}
