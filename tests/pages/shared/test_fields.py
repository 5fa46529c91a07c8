"""Fields of a page: what a link says is read, put right and written back, for every kind of field and every page."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared import fields
from pages.shared.fields import choice, maybe, number, numbers, several, switch, wholes, word
from pages.shared.kinds import Number
from relucert_core.datasets import toy as toy_sets
from relucert_core.datasets.points_word import unpack_points
from relucert_core.ranges import Range
from relucert_core.training import toy as toy_training
from tests.hunt_links import STATES as BY_PAGE

STATES, PLAYGROUND = tuple(BY_PAGE.values()), BY_PAGE["playground"]
HUGE = "9" * 310


@dataclass(frozen=True)
class Sample:
    """One field of each kind."""

    count: int = number(3, Range(1, 10, whole=True))
    size: float = number(0.5, Range(0.0, 2.0))
    mode: str = choice("a", {"a": "First", "b": "Second"})
    zoom: float = choice(1.0, {0.5: "0.5", 1.0: "1", 5.0: "5"})
    on: bool = switch("On")
    layers: tuple = several(("x",), {"x": "X", "y": "Y"})
    point: tuple = numbers((0.0, 0.0), Range(-3.0, 3.0))
    hidden: tuple = wholes((4, 4), Range(1, 64, whole=True), Range(1, 6, whole=True))
    epoch: int | None = maybe(Number(0, range=Range(0, 50, whole=True)), "end")
    own: str = word(unpack_points)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "7", 7), ("count", "11", 10), ("count", "-" + HUGE, 1), ("count", HUGE, 10), ("count", "1e3", 3),
        ("count", "²", 3), ("size", "inf", 2.0), ("size", "-inf", 0.0), ("size", "nan", 0.5), ("size", HUGE, 2.0),
        ("mode", "b", "b"), ("mode", "Second", "b"), ("mode", "<b>", "a"), ("zoom", "4.1", 5.0), ("zoom", "nan", 1.0),
        ("on", "true", True), ("on", "False", False), ("on", "perhaps", False), ("layers", "y~x", ("x", "y")),
        ("layers", "y~?", ("y",)), ("layers", "", ()), ("point", "1~2", (1.0, 2.0)), ("point", "9~nan", (0.0, 0.0)),
        ("point", "9~-9", (3.0, -3.0)), ("point", "1", (0.0, 0.0)), ("hidden", "9999", (64,)), ("hidden", "~", (4, 4)),
        ("hidden", "~".join("5" * 9), (5,) * 6), ("epoch", "end", None), ("epoch", "60", 50), ("epoch", "x", 0),
        ("own", "!!!", ""),
    ],
)  # fmt: skip
def test_a_links_text_becomes_the_nearest_accepted_value(name, text, value):
    found, clauses = fields.read_link({f"s_{name}": text}, Sample(), "s_")
    assert getattr(found, name) == value
    kind = fields.kinds(found)[name]
    fine = kind.write(value) == text or text in ("Second", "False", "y~x")
    assert len(clauses) == (not fine), clauses
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.page)
def test_every_field_has_words_and_a_default_that_it_accepts(state):
    for name, kind in state.kinds.items():
        assert kind.words, name
        assert kind.read(kind.write(kind.default)) == kind.default, name
    assert len(set(state.parameters.values())) == len(state.parameters)
    first, clauses = state.read({})
    assert clauses == []
    assert state.link(first) == {}


@given(st.data())
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.page)
def test_any_link_gives_a_record_whose_own_link_needs_nothing_put_right(state, data):
    odd = st.sampled_from(
        ["", HUGE, "-" + HUGE, "inf", "nan", "3000", "0.6", "1~2", "~", "<b>", "true", "end", "²", "é"]
    )
    link = data.draw(st.dictionaries(st.sampled_from(sorted(state.parameters.values())), odd | st.text(max_size=12)))
    record, _ = state.read(link)
    again, clauses = state.read(state.link(record))
    assert clauses == []
    assert again == record
    assert fields.mended(record) == record


def test_controls_links_and_engine_have_the_same_ranges():
    kinds = PLAYGROUND.kinds
    for name in ("epochs", "rate", "weight_decay", "seed", "radius", "strength", "faces", "face_margin"):
        assert kinds[name].range is toy_training.RANGES[name]
    assert kinds["size"].range is toy_sets.SIZES
    assert kinds["noise"].range is toy_sets.NOISES
    assert kinds["data_seed"].range is toy_sets.SEEDS
    assert kinds["hidden"].range is toy_training.WIDTHS
    assert kinds["hidden"].counts is toy_training.DEPTHS


def test_rules_between_fields_are_kept():
    record, clauses = PLAYGROUND.read({"pg_dataset": "moons", "pg_classes": "5"})
    assert record.classes == 2
    assert len(clauses) == 1
    assert dataclasses.replace(record, classes=5).settled() == record


def test_a_field_of_several_controls_is_taken_apart_and_put_together():
    kind = fields.kinds(PLAYGROUND.blank)["hidden"]
    pieces = kind.pieces((16, 4))
    assert [(name, one.words, value) for name, (one, value) in pieces.items()] == [
        ("_count", "Hidden layers", 2), ("_0", "Neurons in layer 1", 16), ("_1", "Neurons in layer 2", 4),
    ]  # fmt: skip
    assert kind.joined((16, 4), "_1", 9) == (16, 9)
    assert kind.joined((16, 4), "_count", 4) == (16, 4, 4, 4)
    assert kind.joined((16, 4), "_count", 1) == (16,)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.prefix)
def test_every_panel_is_drawn(state):
    folder = Path(__file__).parents[3] / "pages" / state.page
    drawn = "\n".join(path.read_text(encoding="utf8") for path in folder.rglob("*.py"))
    for kind in state.kinds.values():
        assert not kind.panel or f'.panel("{kind.panel}"' in drawn, kind.panel
