"""How much memory there is, looked at before something large is made; what is taken, its limit, and giving it back."""

from __future__ import annotations

import ctypes
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
        return 1024.0 * int(_line("/proc/meminfo", "MemAvailable:"))
    except (OSError, ValueError):
        return 8 * 1024.0 * MEGABYTE


def taken() -> int:
    """The bytes of memory that this process holds, mapped files left out; all that it held at most elsewhere."""
    try:
        return 1024 * int(_line("/proc/self/status", "RssAnon:"))
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def limit_data(more: int) -> None:
    """Let this process take at most `more` bytes besides what it holds, where the system can limit it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        held = 1024 * int(_line("/proc/self/status", "VmData:"))
    except (OSError, ValueError):
        held = taken()
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = held + more if hard == resource.RLIM_INFINITY else min(held + more, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def give_back() -> bool:
    """Give freed memory back to the system; False where the C library has no call for it (macOS, Windows, musl)."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False


def _line(path: str, name: str) -> str:
    """The number after a name in one of the system's tables, in kB."""
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return line.split()[1]
    raise ValueError(name)
