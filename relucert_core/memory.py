"""How much memory there is, looked at before something large is made."""

from __future__ import annotations

import os
from pathlib import Path

from relucert_core.errors import InvalidInput, Unsupported

MEGABYTE = 2**20


def memory_allowed() -> float:
    """How many bytes may be taken: RELUCERT_MEMORY (in MB), else half of what is free."""
    asked = os.environ.get("RELUCERT_MEMORY", "")
    if asked:
        try:
            return max(0.0, float(asked)) * MEGABYTE
        except ValueError:
            raise InvalidInput(f"RELUCERT_MEMORY is a number of megabytes; {asked!r} came.") from None
    return _free() / 2


def need_memory(count: float, what: str) -> None:
    """Raise Unsupported, with the figure, when `what` of `count` numbers of 8 bytes has no room."""
    needed = 8.0 * count
    if needed > 16 * MEGABYTE and needed > memory_allowed():
        raise Unsupported(
            f"{what} needs about {needed / MEGABYTE:,.0f} MB, and {memory_allowed() / MEGABYTE:,.0f} MB are allowed: "
            "half of what is free, or RELUCERT_MEMORY (in MB)."
        )


def _free() -> float:
    """Free memory in bytes; a careful guess where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 8 * 1024.0 * MEGABYTE
