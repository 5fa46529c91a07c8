"""The page `lesson`: every step opens, and its numbers are the engine's."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import relucert_core as rc
from pages.lesson import formulas, parts
from pages.lesson.formulas import far
from pages.lesson.parts import as_json, summary
from pages.lesson.plane import dragged_point, pressed_turn
from pages.lesson.state import PLANE, PRESETS, Fields, choice, radio_key
from pages.lesson.steps import STEPS
from relucert_core.experiments.lesson import LESSON_POINT, lesson_network, lower_network, walk
from relucert_core.experiments.lesson_mix import mix
from relucert_core.experiments.lesson_relation import relation_at
from relucert_core.words import down, up
from tests.helpers import rest_slow
from tests.pages.helpers import figures, open_page, texts

PAGE = "lesson"
NUMBERS = range(1, len(STEPS) + 1)
PLACES = [LESSON_POINT, *(where for where, _ in PRESETS.values()), (2.9, -2.9), (-2.5, 2.5), (0.0, 0.0)]


def records(point):
    net = lesson_network()
    return walk(net, point), mix(lower_network(net), point)


def latex(at) -> list[str]:
    return [str(element.value).strip("$\n ") for element in at.latex]


@pytest.mark.parametrize("number", NUMBERS)
def test_every_step_opens_with_its_question_and_with_its_answer(number):
    step, (here, mixed) = STEPS[number - 1], records(LESSON_POINT)
    hidden, shown = (open_page(PAGE, step=str(number), **more) for more in ({}, {"shown": "1"}))
    for at in (hidden, shown):
        assert not at.exception
        assert not at.error
        assert f"Step {number} of {len(STEPS)}" in texts(at)
        assert step.title in texts(at)
    assert latex(shown) == step.formula(here, mixed)
    assert step.sentence(here, mixed) in texts(shown)
    question = step.question(here, mixed)
    assert (question is None) == (number == 1)
    if question:
        assert not hidden.latex
        assert [radio.label for radio in hidden.radio] == [question.text]
        assert step.sentence(here, mixed) not in texts(hidden)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", NUMBERS)
def test_words_and_formulas_at_every_kind_of_place(number, place):
    """No step breaks anywhere, each question has one right option, and LaTeX braces are balanced."""
    step, (here, mixed) = STEPS[number - 1], records(place)
    assert len(step.sentence(here, mixed)) > 30
    for formula in step.formula(here, mixed):
        assert formula.count("{") == formula.count("}")
        assert not re.search(r"nan|inf\b|None|e-\d", formula), formula
    question = step.question(here, mixed)
    if question:
        assert len(set(question.options)) == len(question.options) >= 2
        right, wrong = question.options[question.right], question.options[question.right - 1]
        assert question.feedback(right).startswith("**Right.**")
        assert right in question.feedback(wrong)


def test_the_last_step_shows_the_two_numbers_that_meet():
    at = open_page(PAGE, step=str(len(STEPS)), shown="1")
    assert not at.exception
    certificate = relation_at(*LESSON_POINT).certificate
    assert certificate.guarantee == "exact"
    assert f"**{down(certificate.radius, 7)}**" in texts(at)
    assert f"**{up(certificate.upper, 7)}**" in texts(at)
    assert figures(at)[0]["data"][0]["name"] == "allowed on average"
    assert not open_page(PAGE, step=str(len(STEPS)), shown="1", present="1").exception


@pytest.mark.parametrize("place", rest_slow(["2.4,2.2", "-3,-3", "0,0", "1,0.4", "3,3"], 2))
def test_the_last_step_stands_anywhere(place):
    at = open_page(PAGE, step=str(len(STEPS)), shown="1", lesson_u=place)
    assert not at.exception
    assert any(words in texts(at) for words in ("Proved", "the distance is 0"))


def test_the_numbers_in_the_formulas_are_the_engines():
    net = lesson_network()
    region, certificate = rc.activation_region(net, LESSON_POINT), rc.certify(net, LESSON_POINT)
    here, mixed = records(LESSON_POINT)
    steps = {step.title: "\n".join(step.formula(here, mixed)) for step in STEPS}
    assert formulas.matrix(region.P) in steps["The region"]
    assert formulas.matrix(region.q) in steps["The region"]
    assert formulas.matrix(region.C) in steps["The affine map of the region"]
    assert formulas.tuple_of(region.d) in steps["All of it in one pass"]
    assert formulas.tuple_of(net(LESSON_POINT)) in steps["A tiny network"]
    for row, offset in zip(region.P, region.q, strict=True):
        distance = (row @ np.array(LESSON_POINT) + offset) / np.linalg.norm(row)
        assert f"={distance:.4f}".rstrip("0") in steps["The distance to the faces"]
    assert down(certificate.radius, 4) in steps["The safe circle"]
    lower = rc.certify(lower_network(net), LESSON_POINT, method="decision-boundary")
    assert f"{lower.radius:.4f}" in steps["What Theorem 4 gives up"]


def test_formatting_of_numbers():
    assert [formulas.num(v) for v in (0.0, -0.0, 2.0, -2.5, 0.12345, 10.0, 1e-9, np.inf)] == [
        *("0", "0", "2", "-2.5", "0.123", "10", "0", r"\infty")
    ]
    assert (formulas.root(4.0), formulas.root(26.0), formulas.root(2.5)) == ("2", r"\sqrt{26}", "1.581")
    assert formulas.affine([2.0, -1.0], 3.0) == "2x_1 - x_2 + 3"
    assert formulas.affine([0.0, 0.0], 0.0) == "0"
    assert formulas.affine([0.0, -1.0], 0.0) == "- x_2"


def test_turning_and_answering():
    at = open_page(PAGE)
    assert at.button(key="lesson_back").disabled
    at.button(key="lesson_next").click().run()
    assert at.query_params["step"] == "2"
    assert at.button(key="lesson_next").label == "Show me"
    at.radio(key=radio_key(2)).set_value("8").run()
    at.button(key="lesson_check").click().run()
    assert at.query_params["shown"] == "1"
    assert at.info[0].value.startswith("**Not this time**: it is *7*")
    at.button(key="lesson_next").click().run()
    at.radio(key=radio_key(3)).set_value("B and C on").run()
    at.button(key="lesson_check").click().run()
    assert at.success[0].value.startswith("**Right.**")
    at.button(key="lesson_back").click().run()
    assert (at.query_params["step"], at.query_params["shown"]) == ("2", "1")
    assert at.info[0].value.startswith("**Not this time**")
    at.button(key=f"lesson_step_{len(STEPS)}").click().run()
    at.button(key="lesson_next").click().run()
    assert at.button(key="lesson_next").disabled
    assert not at.exception


def test_a_question_can_be_skipped():
    at = open_page(PAGE, step="4")
    at.button(key="lesson_next").click().run()
    assert at.latex
    assert [box.value.startswith("**Answer: ") for box in at.info] == [True], "the answer, and no verdict"
    assert not at.success


@pytest.mark.parametrize(("odd", "step"), [("0", 1), ("17", 16), ("-1", 1), ("x", 1), ("9" * 310, 16), ("²", 1)])
def test_odd_steps_in_links_are_put_right_with_a_sentence(odd, step):
    at = open_page(PAGE, step=odd)
    assert not at.exception
    assert f"Step {step} of {len(STEPS)}" in texts(at)
    assert "The link was put right" in at.warning[0].value


@pytest.mark.parametrize(
    ("odd", "point"),
    [
        *((text, LESSON_POINT) for text in ("", "a,b", "1,2,3", "nan,0", "0," + "1" * 50)),
        ("inf,0", (3.0, 0.0)),
        ("9,-9", (3.0, -3.0)),
    ],
)
def test_odd_points_in_links_are_put_right_with_a_sentence(odd, point):
    at = open_page(PAGE, step="3", shown="1", lesson_u=odd)
    assert not at.exception
    assert (at.number_input(key="lesson_x1").value, at.number_input(key="lesson_x2").value) == point
    assert len(at.warning) == 1


def test_the_point_moves_by_numbers_places_and_the_browser():
    at = open_page(PAGE, step="3", shown="1")
    at.number_input(key="lesson_x1").set_value(1.5).run()
    assert at.query_params["lesson_u"] == "1.5,-0.6"
    here, mixed = records((1.5, -0.6))
    assert latex(at) == STEPS[2].formula(here, mixed)
    at.button(key="lesson_place_2").click().run()
    assert latex(at) == STEPS[2].formula(*records((-0.2, -1.6)))
    at.button(key="lesson_place_1").click().run()
    assert "lesson_u" not in at.query_params
    assert not at.exception


@pytest.mark.parametrize(
    "sent",
    [None, 3, "x", [1], [1, "2", 1], [True, 0.0, 1], [float("nan"), 0.0, 1], [9.0, 0.0, 1], [1.0, 1.0], {"a": 1}],
)
def test_what_the_browser_sends_is_not_trusted(monkeypatch, sent):
    import streamlit as st

    monkeypatch.setattr(st, "session_state", {PLANE: {"u": sent, "turn": sent}})
    assert dragged_point(PLANE, 3.0) is None
    assert pressed_turn(PLANE) == 0


def test_the_printed_python_runs_and_says_the_same(capsys):
    at = open_page(PAGE, step="12", shown="1")
    code = next(block.value for block in at.code if "import relucert_core" in block.value)
    exec(compile(code, "lesson", "exec"), {})
    said = capsys.readouterr().out
    assert f"safe radius {down(rc.certify(lesson_network(), LESSON_POINT).radius, 4)} (" in said
    assert "limited by neuron 1 of layer 2" in said
    assert "Theorem 4: 0.269" in said


@pytest.mark.parametrize("place", PLACES)
def test_downloaded_numbers_are_json(place):
    here, mixed = records(place)
    content = json.loads(as_json(here, mixed))
    assert content["safe_radius"] == here.certificate.radius
    assert content["P"] == here.region.P.tolist()
    assert str(here.regions) in summary(here)


def test_lecture_view_asks_and_shows_without_controls():
    for more in ({}, {"shown": "1"}):
        at = open_page(PAGE, present="1", step="7", **more)
        assert not at.exception
        assert not at.expander
        assert not at.radio
        assert not at.number_input
        assert bool(at.latex) == bool(more)


@pytest.mark.parametrize("present", ["", "1"])
def test_whoever_asks_to_be_shown_reads_the_answer(present):
    """By "Show me", by the arrow keys (which press the same turn) and in a lecture hall."""
    for step in (2, 10, 16):
        query = {"step": str(step)} | ({"present": present} if present else {})
        at = open_page("lesson", **query)
        question = STEPS[step - 1].question(*records(LESSON_POINT))
        right = question.options[question.right]
        said = texts(at)
        assert "Answer:" not in said
        at.button(key="lesson_next").click().run()
        assert f"Answer: {right.rstrip('.')}" in texts(at)
        assert not at.exception


def test_keys_answer_an_open_question_and_are_places_else(monkeypatch):
    question = STEPS[9].question(*records(LESSON_POINT))
    wrong = (question.right + 1) % len(question.options)
    session = {"lesson_fields": Fields(step=10)}
    monkeypatch.setattr("streamlit.session_state", session)

    def press(key):
        session["lesson_keys"] = {"pressed": [key, 1]}
        parts.press()
        return session["lesson_fields"]

    assert press("9") == Fields(step=10), "there is no ninth answer"
    assert press(str(wrong + 1)) == Fields(step=10, shown=True)
    assert choice(10) == question.options[wrong]
    place = PRESETS["3"][0]
    assert press("3") == Fields(step=10, shown=True, u=place)
    assert press("r").u == PRESETS["1"][0]


def test_the_table_says_the_numbers_of_the_text():
    walk, _ = records(LESSON_POINT)
    at = open_page("lesson", step="10", shown="1")
    cells = [str(cell) for cell in at.table[0].value.to_numpy().ravel()]
    for line in (*walk.faces, *walk.rivals):
        assert far(line.distance) in cells
    assert far(walk.nearest_face.distance) in texts(at)
    assert down(walk.certificate.radius, 4) in summary(walk)


def test_the_end_leads_on():
    at = open_page("lesson", step=str(len(STEPS)), shown="1")
    labels = [link.proto.label for link in at.get("page_link")]
    assert labels == ["On to the Playground", "On to Digits"]
