"""What a server may take, by its environment: each setting with its name, its range and what it is without one."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

from relucert_core.errors import InvalidInput


@dataclass(frozen=True)
class Setting:
    """A number that the environment may set. public: what `relucert app --public` sets where nothing is said."""

    name: str
    words: str
    least: float
    most: float
    usual: float | None
    public: float

    def read(self, environment: Mapping[str, str] | None = None) -> float:
        """Its value. Raises InvalidInput when it is set to something that is no number in its range."""
        text = (os.environ if environment is None else environment).get(self.name, "").strip()
        if not text:
            return math.inf if self.usual is None else self.usual
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most:
            raise InvalidInput(
                f"{self.name} is a number from {self.least:g} to {self.most:,g} ({self.words}); {text[:40]!r} came."
            )
        return value


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


WORKERS = Setting("RELUCERT_WORKERS", "worker processes; 0: none, all is done in the server", 0, 256, None, cores())
JOB_SECONDS = Setting("RELUCERT_JOB_SECONDS", "seconds that a page works on one digit unasked", 0, 3600, 20.0, 20.0)
JOB_MEMORY = Setting("RELUCERT_JOB_MEMORY", "megabytes that one job may take", 64, 10**7, None, 1024)
UPLOADS = Setting("RELUCERT_UPLOADS", "megabytes that one visitor may upload in all", 0, 10**6, None, 20)
SETTINGS = (WORKERS, JOB_SECONDS, JOB_MEMORY, UPLOADS)


def workers() -> int:
    """How many worker processes there may be; without a setting one a core."""
    count = WORKERS.read()
    return cores() if math.isinf(count) else int(count)
