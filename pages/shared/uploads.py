"""What one visitor may upload in all, so that a stranger's files do not fill a server (RELUCERT_UPLOADS, in MB)."""

from __future__ import annotations

import streamlit as st

from relucert_core.errors import InvalidInput
from relucert_core.memory import MEGABYTE
from relucert_core.places.settings import UPLOADS

_TAKEN = "_uploaded_bytes"


def count_upload(size: int) -> None:
    """Add a file of so many bytes to what this visitor has uploaded; InvalidInput, in a sentence, past the limit."""
    taken, most = st.session_state.get(_TAKEN, 0) + size, UPLOADS.read()
    if taken > most * MEGABYTE:
        raise InvalidInput(
            f"One visit may upload {most:g} MB in all, and this file of {size / MEGABYTE:.1f} MB goes beyond it: take "
            "a smaller one, or reload the page to begin a new visit."
        )
    st.session_state[_TAKEN] = taken
