"""Places for heavy work, for pages: worker processes (`relucert_core.places`), or this server's own process.

RELUCERT_WORKERS says how many processes there may be; with 0 all is computed here, two jobs at a time in the whole
server. Jobs that are foreseen to take more memory together than the server may take (RELUCERT_MEMORY) run one after the
other. Streamlit gives way to a visitor's click only where the script calls it, so whoever waits here asks it, and says
how long it will take; work that a click interrupts is told to stop.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.memory import give_back_soon
from relucert_core.deadline import counted_by, ends_at
from relucert_core.memory import memory_allowed
from relucert_core.places.foreseen import foreseen_memory
from relucert_core.places.pool import REPLACED, JobLost, Pool
from relucert_core.places.settings import workers
from relucert_core.places.tickets import ENDED, Job, Outlook, Ticket
from relucert_core.words import duration

PAGE, BESIDE = "page", "beside"
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.1
_SAY_SECONDS = 1.0
Say = Callable[[str], object]
Value = TypeVar("Value")


class Busy(Exception):
    """The server has no free place for a heavy computation; the message says so to the visitor."""


@st.cache_resource(max_entries=1, show_spinner=False)
def _places() -> threading.BoundedSemaphore:
    import torch

    torch.set_num_threads(1)
    return threading.BoundedSemaphore(2)


@st.cache_resource(max_entries=1, show_spinner=False)
def _pool(count: int) -> Pool:
    return Pool(count, memory_allowed())


def pool() -> Pool | None:
    """The worker processes; None where all is computed in the server."""
    count = workers()
    return _pool(count) if count else None


@contextlib.contextmanager
def heavy() -> Iterator[None]:
    """A place for heavy work in this process; raises Busy when none comes free within a minute."""
    places, begun = _places(), time.monotonic()
    while not places.acquire(timeout=_LOOK_SECONDS):
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise Busy("Many visitors are computing at the moment. Please try again in a minute.")
        give_way()
    try:
        yield
    finally:
        places.release()
        give_back_soon()


def give_way() -> None:
    """End this run of the script here when its visitor has clicked meanwhile: the click starts another one."""
    if get_script_run_ctx(suppress_warning=True) is not None:
        _ = "a look at it" in st.session_state  # where Streamlit gives way


def crowded() -> bool:
    """Would a job have to wait for others?"""
    there = pool()
    return there is not None and there.crowded()


def waiting_words(outlook: Outlook) -> str:
    """What a visitor reads who waits for a place."""
    if outlook.place == 0:
        return ""
    if outlook.place == 1 and outlook.seconds < 1:  # also while the first process is being started
        return "Your turn comes in a moment."
    about = f"in about {duration(outlook.seconds)}" if outlook.seconds >= 1 else "in a moment"
    return f"Many visitors are computing: yours is number {outlook.place} in the queue, and begins {about}."


def ask(
    function: Callable[..., Any],
    *args: Any,
    seconds: float,
    kind: str,
    say: Say | None = None,
    **options: Any,
) -> Any:
    """The value of `asked`."""
    return asked(function, *args, seconds=seconds, kind=kind, say=say, **options)[0]


def asked(
    function: Callable[..., Any],
    *args: Any,
    seconds: float,
    kind: str,
    say: Say | None = None,
    **options: Any,
) -> tuple[Any, bool]:
    """function(*args, **options) of the engine, computed in a worker; `say` is called with words while the job waits.

    Also says whether it had all its time: it has less while others wait, and may do better at a quieter moment.
    seconds: by when its deadline is (`relucert_core.deadline`). kind: what tells how long it may take, such as the
    method and the network. Raises what the function raises, and JobLost, in one sentence, where it has no answer,
    also because a newer request of the same visitor took its place.
    """
    there = pool()
    if there is None:
        with heavy(), ends_at(time.perf_counter() + seconds):
            return function(*args, **options), True
    memory = foreseen_memory([*args, *options.values()])
    improvements = _Remote(there, Job(function, args, options, seconds, kind, memory), say)
    try:
        for _ in improvements:
            pass
    finally:
        improvements.close()
    return improvements.answer(), not improvements.cut


def follow(
    function: Callable[..., Iterator[Any]],
    *args: Any,
    seconds: float,
    kind: str,
    say: Say | None = None,
    lane: str = PAGE,
    patient: bool = False,
    **options: Any,
) -> Improvements:
    """The improvements that a generator of the engine yields, as they come; `close` tells it to stop.

    A click ends the wait for the next one, by Streamlit's own exception; who still holds the object may go on with it.
    BESIDE is the lane of what goes on while the page is used. patient: see `Job`.
    """
    there = pool()
    if there is None:
        return _Here(function, args, options, math.inf if patient else seconds, restful=lane == BESIDE)
    memory = foreseen_memory([*args, *options.values()])
    return _Remote(there, Job(function, args, options, seconds, kind, memory, lane, patient), say)


class Improvements(Iterator[Any]):
    """What comes of a job; `value` is what it returns in the end, if it `answered`. `cut`: others waited."""

    value: Any = None
    cut: bool = False
    answered: bool = False

    def within(self, seconds: float) -> tuple[bool, Any]:
        """Whether an improvement came within that time, and which; StopIteration when there are no more."""
        raise NotImplementedError

    def waiting(self) -> str:
        """What a visitor reads who waits for a place; empty when it has one."""
        return ""

    def answer(self) -> Any:
        """The value, after the last improvement. Raises JobLost where a newer request of the visitor took its place."""
        if not self.answered:
            give_way()  # mostly to the click that asked for something else
            raise JobLost(REPLACED)
        return self.value

    def close(self) -> None:
        """Stop it; what has come stays."""
        raise NotImplementedError


class _Here(Improvements):
    """In this process, a step whenever one is asked for; a click interrupts a step unless it is `restful`."""

    def __init__(
        self,
        function: Callable[..., Iterator[Any]],
        args: tuple[Any, ...],
        options: dict[str, Any],
        seconds: float,
        *,
        restful: bool,
    ) -> None:
        self._make: Callable[[], Iterator[Any]] = lambda: function(*args, **options)
        self._steps: Iterator[Any] | None = None
        self._seconds, self._clock = seconds, time.perf_counter if restful else _interruptible
        self._end, self._closed = 0.0, False

    def __next__(self) -> Any:
        return self.within(0.0)[1]

    def within(self, seconds: float) -> tuple[bool, Any]:
        """The next step is computed, however long it takes."""
        if self._closed:
            raise StopIteration
        with heavy(), counted_by(self._clock):
            if self._steps is None:
                self._end = time.perf_counter() + self._seconds
            with ends_at(self._end):
                self._steps = self._make() if self._steps is None else self._steps
                try:
                    return True, next(self._steps)
                except StopIteration as end:
                    self.value, self._closed, self.answered = end.value, True, True
                    raise

    def close(self) -> None:
        """Close the generator; one that takes a True to end in good order gets it."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._steps, Generator):
            try:
                self._steps.send(True)
            except StopIteration as end:
                self.value = end.value
            self._steps.close()


