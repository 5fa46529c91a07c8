"""Where a run's lines go: appended to a file, never rewritten; what the file holds already is not computed again."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.jobs.lines import FORMAT, Line, encoded, read_lines
from relucert_core.jobs.locks import locked

Done = dict[tuple[int, str], str]  # (index, method) -> the digest of the image that was answered


class Output:
    """A file of lines, or standard output for None. `write` hands each group of lines to the system at once."""

    def __init__(self, path: Path | None, descriptor: int | None) -> None:
        self.path, self._descriptor, self._whole = path, descriptor, True

    def write(self, entries: Iterable[Line]) -> None:
        """Append whole lines. Raises DataUnavailable, in a sentence, when the disk is full or a limit is reached."""
        self.write_raw(encoded(entries))

    def write_raw(self, data: bytes) -> None:
        """Append bytes; `write` says what it raises."""
        if self._descriptor is None:
            sys.stdout.write(data.decode())
            sys.stdout.flush()
            return
        if not self._whole:  # an interrupt came in the middle of a line
            data = b"\n" + data
        self._whole = False
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            self._whole = True
        except OSError as error:
            name = self.path.name if self.path else "the output"
            raise DataUnavailable(
                f"{name} cannot be written any further ({error.strerror}); the lines before are whole. Make room, then "
                "give the same command again: it goes on from there."
            ) from None


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[Output]:
    """The locked output. A last line that was cut off is ended by a newline and left: readers pass over it."""
    if path is None:
        yield Output(None, None)
        return
    with locked(path):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise DataUnavailable(
                f"{path} cannot be written ({error.strerror}): choose an --out file that you may write to."
            ) from None
        try:
            output = Output(path, descriptor)
            if _cut_off(descriptor):
                output.write_raw(b"\n")
            yield output
        finally:
            os.close(descriptor)


def answered(path: Path | None, run: str) -> Done:
    """What `path` holds already for this `run`. Raises InvalidInput where a file of something else would be mixed."""
    found: Done = {}
    if path is None or not path.is_file():
        return found
    strange = 0
    for line in read_lines(path):
        if line.entry is None:
            strange += 1
            continue
        if line.entry["run"] != run:
            raise InvalidInput(f"{path.name} belongs to a run with other settings; name another --out file.")
        if line.entry.get("format") != FORMAT:
            raise InvalidInput(f"{path.name} was written by another version; name another --out file.")
        found[line.entry["index"], line.entry["method"]] = line.entry["image"]
    if strange and not found and path.stat().st_size > 0 and not _ours(path):
        raise InvalidInput(f"{path.name} holds no line of a run; name another --out file.")
    return found


def _ours(path: Path) -> bool:
    """May a file without one whole line be ours: the beginning of a first line that was cut off?"""
    with path.open("rb") as stream:
        return stream.read(12).startswith(b'{"format": ')


def _cut_off(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"
