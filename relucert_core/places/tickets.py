"""Who waits for a place, in which order, and how long each may take: the rules of fairness, without any process.

Short jobs come before long ones, and nobody waits for ever: the queue goes by the time of asking plus AGING times the
estimated length. While somebody waits, everybody's time is cut to the same part, as if all took turns: with w workers
and v > w visitors at work a job has w / v of the seconds that it asked for, or of TURN if that is less, at least LEAST.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

AGING = 4.0
LEAST, TURN = 0.2, 2.0  # a page asks for a dozen jobs, one after the other
_NEW = 0.2  # of an average: what the newest measurement counts
_UNKNOWN = 1.0  # seconds of a kind of job that was never run

WAITING, RUNNING, ENDED = "waiting", "running", "ended"


@dataclass(frozen=True)
class Job:
    """What is asked for: function(*args, **options), which may be a generator, within `seconds`.

    kind: jobs of one kind take about the same time. memory: the bytes that it is foreseen to take. lane: a visitor has
    one job a lane, and the newest replaces the older: what a page waits for, and what goes on beside it. patient: it
    has all the time: its seconds are no deadline for what it computes, and it is left early only between improvements.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    seconds: float
    kind: str
    memory: float = 0.0
    lane: str = "page"
    patient: bool = False


@dataclass(eq=False)
class Ticket:
    """A job that was asked for, and what is known of it; the pool changes it, under its lock. news: says so.

    granted: the seconds that it was given when it began. cut: others waited, and it might have done more with its time.
    answered: it came to its end by itself, and `value` is what it returned; else it was told to stop, or had an error.
    again: its worker died before anything of it was seen, and another one began it once more.
    """

    number: int
    visitor: str
    job: Job
    asked: float
    seen: float
    state: str = WAITING
    begun: float = math.inf
    granted: float = math.inf
    told: float = math.inf
    cut: bool = False
    answered: bool = False
    again: bool = False
    items: deque[Any] = field(default_factory=deque)
    value: Any = None
    error: Exception | None = None
    news: Condition = field(default_factory=Condition)

    @property
    def owner(self) -> tuple[str, str]:
        """Whose place in which lane this is."""
        return self.visitor, self.job.lane


@dataclass(frozen=True)
class Outlook:
    """For somebody who waits: the place in the queue from 1, 0 once it runs, and the seconds until then, estimated."""

    place: int
    seconds: float


class Lengths:
    """How long jobs of a kind took, as running averages."""

    def __init__(self) -> None:
        self._average: dict[str, float] = {}

    def of(self, job: Job) -> float:
        """The estimated seconds of a job."""
        return min(job.seconds, self._average.get(job.kind, _UNKNOWN))

    def learn(self, job: Job, seconds: float) -> None:
        """A job took so long."""
        before = self._average.pop(job.kind, seconds)
        self._average[job.kind] = (1 - _NEW) * before + _NEW * seconds
        while len(self._average) > 500:  # the oldest goes
            del self._average[next(iter(self._average))]


def in_order(waiting: Iterable[Ticket], lengths: Lengths) -> list[Ticket]:
    """The queue, first who is next."""
    return sorted(waiting, key=lambda t: (t.asked + AGING * lengths.of(t.job), t.number))


def next_ticket(
    waiting: Collection[Ticket], running: Collection[Ticket], lengths: Lengths, memory: float
) -> Ticket | None:
    """Who gets the place that came free; a job waits while its memory does not fit beside what runs."""
    used = sum(ticket.job.memory for ticket in running)
    for ticket in in_order(waiting, lengths):
        if not running or used + ticket.job.memory <= memory:
            return ticket
    return None


def allowed_seconds(ticket: Ticket, waiting: Collection[Ticket], running: Collection[Ticket], workers: int) -> float:
    """The seconds that a job has: all that it asked for, or its fair part while somebody waits."""
    asked = ticket.job.seconds
    visitors = len({other.visitor for other in [*waiting, *running]} | {ticket.visitor})
    if not waiting or visitors <= workers:
        return asked
    return min(asked, max(LEAST, min(asked, TURN) * workers / visitors))


def outlook(
    ticket: Ticket, waiting: Collection[Ticket], running: Collection[Ticket], lengths: Lengths, workers: int, now: float
) -> Outlook:
    """Where a ticket stands."""
    if ticket.state != WAITING:
        return Outlook(0, 0.0)
    before = [other for other in in_order(waiting, lengths) if other.state == WAITING]
    place = before.index(ticket) if ticket in before else 0
    work = sum(lengths.of(other.job) for other in before[:place])
    work += sum(max(0.0, lengths.of(other.job) - (now - other.begun)) for other in running)
    return Outlook(place + 1, work / max(workers, 1))