class _Remote(Improvements):
    """In a worker process."""

    def __init__(self, there: Pool, job: Job, say: Say | None) -> None:
        self._pool, self._say, self._said, self._said_at = there, say, "", -math.inf
        self._ticket: Ticket = there.submit(_visitor(), job)

    def __next__(self) -> Any:
        while True:
            found, item = self.within(_LOOK_SECONDS)
            if found:
                return item
            self._tell()
            give_way()

    def within(self, seconds: float) -> tuple[bool, Any]:
        """Waits for the next improvement."""
        ended = self._ticket.state == ENDED
        if not ended and not self._ticket.items:
            self._pool.wait(self._ticket, seconds)
        if self._ticket.items:
            return True, self._ticket.items.popleft()
        if not ended:
            return False, None
        self.value, self.cut, self.answered = self._ticket.value, self._ticket.cut, self._ticket.answered
        if self._ticket.error is not None:
            raise self._ticket.error
        raise StopIteration

    def waiting(self) -> str:
        """The place in the queue."""
        return waiting_words(self._pool.outlook(self._ticket))

    def _tell(self) -> None:
        """Say where the job stands in the queue, when that has changed, once a second at most."""
        now = time.monotonic()
        if self._say is None or now - self._said_at < _SAY_SECONDS:
            return
        words, self._said_at = self.waiting(), now
        if words and words != self._said:
            self._said = words
            self._say(words)

    def close(self) -> None:
        """Tell the worker to stop; it is not waited for."""
        self._pool.stop(self._ticket)


def _interruptible() -> float:
    give_way()  # asked for at every iteration of a solver: a click ends the work there
    return time.perf_counter()


def _visitor() -> str:
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context is not None else f"thread {threading.get_ident()}"


class Kept(Generic[Value]):
    """Answers that all visitors share, the last `most` of them; what one visitor computes others wait for.

    An answer that had less than its time is computed again when it is asked for and nobody has to wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Any, tuple[Value, bool]] = OrderedDict()
        self._under_way: set[Any] = set()

    def find(self, key: Any, make: Callable[[], tuple[Value, bool]]) -> Value:
        """The answer of that key; `make` computes it outside the lock and says if it had its time; it may raise."""
        busy = crowded()
        while True:
            with self._lock:
                if key in self._found and (busy or self._found[key][1]):
                    self._found.move_to_end(key)
                    return self._found[key][0]
                if key not in self._under_way:
                    self._under_way.add(key)
                    break
            time.sleep(_LOOK_SECONDS)
            give_way()
        try:
            value, whole = make()
            with self._lock:
                self._found[key] = value, whole
                while len(self._found) > self._most:
                    self._found.popitem(last=False)
            return value
        finally:
            with self._lock:
                self._under_way.discard(key)
