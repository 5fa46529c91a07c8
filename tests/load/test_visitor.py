"""The load script's visitor reads Streamlit's messages: words, controls, fragments, ends, errors (no server needed)."""

from __future__ import annotations

import threading

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.load.__main__ import Figure
from tests.load.visitor import Seen, Visitor


class Line:
    """In the socket's place: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[BackMsg] = []

    def send(self, data: bytes) -> None:
        message = BackMsg()
        message.ParseFromString(data)
        self.sent.append(message)


@pytest.fixture
def visitor():
    made = Visitor.__new__(Visitor)
    made._page, made._query, made._widgets, made._ticks = "digits", "a=1", {}, {}
    made._lock, made.seen, made.begun, made._socket = threading.RLock(), Seen(), 0.0, Line()
    return made


def element(fragment="", **content):
    message = ForwardMsg()
    message.delta.fragment_id = fragment
    for kind, values in content.items():
        for name, value in values.items():
            setattr(getattr(message.delta.new_element, kind), name, value)
    return message


def test_words_and_errors_are_read(visitor):
    visitor._take(element(markdown={"body": "Reads **7**. Safe to **0.5**"}))
    visitor._take(element(progress={"text": "Still computing"}))
    visitor._take(element(exception={"type": "KeyError", "message": "no"}))
    assert [words for _, words in visitor.seen.words] == ["Reads **7**. Safe to **0.5**", "Still computing"]
    assert visitor.said("Safe to") > 0
    assert visitor.said("Nobody") is None
    assert visitor.seen.errors == ["KeyError: no"]


def test_a_button_is_pressed_once_and_in_its_fragment(visitor):
    visitor._take(element("part", button={"label": "Train", "id": "b1"}))
    visitor.click("Train")
    visitor.rerun()
    first, second = (message.rerun_script for message in visitor._socket.sent)
    assert (first.fragment_id, first.page_name, first.query_string) == ("part", "digits", "a=1")
    assert [(w.id, w.trigger_value) for w in first.widget_states.widgets] == [("b1", True)]
    assert not second.widget_states.widgets


def test_a_number_stays_typed(visitor):
    visitor._take(element("part", number_input={"label": "u, x", "id": "n1", "default": 0.5}))

    def answer():
        while not visitor._socket.sent:
            pass
        visitor._take(element("part", metric={"body": "0.25"}))

    threading.Thread(target=answer, daemon=True).start()
    assert 0 <= visitor.type_in("u, x", 0.25) < 60
    visitor.rerun()
    assert [w.double_value for w in visitor._socket.sent[-1].rerun_script.widget_states.widgets] == [0.25]


def test_ticks_begin_and_end(visitor):
    message = ForwardMsg()
    message.auto_rerun.interval, message.auto_rerun.fragment_id = 0.5, "part"
    visitor._take(message)
    assert visitor._ticks["part"][0] == 0.5
    message = ForwardMsg()
    message.stop_auto_rerun.fragment_ids.append("part")
    visitor._take(message)
    assert not visitor._ticks


def test_a_run_that_gave_way_is_no_end(visitor):
    for status in (ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_SUCCESSFULLY):
        message = ForwardMsg()
        message.script_finished = status
        visitor._take(message)
    assert (visitor.seen.finished, visitor.seen.finished_whole) == (1, 1)


def test_figures_say_whether_they_are_kept():
    assert "NOT KEPT" in str(Figure("a click", 2.5, 2.0, "s"))
    assert "NOT KEPT" not in str(Figure("a click", 1.5, 2.0, "s"))
