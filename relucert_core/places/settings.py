"""What a server may take, by its environment: each setting with its name, its range and what it is without one."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from relucert_core.errors import InvalidInput

_ADDRESS = re.compile(r"(https://[\w.-]+(:\d+)?([/?#][\w./~%?#&=+,:;@-]*)?|mailto:[\w.+-]+@[\w.-]+)", re.ASCII)


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
IMPRINT = "RELUCERT_IMPRINT"
SETTINGS = (WORKERS, JOB_SECONDS, JOB_MEMORY, UPLOADS)


@dataclass(frozen=True)
class ImprintLink:
    """A link at the foot of every page: what it says, and where it leads."""

    words: str
    address: str


def imprint(environment: Mapping[str, str] | None = None) -> tuple[ImprintLink, ...]:
    """The links of RELUCERT_IMPRINT, "Words=https://... | Words=mailto:...", such as a server's imprint.

    Raises InvalidInput for a link without words, and for an address that is neither https nor mailto.
    """
    text = (os.environ if environment is None else environment).get(IMPRINT, "")
    return tuple(_imprint_link(part.strip()) for part in text.split("|") if part.strip())


def _imprint_link(text: str) -> ImprintLink:
    words, _, address = (part.strip() for part in text.partition("="))
    if not words or not _ADDRESS.fullmatch(address):
        raise InvalidInput(
            f"{IMPRINT} takes Words=https://... or Words=mailto:..., several separated by |; {text[:80]!r} came."
        )
    return ImprintLink(words, address)


def workers() -> int:
    """How many worker processes there may be; without a setting one a core."""
    count = WORKERS.read()
    return cores() if math.isinf(count) else int(count)
