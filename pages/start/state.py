"""What the start page shows, as one record: in the session and in the link."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.shared.fields import maybe
from pages.shared.kinds import Numbers
from pages.shared.state import PageState
from relucert_core.ranges import Range

REACH = Range(-10.0, 10.0)
SEQ = "start_seq"


@dataclass(frozen=True)
class Fields:
    """The point u of Figure 1; None is where case (a) is shown."""

    u: tuple[float, float] | None = maybe(Numbers((0.0, 0.0), range=REACH), "a", "u")


class StartState(PageState[Fields]):
    """The picture follows when a link moves u."""

    def taken(self, old: Fields | None, new: Fields) -> None:
        """Tell the picture that u was moved from outside."""
        st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1


STATE = StartState("start", Fields, "start_")
