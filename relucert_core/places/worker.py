"""A worker process: one thread, one call at a time; it imports the engine, never the app nor Streamlit.

A call that is a generator sends its improvements as they come. Told to stop, it is left at the next look at the clock
(`deadline.now`, which every long step asks) or after the next improvement; a generator is sent True first, so that it
may end in good order and return what it has. When the pool's end of the pipe closes, the process ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Client, Connection
from typing import Any

from relucert_core.errors import RelucertError, Unsupported
from relucert_core.memory import MEGABYTE, give_back, limit_data, taken
from relucert_core.places.messages import (
    END,
    ERROR,
    ITEM,
    STOPPED,
    Call,
    Networks,
    Reply,
    Stop,
    receive,
    remember,
    send,
    unpacked,
)
from relucert_core.places.settings import JOB_MEMORY

_FRESH_AGAIN = 120 * MEGABYTE  # of its own: who holds more after a call makes room for a fresh process


class Stopped(BaseException):
    """The call was told to stop; no handler of errors keeps it."""


class Worker:
    """Serves the calls that come over a connection, until it closes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._last_stopped = self._last_soft = -1
        self._known: Networks = OrderedDict()

    def serve(self) -> None:
        """Until the pool goes, or the process has grown too large."""
        threading.Thread(target=self._listen, daemon=True).start()
        send(self._connection, os.getpid())
        base, leaving = taken(), False
        while not leaving:
            reply = self._answer(self._calls.get())
            if taken() - base > _FRESH_AGAIN:
                give_back()
                leaving = taken() - base > _FRESH_AGAIN
            # The answer says so: by the time that the connection closes the next call would be on its way.
            self._send(replace(reply, leaving=leaving))
            give_back()

    def _send(self, reply: Reply) -> None:
        try:
            send(self._connection, reply)
        except (pickle.PicklingError, TypeError, AttributeError) as error:  # nothing was sent
            told = RuntimeError(f"An answer cannot travel: {error}")
            send(self._connection, Reply(reply.number, ERROR, told, reply.leaving))

    def _listen(self) -> None:
        try:
            while True:
                message = receive(self._connection)
                if isinstance(message, Stop):
                    self._last_soft = max(self._last_soft, message.number)
                    self._last_stopped = self._last_stopped if message.soft else self._last_soft
                else:
                    self._calls.put(message)
        except Exception:  # the pool has gone, or what it sends cannot be read here: another worker takes the place
            os._exit(0)

    def _answer(self, call: Call) -> Reply:
        from relucert_core.deadline import counted_by, ends_at

        def clock() -> float:
            if self._last_stopped >= call.number:
                raise Stopped
            return time.perf_counter()

        remember(self._known, call.digests, call.networks)
        try:
            with counted_by(clock), ends_at(time.perf_counter() + call.seconds):
                function, args, options = unpacked(call.payload, self._known)
                value = self._followed(call.number, function(*args, **options))
            return Reply(call.number, END, value)
        except Stopped:
            return Reply(call.number, STOPPED)
        except Exception as error:
            return Reply(call.number, ERROR, _told(error))

    def _followed(self, number: int, found: Any) -> Any:
        """The value of a call; of a generator its improvements are sent on, and the value is what it returns."""
        if not isinstance(found, Iterator):
            return found
        try:
            while True:
                send(self._connection, Reply(number, ITEM, next(found)))
                if self._last_soft >= number:
                    if hasattr(found, "send"):
                        found.send(True)
                    raise Stopped
        except StopIteration as end:
            return end.value
        finally:
            if hasattr(found, "close"):
                found.close()


def _told(error: Exception) -> Exception:
    """The error as it may travel: our own as they are, a lack of memory in a sentence, others by name and words."""
    if isinstance(error, MemoryError) or "not enough memory" in str(error):
        allowed = JOB_MEMORY.read()
        return Unsupported(
            f"This needs more memory than one job may take ({allowed:,.0f} MB, RELUCERT_JOB_MEMORY): choose a smaller "
            "network, or run it in Python."
        )
    with contextlib.suppress(Exception):
        if isinstance(pickle.loads(pickle.dumps(error)), type(error)):
            return error
    kind = RelucertError if isinstance(error, RelucertError) else RuntimeError
    return kind(f"{type(error).__name__}: {error}")


def begin(address: str, key: bytes) -> None:
    """What a worker process does, from its first line to its last."""
    import torch

    torch.set_num_threads(1)
    connection = Client(address, authkey=key)
    allowed = JOB_MEMORY.read()
    if allowed < float("inf"):
        limit_data(int(allowed * MEGABYTE))
    Worker(connection).serve()


if __name__ == "__main__":
    begin(sys.argv[1], bytes.fromhex(sys.stdin.readline().strip()))
