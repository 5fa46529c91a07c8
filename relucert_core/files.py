"""Files that a user names: a path that fails is one sentence, and what is written is whole or not there.

Nothing here knows what a file holds.
"""

from __future__ import annotations

import os
from pathlib import Path

from relucert_core.errors import DataUnavailable, InvalidInput, shown


def is_file(path: str | Path) -> bool:
    """Is there such a file (or device)? False too for a name that no system takes (too long, with a null byte)."""
    try:
        return Path(path).exists() and not Path(path).is_dir()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Is there such a folder? False for the empty name, which Python takes for the working folder."""
    try:
        return bool(str(path)) and Path(path).is_dir()
    except (OSError, ValueError):
        return False


def check_ends(path: str | Path) -> None:
    """Refuse a device or a pipe, which may never end, where all of a file is read. Raises DataUnavailable."""
    if is_file(path) and not Path(path).is_file():
        raise DataUnavailable(f"{shown(str(path))} is a device or a pipe: name a file.")


def read_file(path: str | Path, most: int | None = None) -> bytes:
    """The bytes of a file, at most `most` of them. Raises DataUnavailable, InvalidInput when it is larger."""
    if most is None:
        check_ends(path)
    try:
        with open(path, "rb") as stream:
            data = stream.read() if most is None else stream.read(most + 1)
    except (OSError, ValueError) as error:
        raise DataUnavailable(f"The file {shown(str(path))} cannot be read ({reason(error)}).") from None
    if most is not None and len(data) > most:
        raise InvalidInput(f"The file {shown(str(path))} holds more than {most:,} bytes: that is too much here.")
    return data


def check_can_write(path: str | Path) -> Path:
    """The path of a file to write, before hours are spent on what goes into it. Raises InvalidInput."""
    name = shown(str(path))
    if not str(path) or is_folder(path):
        raise InvalidInput(f"{name} is a folder: name a file in it to write to.")
    path = Path(path)
    if not is_folder(path.parent):
        raise InvalidInput(f"{name} cannot be written: there is no folder {shown(str(path.parent))}; make it first.")
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    if not os.access(path if there else path.parent, os.W_OK):
        raise InvalidInput(f"{name} cannot be written: it is protected against writing.")
    return path


def make_folder(path: str | Path) -> Path:
    """The folder, made where it is not there yet. Raises InvalidInput."""
    if not str(path):
        raise InvalidInput("'' is no folder: name one to write to.")
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The folder {shown(str(path))} cannot be made ({reason(error)}).") from None
    return Path(path)


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file in one move: a full disk leaves what was there before. Raises InvalidInput."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe: nothing can be moved there
            path.write_bytes(data)
            return
        partial = path.with_name(f"{path.name[:100]}.part{os.getpid()}")
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def reason(error: BaseException) -> str:
    """What went wrong, in a few words and without the path."""
    return str(getattr(error, "strerror", None) or error).splitlines()[0][:80] if str(error) else type(error).__name__


def _unwritable(path: Path, error: BaseException) -> InvalidInput:
    return InvalidInput(f"{shown(str(path))} cannot be written ({reason(error)}).")
