"""The parts of the lesson's page beside its picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.lesson import state
from pages.lesson.code import lesson_code
from pages.lesson.formulas import far_or_never
from pages.lesson.questions import Question
from pages.lesson.relation import relation_part
from pages.lesson.steps import STEPS, THEOREM_4
from pages.shared.charts import numbers_behind
from pages.shared.control import control
from pages.shared.keys import pressed_key
from pages.shared.shell import presenting, theme_name
from relucert_core.citation import made_by
from relucert_core.experiments.lesson import (
    LESSON_BIASES,
    LESSON_POINT,
    LESSON_WEIGHTS,
    NEURONS,
    Line,
    Walk,
    lesson_network,
    lesson_plane,
    lower_network,
    walk,
)
from relucert_core.experiments.lesson_mix import Mix, mix
from relucert_core.figures.lesson import lesson_scene
from relucert_core.figures.theme import find_theme
from relucert_core.jobs.lines import point_digest
from relucert_core.words import down

_HERE = Path(__file__).parent
STYLE, PRESENT_STYLE = _HERE / "page.css", _HERE / "present.css"


@st.cache_resource(max_entries=256, show_spinner=False)
def records(x1: float, x2: float) -> tuple[Walk, Mix]:
    """Everything that the lesson says about a point; the records are frozen."""
    net = lesson_network()
    return walk(net, (x1, x2)), mix(lower_network(net), (x1, x2))


@st.cache_resource(max_entries=128, show_spinner=False)
def _scene(show: tuple[str, ...], title: str, theme: str, hall: bool) -> dict[str, Any]:
    net = lesson_network()
    lower = lower_network(net)
    return lesson_scene(
        lesson_plane(net),
        lesson_plane(lower),
        mix(lower, LESSON_POINT),
        NEURONS,
        find_theme(theme, hall),
        show=show,
        title=f"The plane of the network's two inputs: {title}.",
    )


def scene(show: tuple[str, ...], title: str) -> dict[str, Any]:
    """What the picture shows, in the look of this page."""
    return _scene(show, title, theme_name(), presenting())


def press() -> None:
    """A key 1 to 4 answers the open question; else 1 to 5 puts u at a prepared place, r back to the first one."""
    key = pressed_key(state.KEYS) or ""
    step = STEPS[state.step_number() - 1]
    asked = None if state.answer_is_shown() else step.question(*records(*state.point()))
    if asked and key.isdigit():
        state.answer_by_key(int(key), asked.options)
        return
    where = state.PRESETS.get("1" if key == "r" else key)
    if where:
        state.place(where[0])


def point_controls() -> None:
    """u in numbers, and prepared places."""
    ends = state.COORDINATES.least, state.COORDINATES.most
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_point_controls"):
        labels, names = ("x₁ of u", "x₂ of u"), (state.FIRST, state.SECOND)
        for label, name, value in zip(labels, names, state.point(), strict=True):
            key, first = control(name, value)
            st.number_input(
                label, *ends, first, step=0.1, format="%.2f", key=key,
                on_change=state.moved_by_numbers, width=130,
            )  # fmt: skip
        with st.popover("Places for u"):
            for key, (where, words) in state.PRESETS.items():
                st.button(f"{key}: {words}", on_click=state.place, args=(where,), key=f"lesson_place_{key}")
    st.caption(
        "Drag u, or click anywhere. Keys: ← → for the steps; 1 to 5 for places, or for the answer while a question "
        "is open; r to reset."
    )


def turning(number: int, shown: bool) -> None:
    """Back and on."""
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_turning"):
        st.button(
            "Back",
            icon=":material/arrow_back:",
            on_click=state.turn,
            args=(-1,),
            disabled=number == 1,
            key="lesson_back",
        )
        words = "Next" if shown else "Show me"
        at_end = shown and number == len(STEPS)
        st.button(
            words, icon=":material/arrow_forward:", type="primary", on_click=state.turn, args=(1,), disabled=at_end,
            key="lesson_next",
        )  # fmt: skip
        st.markdown(f"Step {number} of {len(STEPS)}")


def step_words(number: int, shown: bool, walk: Walk, mix: Mix, *, under_way: bool) -> None:
    """Title, question or answer, sentence, formulas."""
    step = STEPS[number - 1]
    st.markdown(f"{'#' if presenting() else '##'} {step.title} \n*{step.source}*")
    question = step.question(walk, mix)
    if not shown and question:
        _ask(number, question.text, question.options)
        return
    if question:
        _answer(question, state.choice(number))
    st.markdown(step.sentence(walk, mix))
    for formula in step.formula(walk, mix):
        st.latex(formula)
    if step.relation:
        relation_part(state.point(), under_way=under_way)
    if number == len(STEPS) and not presenting():
        _lead_on()


def _answer(question: Question, chosen: str | None) -> None:
    """The answer in words, to whoever chose one and to whoever asked to be shown."""
    if presenting():
        st.markdown(f"**Answer: {question.options[question.right]}**")
    elif chosen is None:
        st.info(question.answer)
    else:
        box = st.success if question.is_right(chosen) else st.info
        box(question.feedback(chosen))


def _lead_on() -> None:
    """Where the lesson goes on."""
    st.markdown("**And now?** Drag a point through networks that you train yourself, or ask the same of a real digit.")
    with st.container(horizontal=True):
        st.page_link("pages/playground/page.py", label="On to the Playground", icon=":material/polyline:")
        st.page_link("pages/digits/page.py", label="On to Digits", icon=":material/draw:")


def _ask(number: int, text: str, options: tuple[str, ...]) -> None:
    """The question with its options, which have the numbers of the keys that choose them."""
    if presenting():
        st.markdown(f"**{text}**")
        st.markdown("\n".join(f"{i}. {option}" for i, option in enumerate(options, start=1)))
        return
    with st.container(border=True):
        st.radio(
            text, options, index=None, key=state.radio_key(number),
            format_func=lambda option: f"{options.index(option) + 1}: {option}",
        )  # fmt: skip
        st.button("Check my answer", on_click=state.reveal, key="lesson_check")
        st.caption(f"Keys 1 to {len(options)} answer. Not sure? A guess is welcome, and so is “Show me”.")


def table(number: int, walk: Walk, mix: Mix) -> None:
    """The picture as text."""
    with numbers_behind("the picture"):
        st.markdown(summary(walk))
        st.table([_row(line, walk) for line in (*walk.faces, *walk.rivals)])
        if number in THEOREM_4:
            st.markdown("The eight lines where D and E would tie, one for each pattern of A, B, C:")
            st.table(
                [
                    {
                        "pattern": one.line.name,
                        "found in the picture": "yes, at u" if one.own else "yes" if one.real else "no",
                        "distance from u": far_or_never(one.line.distance),
                    }
                    for one in mix.patterns
                ]
            )


def summary(walk: Walk) -> str:
    """What the picture shows, in words."""
    x1, x2 = walk.point
    return (
        f"u = ({x1:g}, {x2:g}) is read as class {walk.prediction}. Safe radius {down(walk.certificate.radius, 4)} "
        f"({walk.certificate.guarantee}, status {walk.certificate.status}); true distance {far_or_never(walk.exact)}. "
        f"The lines of A, B, C cut the plane into {walk.pieces} pieces, all five neurons into {walk.regions} regions. "
        "A, B, C are the neurons 0, 1, 2 of layer 1 in the code, D and E the neurons 0 and 1 of layer 2."
    )


def _row(line: Line, walk: Walk) -> dict[str, str]:
    face = line.limit.kind == "face"
    on = walk.region.pattern[line.limit.layer - 1][line.limit.neuron] if face else None  # type: ignore[operator]
    return {
        "line": f"neuron {line.name}" if face else f"class {walk.prediction} ties with class {line.name}",
        "at u": "" if on is None else "on" if on else "off",
        "face of u's region": ("yes" if line.touches else "no") if face else "",
        "distance from u": far_or_never(line.distance),
        "nearest point": "" if line.foot is None else f"({line.foot[0]:.3f}, {line.foot[1]:.3f})",
    }


def all_steps(number: int) -> None:
    """Straight to any step."""
    with st.expander("All steps"):
        for i, step in enumerate(STEPS, start=1):
            st.button(
                f"{i}. {step.title} ({step.source})", type="tertiary", disabled=i == number, on_click=state.go,
                args=(i, False), key=f"lesson_step_{i}",
            )  # fmt: skip


def download(walk: Walk, mix: Mix) -> None:
    """The numbers, and the link to this step."""
    with st.expander("Download and link"):
        st.download_button(
            "All numbers of this point (JSON)", as_json(walk, mix), "relucert-lesson.json", "application/json",
            on_click="ignore",
        )  # fmt: skip
        st.markdown(
            "The link to this step and this point; add `&present=1` for a lecture hall, `&shown=1` for the answer:"
        )
        st.code(state.STATE.address(), language=None, wrap_lines=True)


def as_json(walk: Walk, mix: Mix) -> str:
    """Both records in short; an infinite distance is null."""
    certificate = walk.certificate
    content = {
        "network": {"name": lesson_network().name, "weights": LESSON_WEIGHTS, "biases": LESSON_BIASES},
        "u": walk.point.tolist(),
        "logits": walk.logits.tolist(),
        "prediction": walk.prediction,
        "pattern": [signs.astype(int).tolist() for signs in walk.region.pattern],
        "P": walk.region.P.tolist(),
        "q": walk.region.q.tolist(),
        "C": walk.region.C.tolist(),
        "d": walk.region.d.tolist(),
        "distances": {line.name: _finite(line.distance) for line in (*walk.faces, *walk.rivals)},
        "safe_radius": _finite(certificate.radius),
        "guarantee": certificate.guarantee,
        "status": certificate.status,
        "limited_by": str(certificate.limit) if certificate.limit else None,
        "exact_distance": _finite(walk.exact),
        "theorem_4": {"radius": _finite(mix.certificate.radius), "mix": mix.mix, "theorem_3": mix.simplex.radius},
        **made_by(_code(walk.point.tolist()), network=lesson_network().digest, point=point_digest(walk.point)),
    }
    return json.dumps(content, indent=1)


def _code(point: Sequence[float]) -> str:
    return lesson_code(LESSON_WEIGHTS, LESSON_BIASES, (point[0], point[1]))


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def python_code() -> None:
    """The same in Python."""
    with st.expander("The same in a few lines of Python"):
        st.code(_code(state.point()), wrap_lines=True)
