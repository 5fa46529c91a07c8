"""A user's own points in the plane, as CSV: one line "x, y, class" a point."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput

MAX_POINTS = 5000
MAX_CHARACTERS = 1_000_000
LARGEST = 10.0
MAX_CLASSES = 10
_SEPARATOR = re.compile(r"[,;\t]")


def points_from_csv(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) float64 and labels (N,) int64 of lines "x, y, class"; also with semicolons or tabs.

    A first line of words, empty lines and lines that begin with # are passed over. Classes are whole numbers from 0
    to 9, at least two of them. Raises InvalidInput, in one sentence that names the line, for anything else.
    """
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"The points must come as text of at most {MAX_CHARACTERS:,} characters.")
    rows: list[tuple[float, float, int]] = []
    lines = text.removeprefix("\ufeff").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#") and not (not rows and _is_header(line)):
            rows.append(_row(line, number))
        if len(rows) > MAX_POINTS:
            raise InvalidInput(f"Line {number}: there are more than {MAX_POINTS:,} points; leave some out.")
    labels = np.array([label for _, _, label in rows], dtype=np.int64)
    if len(np.unique(labels)) < 2:
        raise InvalidInput(
            f"{len(rows)} points of {len(np.unique(labels))} class came: give points of two classes or more."
        )
    return np.array([row[:2] for row in rows], dtype=np.float64), labels


def points_to_csv(points: Any, labels: Any) -> str:
    """The text that `points_from_csv` reads back exactly: points (N, 2), labels (N,)."""
    array, classes = np.asarray(points, dtype=np.float64), np.asarray(labels)
    if array.ndim != 2 or array.shape[1] != 2 or classes.shape != array.shape[:1]:
        raise InvalidInput(f"Points are (N, 2) and labels (N,); {array.shape} and {classes.shape} came.")
    lines = [f"{float(x)!r},{float(y)!r},{int(label)}" for (x, y), label in zip(array, classes, strict=True)]
    return "\n".join(["x,y,class", *lines, ""])


def _is_header(line: str) -> bool:
    """Words in all columns: a line with even one number in it is data."""
    return not any(_is_number(cell) for cell in _SEPARATOR.split(line))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _row(line: str, number: int) -> tuple[float, float, int]:
    cells = [cell.strip() for cell in _SEPARATOR.split(line)]
    if len(cells) != 3:
        raise InvalidInput(f"Line {number} has {len(cells)} values; three are needed: x, y, class.")
    for name, cell in zip(("x", "y"), cells, strict=False):
        if not _is_number(cell) or not math.isfinite(float(cell)) or abs(float(cell)) > LARGEST:
            raise InvalidInput(f"Line {number}: {name} is {cell[:20]!r}; a number from -10 to 10 is needed.")
    label = float(cells[2]) if _is_number(cells[2]) else math.nan
    if label not in range(MAX_CLASSES):
        raise InvalidInput(f"Line {number}: the class is {cells[2][:20]!r}; a whole number from 0 to 9 is needed.")
    return float(cells[0]), float(cells[1]), int(label)
