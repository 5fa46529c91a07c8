"""Where the lesson is: the step and whether its answer is shown, which the link holds, the point and the answers."""

from __future__ import annotations

import streamlit as st

from pages._shared.lesson_plane import dragged_point, pressed_turn
from pages._shared.lesson_steps import STEPS
from relucert_core.experiments.lesson import LESSON_BOX, LESSON_POINT

PLANE, POINT, SEQ, ANSWERS = "lesson_plane", "lesson_point", "lesson_seq", "lesson_answers"
STEP, SHOWN, LINKED_POINT = "step", "shown", "lesson_u"
FIRST, SECOND, KEYS = "lesson_x1", "lesson_x2", "lesson_keys"
REACH = LESSON_BOX[0][1]
PRESETS: dict[str, tuple[tuple[float, float], str]] = {
    "1": (LESSON_POINT, "The start: a face limits"),
    "2": ((-0.2, -1.6), "Figure 1, case (a)"),
    "3": ((0.6, -0.1), "Figure 1, case (b)"),
    "4": ((2.4, 2.2), "A constant map"),
    "5": ((1.0, 0.4), "On a line"),
}
Point = tuple[float, float]


def step_number() -> int:
    """The step in the link, from 1; anything odd is step 1."""
    text = st.query_params.get(STEP, "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return number if 1 <= number <= len(STEPS) else 1


def answer_is_shown() -> bool:
    """Does the link ask for the answer? A step without a question has nothing to hide."""
    return step_number() == 1 or st.query_params.get(SHOWN) == "1"


def go(number: int, shown: bool) -> None:
    """Make the link one to a step."""
    st.query_params[STEP] = str(min(max(number, 1), len(STEPS)))
    if shown:
        st.query_params[SHOWN] = "1"
    elif SHOWN in st.query_params:
        del st.query_params[SHOWN]


def turn(way: int) -> None:
    """Onward: the answer, then the next step. Back: the previous step, with its answer."""
    number = step_number()
    if way > 0 and not answer_is_shown():
        reveal()
    elif way > 0 and number < len(STEPS):
        go(number + 1, False)
    elif way < 0 and number > 1:
        go(number - 1, True)


def reveal() -> None:
    """Show the answer of this step and remember what was chosen, where."""
    number = step_number()
    answers = st.session_state.setdefault(ANSWERS, {})
    answers[number] = (point(), st.session_state.get(radio_key(number)))
    go(number, True)


def radio_key(number: int) -> str:
    """The key of the choice in step `number`."""
    return f"lesson_choice_{number}"


def choice(number: int) -> str | None:
    """What was chosen in a step, as long as u is still where it was then."""
    where, chosen = st.session_state.get(ANSWERS, {}).get(number, (None, None))
    return chosen if where == point() else None


def point() -> Point:
    """The point u: the session's, else the link's, else the lesson's."""
    if POINT not in st.session_state:
        st.session_state[POINT] = _linked_point()
        st.session_state[SEQ] = 0
    found: Point = st.session_state[POINT]
    return found


def start_browser() -> None:
    """Tell a picture that is new on the page where u is."""
    point()
    if PLANE not in st.session_state:
        st.session_state[SEQ] += 1
        st.session_state["lesson_seed"] = point()


def seed() -> tuple[Point, int]:
    """The point that Python set last and its running number, for the browser: they don't change while u is dragged."""
    return st.session_state["lesson_seed"], st.session_state[SEQ]


def place(where: Point) -> None:
    """Move u from Python: by numbers or presets."""
    _keep(where)
    st.session_state["lesson_seed"] = point()
    st.session_state[SEQ] += 1


def moved_in_browser() -> None:
    """u was dragged."""
    where = dragged_point(PLANE, REACH)
    if where is not None:
        _keep(where)


def turned_by_key() -> None:
    """An arrow key or PageUp / PageDown was pressed."""
    turn(pressed_turn(PLANE))


def moved_by_numbers() -> None:
    """u was typed."""
    values = (st.session_state[FIRST], st.session_state[SECOND])
    if all(isinstance(v, int | float) and abs(v) <= REACH for v in values):
        place((float(values[0]), float(values[1])))


def _keep(where: Point) -> None:
    st.session_state[POINT] = (round(where[0], 2) + 0.0, round(where[1], 2) + 0.0)
    if st.session_state[POINT] != LESSON_POINT:
        st.query_params[LINKED_POINT] = "{:g},{:g}".format(*st.session_state[POINT])
    elif LINKED_POINT in st.query_params:
        del st.query_params[LINKED_POINT]


def _linked_point() -> Point:
    parts = st.query_params.get(LINKED_POINT, "").split(",")
    try:
        values = [float(part) for part in parts if len(part) < 12]
    except ValueError:
        values = []
    good = len(values) == 2 and all(abs(v) <= REACH for v in values)
    return (round(values[0], 2), round(values[1], 2)) if good else LESSON_POINT
