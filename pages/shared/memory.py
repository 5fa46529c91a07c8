"""Garbage is collected, and freed memory goes back to the system: once a minute while somebody is there.

Streamlit collects after every run of a script if it may, and holds up all visitors meanwhile: with torch imported that
is 0.2 s of the interpreter, nine tenths of all the work of a server with 20 trainings. Python's own collections by
generation go on in between.

glibc keeps what is freed for later use, and with many visitors' threads much of it never comes back by itself: after
six trainings at once 80 of 520 MB were of that kind.
"""

from __future__ import annotations

import gc
import threading

from relucert_core.memory import give_back

WAIT_SECONDS = 60.0
_lock = threading.Lock()
_timer: threading.Timer | None = None


def give_back_soon(seconds: float = WAIT_SECONDS) -> None:
    """Collect and give back in a while: at most once in that time, and once after the last run or heavy work."""
    global _timer
    with _lock:
        if _timer is None:
            _timer = threading.Timer(seconds, _fire)
            _timer.daemon = True
            _timer.start()


def _fire() -> None:
    global _timer
    with _lock:
        _timer = None
    gc.collect()
    give_back()
