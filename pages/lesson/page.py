"""Lesson: Algorithm 1 and Theorems 1 to 4, step by step, on a network small enough to see every number of it."""

from __future__ import annotations

import streamlit as st

from pages.lesson import parts, state
from pages.lesson.plane import drag_under_way, lesson_plane
from pages.lesson.steps import STEPS, shown_before
from pages.shared.keys import listen_to_keys
from pages.shared.shell import footer, presenting
from pages.shared.text import say_problem
from relucert_core.errors import RelucertError

DESK_SIDE, PRESENT_SIDE = 560, 640


def picture(number: int, shown: bool) -> None:
    """The plane, as this step shows it."""
    step = STEPS[number - 1]
    scene = parts.scene(step.show if shown else shown_before(number), step.title)
    where, seq = state.seed()
    lesson_plane(
        state.PLANE,
        scene,
        where,
        seq,
        tallest=PRESENT_SIDE if presenting() else DESK_SIDE,
        bare=presenting(),
        on_point=state.moved_in_browser,
        on_turn=state.turned_by_key,
    )


@st.fragment
def lesson() -> None:
    """The picture and the step beside it: all that changes when u moves or the step turns."""
    state.STATE.open()
    state.start_browser()
    under_way = drag_under_way(state.PLANE)
    state.STATE.write(under_way=under_way)
    number, shown = state.step_number(), state.answer_is_shown()
    walk, mix = parts.records(*state.point())
    left, right = st.columns([1.12, 1], gap="medium")
    with left:
        picture(number, shown)
    with right:
        parts.turning(number, shown)
        parts.step_words(number, shown, walk, mix, under_way=under_way)
    if not presenting():
        parts.point_controls()
        parts.table(number, walk, mix)
        parts.all_steps(number)
        parts.download(walk, mix)
        parts.python_code()
    listen_to_keys(state.KEYS, parts.press)


try:
    st.html(parts.STYLE)
    if presenting():
        st.html(parts.PRESENT_STYLE)
    else:
        st.title("From a network to its safe circle, step by step")
    lesson()
    footer()
except RelucertError as problem:
    say_problem(problem)
