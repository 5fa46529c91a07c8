"""First words before pictures: while a visitor of this server waits for the first words, others' long drawings wait.

All runs of the script share one interpreter. Twenty visitors at once would each wait for the pictures of those before
them (five times the work of the first words); so whoever has read something lets the others read something first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from threading import Condition

LONGEST = 1.5  # seconds that anybody waits: first words that themselves wait for a process hold nobody up


class FirstWords:
    """Counts the runs that have shown nothing yet."""

    def __init__(self) -> None:
        self._coming = 0
        self._changed = Condition()

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """From a run's beginning to its first words, or to whatever ends it before."""
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()

    def let_pass(self, seconds: float = LONGEST) -> bool:
        """Wait until nobody waits for first words, at most so long; whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._coming, seconds)


FIRST_WORDS = FirstWords()
