"""The moment by which the work under way has to end, looked at inside every long step, and the clock that counts it.

A search sets it around the certificates and attacks that it calls, so that a budget holds whatever the network's size.
What is cut short has a weaker answer, never a wrong one: a bisection keeps the radius that it has proved, an attack the
point that it has found. Without a deadline nothing changes. Time is that of the wall, unless a measurement says
otherwise (`counted_by`).
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_END: ContextVar[float] = ContextVar("relucert_deadline", default=math.inf)
_CLOCK: ContextVar[Callable[[], float]] = ContextVar("relucert_clock", default=time.perf_counter)


def now() -> float:
    """The seconds that budgets and deadlines are counted in."""
    return _CLOCK.get()()


@contextlib.contextmanager
def counted_by(clock: Callable[[], float]) -> Iterator[None]:
    """A context whose budgets count by `clock`, such as `time.process_time`, where other work shares the machine."""
    token = _CLOCK.set(clock)
    try:
        yield
    finally:
        _CLOCK.reset(token)


@contextlib.contextmanager
def ends_at(moment: float) -> Iterator[None]:
    """A context whose work should end at `moment`, as `now` counts, or before an outer one's end."""
    token = _END.set(min(moment, _END.get()))
    try:
        yield
    finally:
        _END.reset(token)


def seconds_left() -> float:
    """The seconds until the deadline; infinite without one."""
    end = _END.get()
    return end - now() if end < math.inf else math.inf


def late(seconds: float = 0.0) -> bool:
    """Is there no time for a step of that many seconds?"""
    end = _END.get()
    return end < math.inf and now() + seconds > end


class OutOfTime(Exception):
    """A step was given up half-way because its time was over; whoever set the deadline catches it."""


def check_time() -> None:
    """Raise OutOfTime past the deadline: for steps whose half is worth nothing."""
    if late():
        raise OutOfTime
