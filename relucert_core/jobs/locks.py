"""A lock on an output file that dies with its process: two writers never mix their lines.

The operating system holds the lock (flock on Unix, a locked byte on Windows) on `NAME.lock` beside the file; the number
of the process that holds it stands inside, for the sentence that refuses the second one. A lock file that a killed
process left behind is not locked any more and is taken over.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from relucert_core.errors import DataUnavailable, InvalidInput

_TRIES = 10  # a lock file may be removed by its last holder just when we open it


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on `path` (an output file). Raises InvalidInput, naming the process, when another one has it."""
    lock = path.with_name(path.name + ".lock")
    stream = _taken(path, lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if sys.platform != "win32":  # an open file cannot be removed there; an unlocked one does no harm
                lock.unlink()
        stream.close()


def _taken(path: Path, lock: Path) -> IO[bytes]:
    for _ in range(_TRIES):
        try:
            stream = lock.open("a+b")
        except OSError as error:
            raise DataUnavailable(
                f"{path} cannot be written ({error.strerror}): choose an --out file in a folder that exists and that "
                "you may write to."
            ) from None
        if not _lock(stream):
            stream.seek(0)
            owner = stream.read(20).decode("ascii", "replace").strip() or "unknown"
            stream.close()
            raise InvalidInput(
                f"{path.name} is being written by another run (process {owner}): wait for it, stop it, or choose "
                "another --out file."
            )
        if _still_there(stream, lock):
            stream.truncate(0)
            stream.write(str(os.getpid()).encode())
            stream.flush()
            return stream
        stream.close()
    raise DataUnavailable(f"{lock} cannot be locked: remove it and try again.")


def _still_there(stream: IO[bytes], lock: Path) -> bool:
    """Does the name still stand for the file that we locked?"""
    if sys.platform == "win32":
        return True
    try:
        return os.path.samestat(os.fstat(stream.fileno()), lock.stat())
    except OSError:
        return False


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    _BYTE = 1_000  # far behind the number, which others must be able to read

    def _lock(stream: IO[bytes]) -> bool:
        stream.seek(_BYTE)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
