"""Where the lesson is: the step and whether its answer is shown, which the link holds, the point and the answers."""

from __future__ import annotations

import streamlit as st

from pages.lesson.plane import dragged_point, pressed_turn
from pages.lesson.steps import STEPS
from pages.shared import link as links
from pages.shared.control import reading
from relucert_core.experiments.lesson import LESSON_BOX, LESSON_POINT

PLANE, POINT, SEQ, ANSWERS = "lesson_plane", "lesson_point", "lesson_seq", "lesson_answers"
STEP, SHOWN, LINKED_POINT = "step", "shown", "lesson_u"
_PAGE, _AT = "lesson", "lesson_at"
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


def open_link() -> None:
    """Take step, answer and point from the link, on the first visit and when somebody changed it."""
    link = {key: st.query_params[key] for key in (STEP, SHOWN, LINKED_POINT) if key in st.query_params}
    changed = links.changed_by_hand(_PAGE, link)
    if changed and (link or _AT not in st.session_state):
        links.wrote(_PAGE, link)
        st.session_state[_AT] = (_linked_step(link), link.get(SHOWN) == "1")
        if POINT not in st.session_state or LINKED_POINT in link:
            place(_linked_point(link))
    st.session_state.setdefault(_AT, (1, False))
    point()


def write_link() -> None:
    """Make the browser's address a link to this step and point."""
    number, shown = st.session_state[_AT]
    link = {} if number == 1 and not shown else {STEP: str(number)}
    if shown:
        link[SHOWN] = "1"
    if point() != LESSON_POINT:
        link[LINKED_POINT] = "{:g},{:g}".format(*point())
    links.write(_PAGE, link, (STEP, SHOWN, LINKED_POINT))


def step_number() -> int:
    """The step that is shown, from 1."""
    number: int = st.session_state[_AT][0]
    return number


def answer_is_shown() -> bool:
    """Is the answer shown? A step without a question has nothing to hide."""
    return step_number() == 1 or bool(st.session_state[_AT][1])


def go(number: int, shown: bool) -> None:
    """Show a step; the link follows."""
    st.session_state[_AT] = (min(max(number, 1), len(STEPS)), shown)


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
    """The point u: the session's, else the lesson's."""
    if POINT not in st.session_state:
        place(LESSON_POINT)
    found: Point = st.session_state[POINT]
    return found


def start_browser() -> None:
    """Tell a picture that is new on the page where u is."""
    if PLANE not in st.session_state:
        place(point())


def seed() -> tuple[Point, int]:
    """The point that Python set last and its running number, for the browser: they don't change while u is dragged."""
    return st.session_state["lesson_seed"], st.session_state[SEQ]


def place(where: Point) -> None:
    """Move u from Python: by numbers, presets or a link."""
    _keep(where)
    st.session_state["lesson_seed"] = st.session_state[POINT]
    st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1


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
    values = (reading(FIRST), reading(SECOND))
    if all(isinstance(v, int | float) and abs(v) <= REACH for v in values):
        place((float(values[0]), float(values[1])))


def _keep(where: Point) -> None:
    st.session_state[POINT] = (round(where[0], 2) + 0.0, round(where[1], 2) + 0.0)


def _linked_step(link: dict[str, str]) -> int:
    """The step in a link; anything odd is step 1."""
    text = link.get(STEP, "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return number if 1 <= number <= len(STEPS) else 1


def _linked_point(link: dict[str, str]) -> Point:
    parts = link.get(LINKED_POINT, "").split(",")
    try:
        values = [float(part) for part in parts if len(part) < 12]
    except ValueError:
        values = []
    good = len(values) == 2 and all(abs(v) <= REACH for v in values)
    return (values[0], values[1]) if good else LESSON_POINT
