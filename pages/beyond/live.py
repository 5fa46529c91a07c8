"""A search that the page drives a little at a time, so that it can be stopped at any moment and no click waits long.

It lives in the session, the search in a worker. Whatever interrupts the script, what was found stays, and the page
goes on where it was; a search that no page looks at for a while is ended. Stopping closes the stream, and the search.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from relucert_core.errors import RelucertError
from relucert_core.experiments.search_run import Recorder, SearchRun

SLICE_SECONDS = 0.35
_OVER = object()


class Live:
    """One search: `token` says of what, `seconds` what it may take, `playing` whether it goes on.

    remark: what there is to say besides, such as the place in the queue.
    """

    def __init__(
        self,
        token: tuple[object, ...],
        recorder: Recorder,
        stream: Iterator[SearchRun | None],
        seconds: float,
        remark: Callable[[], str] = str,
    ) -> None:
        self.token, self.recorder, self.seconds, self.remark = token, recorder, seconds, remark
        self.playing = True
        self._stream = stream
        self._halt = False
        self._lock = threading.Lock()

    def advance(self, seconds: float = SLICE_SECONDS) -> None:
        """Search for about that long (a single step may take longer); a second caller meanwhile only waits a moment."""
        if not self._lock.acquire(timeout=1.0):
            return
        try:
            until = time.perf_counter() + seconds
            while self.playing and time.perf_counter() < until:
                if self._halt or next(self._stream, _OVER) is _OVER:
                    self._end()
            if self._halt:
                self._end()
        except RelucertError:
            self._end()
            raise
        finally:
            self._lock.release()

    def stop(self) -> None:
        """End it here; when a step is being computed, that is closed right after it, and the visitor doesn't wait."""
        self._halt, self.playing = True, False
        self.recorder.stop()
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def run(self) -> SearchRun | None:
        """The record so far; None before the first step."""
        return self.recorder.run() if self.recorder.readings else None

    def _end(self) -> None:
        self.playing = False
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()
        self.recorder.stop()
