"""A visitor without a browser: Streamlit's messages over a websocket, as much of them as a measurement needs.

It does what Streamlit's own page in the browser does wherever that changes what the server has to do: it asks with the
address that the server wrote last (an older one would mean Back, and undo the click), its ticks end with every new run
of the whole page, and large elements that it has are named, not sent again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 300.0
_FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Control:
    """A button or a number on the page: its identity, the fragment that it stands in, its value."""

    identity: str
    fragment: str
    value: float = 0.0


@dataclass
class Seen:
    """What has come: words with the moment of each, controls by label, how often numbers came, ticks sent, errors."""

    words: list[tuple[float, str]] = field(default_factory=list)
    controls: dict[str, Control] = field(default_factory=dict)
    numbers: int = 0
    ticks: int = 0
    finished: int = 0
    finished_whole: int = 0
    errors: list[str] = field(default_factory=list)
    closed: bool = False


class Visitor:
    """One tab: opens a page, reads what comes in a thread of its own, and reruns fragments when their time has come."""

    def __init__(self, address: str, page: str, query: str) -> None:
        self._page, self._query, self._hash = page, query, ""
        self._widgets: dict[str, Any] = {}
        self._ticks: dict[str, tuple[float, float]] = {}  # fragment: its interval, the next time
        self._kept: dict[str, ForwardMsg] = {}  # large elements by their hash
        self._lock = threading.RLock()
        self.seen, self.begun = Seen(), time.monotonic()
        self._address, self._session = address, ""
        self._open()

    @property
    def address(self) -> str:
        """The page's query string, as the browser would show it."""
        return self._query

    def reconnect(self) -> None:
        """Come back after the connection was lost, as the browser does by itself: the same session if it is still there
        (`resumed`), and the same address in each case."""
        with self._lock:
            self._ticks, errors = {}, self.seen.errors
            self.seen, self.begun = Seen(errors=errors), time.monotonic()
        self._open()

    def _open(self) -> None:
        protocols: Any = ["streamlit", "PLACEHOLDER_AUTH_TOKEN", self._session] if self._session else ["streamlit"]
        self.resumed = bool(self._session)
        self._line = contextlib.ExitStack()
        self._socket = self._line.enter_context(
            connect(
                f"{self._address.replace('http', 'ws', 1)}/_stcore/stream",
                subprotocols=protocols,
                max_size=None,
                open_timeout=PATIENCE,
                ping_interval=None,
            )
        )
        for task in (self._read, self._tick):
            threading.Thread(target=task, args=(self._socket,), daemon=True).start()
        self.rerun()

    def rerun(self, fragment: str = "", *, automatic: bool = False) -> None:
        """Ask for a run of the page, or of one of its fragments."""
        state = ClientState(is_auto_rerun=automatic)
        if fragment:
            state.fragment_id = fragment
        with self._lock:
            state.query_string, state.page_script_hash = self._query, self._hash
            state.page_name = "" if self._hash else self._page
            state.cached_message_hashes.extend(self._kept)
            for identity, value in self._widgets.items():
                state.widget_states.widgets.add(id=identity, **value)
            self._send(BackMsg(rerun_script=state))
            self._widgets = {key: value for key, value in self._widgets.items() if "trigger_value" not in value}

    def go(self, page: str, query: str) -> None:
        """To another page, by its address."""
        with self._lock:
            self._page, self._query, self._hash, self.begun = page, query, "", time.monotonic()
            self._widgets, self._ticks, errors = {}, {}, self.seen.errors
            self.seen = Seen(errors=errors)
        self.rerun()

    def click(self, label: str) -> None:
        """Press a button."""
        button = self.seen.controls[label]
        self._widgets[button.identity] = {"trigger_value": True}
        self.rerun(button.fragment)

    def type_in(self, label: str, value: float, parameter: str) -> float:
        """Change a number; the seconds until the page has answered: its numbers (`st.metric`) have come anew, and its
        address holds the value as the first of `parameter`. Raises TimeoutError without an answer."""
        number = self.seen.controls[label]
        with self._lock:
            self._widgets[number.identity] = {"double_value": value}
            before, begun = self.seen.numbers, time.monotonic()
            self.rerun(number.fragment)
        if not self.wait(lambda: self.seen.numbers > before and self.linked(parameter) == value):
            raise TimeoutError(f"{label} = {value} was not answered; the address is {self._query[:300]}")
        return time.monotonic() - begun

    def linked(self, parameter: str) -> float | None:
        """The first number of a parameter of the page's address."""
        words = parse_qs(self._query).get(parameter)
        return float(words[0].split("~")[0]) if words else None

    def wait(self, condition: Callable[[], bool], patience: float | None = None) -> bool:
        """Until the condition holds; False when it did not in time, or the server has closed."""
        end = time.monotonic() + (PATIENCE if patience is None else patience)
        while time.monotonic() < end and not self.seen.closed:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def said(self, words: str) -> float | None:
        """The seconds from the beginning until these words came."""
        return next((moment - self.begun for moment, text in list(self.seen.words) if words in text), None)

    def close(self) -> None:
        """Leave."""
        self._line.close()

    def _send(self, message: BackMsg) -> None:
        try:
            self._socket.send(message.SerializeToString())
        except ConnectionClosed:
            self.seen.closed = True

    def _read(self, socket: Any) -> None:
        try:
            for data in socket:
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                with self._lock:
                    self._take(message)
        except ConnectionClosed:
            pass
        finally:
            if socket is self._socket:
                self.seen.closed = True

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self._kept[message.ref_hash]
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable:
            self._kept[message.hash] = message
        if kind == "delta":
            self._draw(message.delta)
        elif kind == "script_finished" and message.script_finished in _FINISHED:
            self.seen.finished += 1
            self.seen.finished_whole += message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        elif kind == "auto_rerun":
            interval, fragment = message.auto_rerun.interval, message.auto_rerun.fragment_id
            if self._ticks.get(fragment, (None,))[0] != interval:
                self._ticks[fragment] = (interval, time.monotonic() + interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._ticks.pop(fragment, None)
        elif kind == "new_session":
            self.resumed &= message.new_session.initialize.session_id == self._session
            self._session = message.new_session.initialize.session_id
            if not message.metadata.run.fragment_ids:
                self._ticks.clear()
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "page_not_found":
            self.seen.errors.append("page not found")

    def _draw(self, delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element, now = delta.new_element, time.monotonic()
        kind = element.WhichOneof("type")
        if kind in ("markdown", "heading", "text"):
            self.seen.words.append((now, getattr(element, kind).body))
        elif kind == "progress":
            self.seen.words.append((now, element.progress.text))
        elif kind == "metric":
            self.seen.numbers += 1
        elif kind == "button":
            self.seen.controls[element.button.label] = Control(element.button.id, delta.fragment_id)
        elif kind == "number_input":
            number = element.number_input
            self.seen.controls[number.label] = Control(number.id, delta.fragment_id, number.default)
        elif kind == "exception":
            self.seen.errors.append(f"{element.exception.type}: {element.exception.message}"[:300])
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.seen.errors.append(element.alert.body[:300])

    def _tick(self, socket: Any) -> None:
        while not self.seen.closed and socket is self._socket:
            time.sleep(0.05)
            now = time.monotonic()
            with self._lock:
                due = [fragment for fragment, (_, when) in self._ticks.items() if now >= when]
                for fragment in due:
                    interval = self._ticks[fragment][0]
                    self._ticks[fragment] = (interval, now + interval)
                    self.rerun(fragment, automatic=True)
                    self.seen.ticks += 1
