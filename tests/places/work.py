"""Jobs for the workers of the tests; a worker imports this module by its name."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from relucert_core.deadline import late, now, seconds_left
from relucert_core.network import Network


def sum_of(net: Network, points: np.ndarray) -> tuple[float, str, int]:
    return float(net(points).sum()), net.name, os.getpid()


def imported() -> dict[str, object]:
    import torch

    foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("streamlit", "app", "pages"))
    return {"foreign": foreign, "threads": torch.get_num_threads(), "wait": os.environ.get("OMP_WAIT_POLICY")}


def time_allowed() -> float:
    return seconds_left()


def allocate(megabytes: int) -> int:
    return len(np.ones(megabytes * 2**17)) // 2**17


def die() -> None:
    os._exit(3)


def die_once(mark: str) -> str:
    """Dies the first time, by a mark that it leaves in a file."""
    path = Path(mark)
    if path.exists():
        return "there"
    path.touch()
    os._exit(3)


_HOARD: list[np.ndarray] = []


def hoard(megabytes: int) -> int:
    """Keeps so much more memory for as long as the process lives."""
    _HOARD.append(np.ones(megabytes * 2**17))
    return os.getpid()


def fail(kind: type[Exception], words: str) -> None:
    raise kind(words)


def unreadable() -> object:
    return lambda: None


def improvements(count: int, pause: float) -> Iterator[int]:
    for i in range(count):
        yield i
        end = time.perf_counter() + pause
        while time.perf_counter() < end:
            now()  # what every long step looks at
            time.sleep(0.005)


def deaf(seconds: float) -> Iterator[int]:
    """Looks at no clock: it has to be ended from outside."""
    yield 1
    time.sleep(seconds)


def until_its_end() -> float:
    """Works as long as it may; the seconds that it had."""
    begun = time.perf_counter()
    while not late():
        time.sleep(0.01)
    return time.perf_counter() - begun


def until_its_end_in_steps() -> Iterator[float]:
    yield until_its_end()


def hold(net: Network) -> Iterator[str]:
    """Says that it has begun, and then goes on until it is closed."""
    while True:
        yield net.name
        now()
        time.sleep(0.01)


def in_good_order() -> Generator[int, bool | None, str]:
    count = 0
    while True:
        count += 1
        time.sleep(0.01)
        if (yield count):
            return f"stopped after {count >= 1}"
