"""The lines of a run: one JSON object an image and method, as it is written, read again and described by a schema.

A line that does not parse (cut off by a crash, a full disk or a damaged disk) is nobody's answer: readers leave it
out, and what it would have said is computed again. Infinite and undefined numbers are null; the status says which.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput, shown
from relucert_core.files import check_ends, reason

FORMAT = 2  # raised when a key of a line changes its meaning
Line = Mapping[str, Any]


@dataclass(frozen=True)
class ReadLine:
    """A line of a file: its number (from 1), its bytes, what it says; None where it is no line of a run."""

    number: int
    raw: bytes
    entry: Line | None


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
    """Sixteen hexadecimal digits of the SHA-256 of a point's float64 bytes."""
    return hashlib.sha256(np.ascontiguousarray(point, dtype="<f8").tobytes()).hexdigest()[:16]


def packed_point(point: np.ndarray) -> str:
    """A point (D,) as base64 of its float64 numbers, little end first: no digit is lost."""
    return base64.b64encode(np.ascontiguousarray(point, dtype="<f8").tobytes()).decode("ascii")


def unpacked_point(text: str, inputs: int) -> np.ndarray:
    """The point (inputs,) that `packed_point` wrote. Raises InvalidInput when it holds something else."""
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput("A stored point is no base64 of float64 numbers.") from None
    if values.shape != (inputs,) or not np.isfinite(values).all():
        raise InvalidInput(f"A stored point holds {values.size} numbers; {inputs} finite ones are needed.")
    return values


def encoded(entries: Iterable[Line]) -> bytes:
    """The entries as whole lines of UTF-8."""
    return "".join(json.dumps(plain(entry), allow_nan=False) + "\n" for entry in entries).encode()


def read_lines(path: Path) -> Iterator[ReadLine]:
    """The lines of a file in order, one at a time; a damaged one has the entry None, an empty one is passed over.

    Raises DataUnavailable when it cannot be read; a device or a pipe isn't, as it may never end.
    """
    check_ends(path)
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if raw.strip():
                    yield ReadLine(number, raw, _entry(raw))
    except (OSError, ValueError) as error:
        raise DataUnavailable(
            f"{shown(str(path))} cannot be read ({reason(error)}); name a file of JSON lines."
        ) from None


def _entry(raw: bytes) -> Line | None:
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    needed = {"run": str, "image": str, "method": str, "kind": str, "index": int}
    whole = isinstance(entry, dict) and all(type(entry.get(key)) is kind for key, kind in needed.items())
    return entry if whole else None
