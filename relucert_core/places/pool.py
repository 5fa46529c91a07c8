"""The pool: worker processes, started as they are needed, and the queue of those who wait for one.

Nothing that a worker does, and no death of one, reaches the asking process as more than an exception of one sentence.
A worker that does not leave a call when told to is ended, and another takes its place.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import secrets
import signal
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener

from relucert_core.errors import RelucertError
from relucert_core.places.messages import END, ERROR, ITEM, Call, Networks, Reply, Stop, packed, receive, remember, send
from relucert_core.places.nursery import Nursery
from relucert_core.places.tickets import (
    ENDED,
    RUNNING,
    WAITING,
    Job,
    Lengths,
    Outlook,
    Ticket,
    allowed_seconds,
    next_ticket,
    outlook,
)

GRACE = 2.0  # seconds that a worker has to leave a call
LEASE = 20.0  # seconds after which nobody is taken to wait for a job any more
START = 90.0  # seconds in which a worker has to be there
_OVERTIME = 10.0  # seconds beyond twice its time after which a job is ended from outside
_TICK = 0.25
_USED = 0.75  # of its time: whoever took that much would perhaps have taken more
_SHOWN_ITEMS = 10_000

LOST = "The process that computed this was ended before it had an answer. A new one is ready: reload the page."
OVER_TIME = "This took much longer than it may, and was ended. Please try something smaller, or run it in Python."
REPLACED = "This was not computed, as another request took its place. Please try again."
NO_START = "No worker process could be started. Please try again; RELUCERT_WORKERS=0 does without."


class JobLost(RelucertError):
    """A job has no answer: its worker died, was ended, or could not be started."""


@dataclass(eq=False)
class _Seat:
    """A worker process, and what the pool knows of it."""

    connection: Connection
    pid: int
    ticket: Ticket | None = None
    known: Networks = field(default_factory=OrderedDict)


class Pool:
    """At most `workers` processes; memory: the bytes that the jobs that run at once may be foreseen to take."""

    def __init__(self, workers: int, memory: float = math.inf) -> None:
        self.workers, self.memory = workers, memory
        self.lengths = Lengths()
        self._lock = threading.RLock()
        self._numbers = itertools.count()
        self._seats: list[_Seat] = []
        self._starting: list[float] = []
        self._waiting: dict[int, Ticket] = {}
        self._key = secrets.token_bytes(32)
        self._listener = Listener(None, backlog=workers + 1, authkey=self._key)
        self._nursery = Nursery(str(self._listener.address), self._key)
        self._open = True
        for task in (self._accept, self._look_after):
            threading.Thread(target=task, daemon=True, name="relucert-places").start()

    # What pages call

    def submit(self, visitor: str, job: Job) -> Ticket:
        """Ask for a job: it replaces the visitor's other one in that lane, which is told to stop."""
        with self._lock:
            now = time.monotonic()
            ticket = Ticket(next(self._numbers), visitor, job, now, now, news=threading.Condition(self._lock))
            for other in [*self._waiting.values(), *self._running()]:
                if other.owner == ticket.owner:
                    self._tell(other)
            self._waiting[ticket.number] = ticket
            self._assign()
            return ticket

    def wait(self, ticket: Ticket, seconds: float) -> None:
        """Until there is news of a ticket, at most so long; who asks shows that somebody is still there."""
        with self._lock:
            ticket.seen = time.monotonic()
            if not ticket.items and ticket.state != ENDED:
                ticket.news.wait(seconds)

    def stop(self, ticket: Ticket) -> None:
        """Tell a job to stop; what it has sent until then stays in its ticket."""
        with self._lock:
            self._tell(ticket)

    def outlook(self, ticket: Ticket) -> Outlook:
        """Where somebody who waits stands."""
        with self._lock:
            now = time.monotonic()
            return outlook(ticket, self._waiting.values(), self._running(), self.lengths, self.workers, now)

    def crowded(self) -> bool:
        """Would a job have to wait for others?"""
        with self._lock:
            return bool(self._waiting) or len(self._running()) >= self.workers

    def pids(self) -> list[int]:
        """The processes: the workers that are there, and the one that they come from."""
        with self._lock:
            parent = self._nursery.pid
            return [seat.pid for seat in self._seats] + ([parent] if parent is not None else [])

    def close(self) -> None:
        """End everything."""
        with self._lock:
            self._open = False
            for ticket in [*self._waiting.values(), *self._running()]:
                self._end(ticket, JobLost(LOST))
            for seat in self._seats:
                _kill(seat.pid)
            self._listener.close()
            self._nursery.close()

    # Under the lock

    def _running(self) -> list[Ticket]:
        return [seat.ticket for seat in self._seats if seat.ticket is not None]

    def _assign(self) -> None:
        """Give free workers to those who are next, and start workers while there are more jobs than workers."""
        free = [seat for seat in self._seats if seat.ticket is None]
        for seat in free:
            ticket = next_ticket(self._waiting.values(), self._running(), self.lengths, self.memory)
            if ticket is None:
                return
            self._begin(seat, ticket)
        there = len(self._seats) + len(self._starting)
        for _ in range(min(len(self._waiting) - len(self._starting), self.workers - there)):
            try:
                self._nursery.one_more()
            except OSError:
                return  # tried again at the next look
            self._starting.append(time.monotonic())

    def _begin(self, seat: _Seat, ticket: Ticket) -> None:
        seconds = allowed_seconds(ticket, self._waiting.values(), self._running(), self.workers)
        del self._waiting[ticket.number]
        job = ticket.job
        try:
            payload, networks = packed((job.function, job.args, job.options))
        except Exception as error:  # an argument that cannot travel is the caller's fault
            self._end(ticket, error)
            return
        seconds = ticket.granted = math.inf if job.patient else seconds
        digests = tuple(networks)
        new = {name: net for name, net in networks.items() if name not in seat.known}
        remember(seat.known, digests, dict.fromkeys(new))
        ticket.state, ticket.begun = RUNNING, time.monotonic()
        seat.ticket = ticket
        with contextlib.suppress(OSError):  # it died: the thread that attends to it sees that
            send(seat.connection, Call(ticket.number, seconds, payload, new, digests))

    def _tell(self, ticket: Ticket) -> None:
        if ticket.state == WAITING:
            self._waiting.pop(ticket.number, None)
            self._end(ticket)
        elif ticket.state == RUNNING and math.isinf(ticket.told):
            ticket.told = time.monotonic()
            for seat in self._seats:
                if seat.ticket is ticket:
                    with contextlib.suppress(OSError):
                        send(seat.connection, Stop(ticket.number))

    def _cut(self, seat: _Seat, ticket: Ticket) -> None:
        """Others wait, and it had its part: it is left after its next improvement."""
        if not ticket.cut:
            ticket.cut = True
            with contextlib.suppress(OSError):
                send(seat.connection, Stop(ticket.number, soft=True))

    def _end(self, ticket: Ticket, error: Exception | None = None) -> None:
        if ticket.state != ENDED:
            ticket.state, ticket.error = ENDED, error
            self._waiting.pop(ticket.number, None)
        ticket.news.notify_all()

    def _hear(self, seat: _Seat, reply: Reply) -> None:
        ticket = seat.ticket
        if ticket is None or ticket.number != reply.number:
            return
        if reply.kind == ITEM:
            if len(ticket.items) < _SHOWN_ITEMS:
                ticket.items.append(reply.value)
            ticket.news.notify_all()
            return
        if reply.kind == END:
            ticket.value, ticket.answered, ran = reply.value, True, time.monotonic() - ticket.begun
            ticket.cut |= ticket.granted < ticket.job.seconds and ran > _USED * ticket.granted
            self.lengths.learn(ticket.job, ran)
        seat.ticket = None
        if reply.leaving:
            self._seats.remove(seat)
        self._end(ticket, reply.value if reply.kind == ERROR else None)
        self._assign()

    def _bury(self, seat: _Seat) -> None:
        if seat in self._seats:
            self._seats.remove(seat)
        seat.connection.close()
        ticket = seat.ticket
        if ticket is not None and ticket.state == RUNNING:
            wanted = math.isinf(ticket.told)
            if wanted and not ticket.again and not ticket.items:
                ticket.state, ticket.again = WAITING, True
                self._waiting[ticket.number] = ticket
            else:
                self._end(ticket, JobLost(LOST) if wanted else None)
        self._assign()

    # Threads of the pool

    def _accept(self) -> None:
        while self._open:
            try:
                connection = self._listener.accept()
                pid = receive(connection)
            except (OSError, EOFError, AuthenticationError):
                time.sleep(0.01)
                continue
            with self._lock:
                if self._starting:
                    self._starting.pop(0)
                seat = _Seat(connection, pid)
                self._seats.append(seat)
                self._assign()
            threading.Thread(target=self._attend, args=(seat,), daemon=True, name="relucert-worker").start()

    def _attend(self, seat: _Seat) -> None:
        while True:
            try:
                reply = receive(seat.connection)
            except (OSError, EOFError):
                break
            except Exception as error:  # what came is whole, but cannot be read here
                number = seat.ticket.number if seat.ticket is not None else -1
                reply = Reply(number, ERROR, RuntimeError(f"An answer cannot be read: {error}"))
            with self._lock:
                self._hear(seat, reply)
        with self._lock:
            self._bury(seat)

    def _look_after(self) -> None:
        while self._open:
            time.sleep(_TICK)
            with self._lock:
                now = time.monotonic()
                for ticket in list(self._waiting.values()):
                    if now - ticket.seen > LEASE:
                        self._tell(ticket)
                for seat in self._seats:
                    if seat.ticket is not None:
                        self._look_at(seat, seat.ticket, now)
                if self._starting and now - self._starting[0] > START:
                    self._give_up_starting()
                self._assign()

    def _look_at(self, seat: _Seat, ticket: Ticket, now: float) -> None:
        """Nobody waits for it, others wait, it does not leave: what follows."""
        ran = now - ticket.begun
        if now - ticket.seen > LEASE:
            self._tell(ticket)
        elif ran > allowed_seconds(ticket, self._waiting.values(), self._running(), self.workers) and ticket.items:
            self._cut(seat, ticket)
        if now - ticket.told > GRACE:
            _kill(seat.pid)
        elif ran > 2 * ticket.job.seconds + _OVERTIME and math.isinf(ticket.told):
            self._end(ticket, JobLost(OVER_TIME))
            _kill(seat.pid)

    def _give_up_starting(self) -> None:
        self._starting.clear()
        self._nursery.close()
        if not self._seats:
            for ticket in list(self._waiting.values()):
                self._end(ticket, JobLost(NO_START))


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
