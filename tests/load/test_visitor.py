"""The load script's visitor reads Streamlit's messages: words, controls, fragments, ends, errors (no server needed)."""

from __future__ import annotations

import threading
import time

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
    made._page, made._query, made._hash = "digits", "a=1", ""
    made._session, made.resumed = "", False
    made._widgets, made._ticks, made._kept = {}, {}, {}
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


def address(query):
    message = ForwardMsg()
    message.page_info_changed.query_string = query
    return message


def test_a_number_stays_typed_and_is_answered_when_the_numbers_and_the_address_have_come(visitor):
    visitor._take(element("part", number_input={"label": "u, x", "id": "n1", "default": 0.5}))
    came = []

    def answer():
        while not visitor._socket.sent:
            pass
        for message in (
            element("part", metric={"body": "9"}),
            address("a=1&pg_point=0.3~0"),
            address("pg_point=0.25~0"),
        ):
            time.sleep(0.05)
            came.append(time.monotonic())
            visitor._take(message)

    threading.Thread(target=answer, daemon=True).start()
    assert visitor.type_in("u, x", 0.25, "pg_point") >= 0.15
    assert len(came) == 3, "an address from before the click is no answer"
    visitor.rerun()
    last = visitor._socket.sent[-1].rerun_script
    assert [w.double_value for w in last.widget_states.widgets] == [0.25]
    assert last.query_string == "pg_point=0.25~0", "an older address would mean Back"


def test_a_click_without_an_answer_is_an_error(visitor, monkeypatch):
    monkeypatch.setattr("tests.load.visitor.PATIENCE", 0.05)
    visitor._take(element("part", number_input={"label": "u, x", "id": "n1"}))
    with pytest.raises(TimeoutError, match=r"u, x = 0\.25 was not answered"):
        visitor.type_in("u, x", 0.25, "pg_point")


def tick(interval, fragment="part"):
    message = ForwardMsg()
    message.auto_rerun.interval, message.auto_rerun.fragment_id = interval, fragment
    return message


def new_run(*fragments):
    message = ForwardMsg()
    message.new_session.initialize.session_id = "s1"
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def test_ticks_begin_and_end(visitor):
    visitor._take(tick(0.5))
    due = visitor._ticks["part"]
    visitor._take(tick(0.5))
    assert visitor._ticks["part"] == due, "the same pace does not begin anew"
    visitor._take(tick(1.0))
    assert visitor._ticks["part"][0] == 1.0
    message = ForwardMsg()
    message.stop_auto_rerun.fragment_ids.append("part")
    visitor._take(message)
    assert not visitor._ticks


def test_a_run_of_the_whole_page_ends_the_ticks_and_one_of_a_fragment_does_not(visitor):
    visitor._take(tick(0.5))
    visitor._take(new_run("part"))
    assert visitor._ticks
    visitor._take(new_run())
    assert not visitor._ticks


def test_the_page_is_the_one_that_the_server_chose(visitor):
    message = ForwardMsg()
    message.navigation.page_script_hash = "h1"
    visitor._take(message)
    visitor.rerun()
    asked = visitor._socket.sent[-1].rerun_script
    assert (asked.page_script_hash, asked.page_name) == ("h1", "")


def test_large_elements_are_kept_and_named(visitor):
    large = element(markdown={"body": "Reads **7**"})
    large.hash, large.metadata.cacheable = "abc", True
    visitor._take(large)
    visitor.rerun()
    assert list(visitor._socket.sent[-1].rerun_script.cached_message_hashes) == ["abc"]
    again = ForwardMsg()
    again.ref_hash = "abc"
    visitor._take(again)
    assert [words for _, words in visitor.seen.words] == ["Reads **7**"] * 2


def test_a_run_that_gave_way_is_no_end(visitor):
    for status in (ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_SUCCESSFULLY):
        message = ForwardMsg()
        message.script_finished = status
        visitor._take(message)
    assert (visitor.seen.finished, visitor.seen.finished_whole) == (1, 1)


def test_figures_say_whether_they_are_kept():
    assert "NOT KEPT" in str(Figure("a click", 2.5, 2.0, "s"))
    assert "NOT KEPT" not in str(Figure("a click", 1.5, 2.0, "s"))
