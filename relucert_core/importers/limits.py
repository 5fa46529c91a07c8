"""How much a file may ask for, and how much memory there is: both are looked at before anything is made."""

from __future__ import annotations

from dataclasses import dataclass

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.memory import MEGABYTE, need_memory


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
        need_memory(2 * count, _first(what))  # a number and its column

    def check_file(self, size: int, name: str) -> None:
        """Raise InvalidInput when a file of `size` bytes is too large."""
        if size > self.file_bytes:
            raise InvalidInput(
                f"{name} has {size / MEGABYTE:,.1f} MB; at most {self.file_bytes / MEGABYTE:,.0f} MB are accepted "
                "(read_network(..., limits=Limits(file_bytes=...)) raises it)."
            )


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
