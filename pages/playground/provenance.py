"""How what is in view is made again: the Python of the page, and what every file says of itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from pages.playground import engine, state
from pages.playground.code import plane_code
from pages.playground.scene import Scene
from relucert_core.citation import made_by
from relucert_core.jobs.lines import point_digest

Place = tuple[float, float]


def code_of(scene: Scene) -> Callable[[Place], str]:
    """The Python that prints the page's numbers at a point. What the session knows is read now, as files come later."""
    uploaded = state.UPLOAD in st.session_state
    preset = engine.presets().get(scene.setup.preset)
    file = preset.file if preset else None
    epoch = None if scene.epoch == state.player().latest.epoch else scene.epoch
    return lambda point: plane_code(scene.setup, file, epoch, point, uploaded=uploaded)


def about(scene: Scene, code: str, point: Place) -> dict[str, str]:
    """What a file says of its making; `code` is the Python at this point."""
    return made_by(code, network=scene.net.digest, point=point_digest(np.array(point)))
