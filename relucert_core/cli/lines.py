"""JSON lines out: one object an image and method, written as it is known, so that a run can go on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from relucert_core.errors import InvalidInput


def plain(value: Any) -> Any:
    """A value as JSON has it: infinities and NaN become null, arrays lists, records strings."""
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return str(value)


def point_digest(point: np.ndarray) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a point's float64 bytes."""
    return hashlib.sha256(np.ascontiguousarray(point, dtype="<f8").tobytes()).hexdigest()[:12]


def written(path: Path | None, run: str) -> set[tuple[str, str]]:
    """The (image, method) pairs that `path` already holds for this `run`; a last line cut off in writing is dropped."""
    if path is None or not path.exists():
        return set()
    text = path.read_text(encoding="utf8")
    if text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        path.write_text(text, encoding="utf8")
    found = set()
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            entry = json.loads(line)
            other, key = entry["run"], (entry["image"], entry["method"])
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(f"Line {number} of {path.name} is no line of ours; name another --out file.") from None
        if other != run:
            raise InvalidInput(f"{path.name} belongs to a run with other settings; name another --out file.")
        found.add(key)
    return found


@contextlib.contextmanager
def line_writer(path: Path | None) -> Iterator[IO[str]]:
    """The file to append to, or standard output."""
    if path is None:
        yield sys.stdout
        return
    try:
        stream = path.open("a", encoding="utf8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error.strerror}).") from None
    with stream:
        yield stream


def write(stream: IO[str], entries: Iterable[Mapping[str, Any]]) -> None:
    """Append the entries and hand them to the system at once."""
    stream.write("".join(json.dumps(plain(entry), allow_nan=False) + "\n" for entry in entries))
    stream.flush()
