"""How much a file may ask for, and how much memory there is: both are looked at before anything is made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from relucert_core.errors import InvalidInput, Unsupported

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """What a reader accepts. file_bytes: of a file, and of what it unpacks to. entries: numbers that a network stores.

    The same number of entries bounds every array that is made on the way.
    """

    file_bytes: int = 64 * MEGABYTE
    entries: int = 50_000_000

    def check(self, count: float, what: str) -> None:
        """Raise Unsupported when `count` numbers are more than accepted or than memory has room for."""
        if count > self.entries:
            raise Unsupported(
                f"{_first(what)} needs {count:,.0f} stored numbers; at most {self.entries:,} are accepted "
                "(read_network(..., limits=Limits(entries=...)) raises it)."
            )
        needed = 16.0 * count  # a number and its column
        if needed > 16 * MEGABYTE and needed > memory_allowed():
            raise Unsupported(
                f"{_first(what)} needs about {needed / MEGABYTE:,.0f} MB, and {memory_allowed() / MEGABYTE:,.0f} MB "
                "are allowed: half of what is free, or RELUCERT_MEMORY (in MB)."
            )

    def check_file(self, size: int, name: str) -> None:
        """Raise InvalidInput when a file of `size` bytes is too large."""
        if size > self.file_bytes:
            raise InvalidInput(
                f"{name} has {size / MEGABYTE:,.1f} MB; at most {self.file_bytes / MEGABYTE:,.0f} MB are accepted "
                "(read_network(..., limits=Limits(file_bytes=...)) raises it)."
            )


def memory_allowed() -> float:
    """How many bytes a network may take: RELUCERT_MEMORY (in MB), else half of what is free."""
    asked = os.environ.get("RELUCERT_MEMORY", "")
    if asked:
        try:
            return max(0.0, float(asked)) * MEGABYTE
        except ValueError:
            raise InvalidInput(f"RELUCERT_MEMORY is a number of megabytes; {asked!r} came.") from None
    return _free() / 2


def _free() -> float:
    """Free memory in bytes; a careful guess where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 8 * 1024.0 * MEGABYTE


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
