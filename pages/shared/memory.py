"""Freed memory goes back to the system.

glibc keeps what is freed for later use, and with many visitors' threads much of it never comes back by itself: after
six trainings at once 80 of 520 MB were of that kind.
"""

from __future__ import annotations

import threading

from relucert_core.memory import give_back

WAIT_SECONDS = 60.0
_lock = threading.Lock()
_timer: threading.Timer | None = None


def give_back_soon(seconds: float = WAIT_SECONDS) -> None:
    """Give freed memory back in a while: at most once in that time, and once after the last heavy work."""
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
    give_back()
