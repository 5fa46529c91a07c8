"""Where the lesson is, as one record in session, link and controls: step, answer and point; and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from pages.lesson.plane import dragged_point, pressed_turn
from pages.lesson.steps import STEPS
from pages.shared.control import reading
from pages.shared.fields import number, numbers, switch
from pages.shared.state import PageState
from relucert_core.experiments.lesson import LESSON_BOX, LESSON_POINT
from relucert_core.ranges import Range

PLANE, SEQ, SEED, ANSWERS = "lesson_plane", "lesson_seq", "lesson_seed", "lesson_answers"
FIRST, SECOND, KEYS = "lesson_x1", "lesson_x2", "lesson_keys"
COORDINATES = Range(*LESSON_BOX[0])
NUMBERS = Range(1, len(STEPS), whole=True)
PRESETS: dict[str, tuple[tuple[float, float], str]] = {
    "1": (LESSON_POINT, "The start: a face limits"),
    "2": ((-0.2, -1.6), "Figure 1, case (a)"),
    "3": ((0.6, -0.1), "Figure 1, case (b)"),
    "4": ((2.4, 2.2), "A constant map"),
    "5": ((1.0, 0.4), "On a line"),
}
Point = tuple[float, float]


@dataclass(frozen=True)
class Fields:
    """The step, whether its answer is shown, and the point u."""

    step: int = number(1, NUMBERS, "Step", link="step")
    shown: bool = switch("The answer is shown", link="shown", on="1")
    u: Point = numbers(LESSON_POINT, COORDINATES, "u", separator=",")


class LessonState(PageState[Fields]):
    """The picture follows when a link moves u."""

    def taken(self, old: Fields | None, new: Fields) -> None:
        """Tell the picture where u is."""
        place(new.u)


STATE = LessonState("lesson", Fields, "lesson_")


def step_number() -> int:
    """The step that is shown, from 1."""
    return STATE.now.step


def answer_is_shown() -> bool:
    """Is the answer shown? A step without a question has nothing to hide."""
    return step_number() == 1 or STATE.now.shown


def go(number: int, shown: bool) -> None:
    """Show a step; the link follows."""
    STATE.change(step=number, shown=shown)


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


def answer_by_key(option: int, options: tuple[str, ...]) -> None:
    """Choose an option of the open question by its number, from 1, and show the answer."""
    if 1 <= option <= len(options):
        number = step_number()
        st.session_state.setdefault(ANSWERS, {})[number] = (point(), options[option - 1])
        go(number, True)


def radio_key(number: int) -> str:
    """The key of the choice in step `number`."""
    return f"lesson_choice_{number}"


def choice(number: int) -> str | None:
    """What was chosen in a step, as long as u is still where it was then."""
    where, chosen = st.session_state.get(ANSWERS, {}).get(number, (None, None))
    return chosen if where == point() else None


def point() -> Point:
    """The point u."""
    return STATE.now.u


def start_browser() -> None:
    """Tell a picture that is new on the page where u is."""
    if PLANE not in st.session_state:
        place(point())


def seed() -> tuple[Point, int]:
    """The point that Python set last and its running number, for the browser: they don't change while u is dragged."""
    return st.session_state[SEED], st.session_state[SEQ]


def place(where: Point) -> None:
    """Move u from Python: by numbers, presets or a link."""
    _keep(where)
    st.session_state[SEED] = point()
    st.session_state[SEQ] = st.session_state.get(SEQ, 0) + 1


def moved_in_browser() -> None:
    """u was dragged."""
    where = dragged_point(PLANE, COORDINATES.most)
    if where is not None:
        _keep(where)


def turned_by_key() -> None:
    """An arrow key or PageUp / PageDown was pressed."""
    turn(pressed_turn(PLANE))


def moved_by_numbers() -> None:
    """u was typed."""
    values = (reading(FIRST), reading(SECOND))
    if all(v in COORDINATES for v in values):
        place((float(values[0]), float(values[1])))


def _keep(where: Point) -> None:
    STATE.put(replace(STATE.now, u=(round(where[0], 2) + 0.0, round(where[1], 2) + 0.0)))
