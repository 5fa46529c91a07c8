"""The one loop over any crew: a bounded number of tasks under way, answers written as they come, deaths survived."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from relucert_core.jobs.crews import STOPPING, Crew
from relucert_core.jobs.tasks import DIED, Work

W = TypeVar("W", bound=Work)
_DEATHS = 3
_TICK = 0.5  # seconds: a signal that comes while we wait is seen after that at the latest


def carry_out(tasks: Iterator[W], crew: Crew, take: Callable[[W, list[Any]], None]) -> None:
    """Hand every task to the crew and every task's answers to `take`, in the order in which they come.

    A worker that dies is replaced. What was under way with it is tried again, each alone, so that the guilty one shows;
    one that kills a third worker gets answers with the status `DIED`. On Ctrl-C or SIGTERM the finished answers are
    taken, the workers end at once, and KeyboardInterrupt is raised. Errors of a task itself are raised. No interrupt
    comes while `take` is at work; it may be handed the same answers twice, and keeps the first.
    """
    under_way: dict[Future[list[Any]], W] = {}
    suspects: deque[W] = deque()
    deaths: dict[int, int] = defaultdict(int)  # by the task's identity, which `under_way` or `suspects` keeps alive
    interrupts = _Interrupts()
    take = interrupts.after(take)
    with _terminated_like_interrupted(interrupts):
        try:
            while True:
                _fill(tasks, crew, under_way, suspects)
                if not under_way:
                    return
                ready, _ = wait(under_way, timeout=_TICK, return_when=FIRST_COMPLETED)
                fallen = _harvest(ready, under_way, crew, take)
                if fallen and not crew.retries:
                    fallen += _rescued(under_way, take)
                    crew.mend()
                for task in fallen:
                    deaths[id(task)] += 1
                    if crew.retries or deaths[id(task)] == _DEATHS:
                        take(task, task.failed(DIED))
                    else:
                        suspects.append(task)
        except BaseException:
            with _deaf():
                _rescued(under_way, take)
                crew.kill()
            raise


def _fill(tasks: Iterator[W], crew: Crew, under_way: dict[Future[list[Any]], W], suspects: deque[W]) -> None:
    """Begin what there is room for; a suspect only when nothing else is under way."""
    if suspects:
        if not under_way:
            suspect = suspects.popleft()
            under_way[crew.submit(suspect)] = suspect
        return
    while len(under_way) < crew.window:
        task = next(tasks, None)
        if task is None:
            return
        under_way[crew.submit(task)] = task


def _harvest(
    ready: set[Future[list[Any]]],
    under_way: dict[Future[list[Any]], W],
    crew: Crew,
    take: Callable[[W, list[Any]], None],
) -> list[W]:
    """Take the answers that are there; the tasks whose worker died come back."""
    fallen = []
    for future in ready:
        task = under_way[future]
        error = future.exception()
        if error is None:
            take(task, future.result())
        elif crew.died(error):
            fallen.append(task)
        else:
            raise error
        del under_way[future]
    return fallen


def _rescued(under_way: dict[Future[list[Any]], W], take: Callable[[W, list[Any]], None]) -> list[W]:
    """Take what has been finished of all that was under way; the other tasks come back."""
    open_tasks = []
    for future, task in under_way.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            take(task, future.result())
        else:
            open_tasks.append(task)
    under_way.clear()
    return open_tasks


class _Interrupts:
    """What a signal does: it interrupts, but waits while answers are taken, so that what is written is also known."""

    def __init__(self) -> None:
        self._taking, self._waiting = False, False

    def __call__(self, number: int, frame: Any) -> None:
        """Handle a signal."""
        if not self._taking:
            raise KeyboardInterrupt
        self._waiting = True

    def after(self, take: Callable[[W, list[Any]], None]) -> Callable[[W, list[Any]], None]:
        """`take`, after which an interrupt that came meanwhile is raised."""

        def taken(task: W, answers: list[Any]) -> None:
            self._taking = True
            try:
                take(task, answers)
            finally:  # an error of `take` goes before an interrupt, which is not left for a later call
                waiting, self._taking, self._waiting = self._waiting, False, False
            if waiting:
                raise KeyboardInterrupt

        return taken


@contextlib.contextmanager
def _terminated_like_interrupted(interrupts: _Interrupts) -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does; only the main thread may set that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, interrupts)) for number in STOPPING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """A second Ctrl-C does not cut off the writing of what is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in STOPPING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
