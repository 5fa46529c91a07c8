"""A user's own points in the plane, as CSV: one line "x, y, class" a point, as spreadsheets and programs write it."""

from __future__ import annotations

import csv
import re
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput, shown
from relucert_core.ranges import Range

MAX_POINTS = 5000
MAX_CHARACTERS = 1_000_000
LARGEST = 10.0
MAX_CLASSES = 10  # of a network, numbered from 0
CLASS_COUNTS = Range(2, 6, whole=True)  # of the points, which may have any of these numbers
_LINE = re.compile(r"\r\n|\r|\n")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BLANKS = re.compile(r'(")[ \t]+(?=[,;\t]|$)|^[ \t]+(?=")')  # between a quote and a separator
_CLASS_NAMES = ("class", "label", "target", "c", "k")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def points_from_csv(source: str | bytes) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) float64 and labels (N,) int64 of lines "x, y, class", from text or the bytes of a file.

    Commas, semicolons or tabs part the values, the same all through the file; with the latter two a decimal comma is a
    decimal point. Values may stand in quotes. Bytes may be UTF-8 or UTF-16. A first line of words is a header, which
    may name the columns x, y and class in another order; empty lines and lines that begin with # are passed over.
    Classes are whole numbers from 0 to 9, two to six of them. Raises InvalidInput, in one sentence that names the
    line, for anything else.
    """
    text = _text(source)
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"The points must come as text of at most {MAX_CHARACTERS:,} characters.")
    lines = [(number, line) for number, line in enumerate(_LINE.split(text.removeprefix("\ufeff")), start=1)]
    lines = [(n, line) for n, line in lines if line.strip(" \t,;") and not line.lstrip().startswith("#")]
    if lines and lines[0][1].lstrip().startswith("<"):
        raise InvalidInput(
            f"Line {lines[0][0]}: this is a web page (HTML), not a table of points: download the CSV file itself."
        )
    separator = next((s for s in ";\t" if lines and s in lines[0][1]), ",")
    cells = [(number, _cells(line, number, separator)) for number, line in lines]
    order = (0, 1, 2)
    if cells and not any(_is_number(cell) for cell in cells[0][1]):
        order, cells = _columns(*cells[0]), cells[1:]
    if len(cells) > MAX_POINTS:
        raise InvalidInput(f"Line {cells[MAX_POINTS][0]}: there are more than {MAX_POINTS:,} points; leave some out.")
    rows = [_row(values, number, order) for number, values in cells]
    labels = np.array([label for _, _, label in rows], dtype=np.int64)
    check_classes(labels)
    return np.array([row[:2] for row in rows], dtype=np.float64), labels


def check_classes(labels: np.ndarray, least: int = int(CLASS_COUNTS.least)) -> None:
    """Raise InvalidInput unless labels (N,) are of `least` to 6 different classes: what a picture can tell apart."""
    count = len(np.unique(labels))
    if not least <= count <= CLASS_COUNTS.most:
        found = f"{len(labels)} points of {count} class{'' if count == 1 else 'es'} came"
        raise InvalidInput(f"{found}: give points of two classes or more, at most {CLASS_COUNTS.most:g}.")


def points_to_csv(points: Any, labels: Any) -> str:
    """The text that `points_from_csv` reads back exactly: points (N, 2), labels (N,)."""
    array, classes = np.asarray(points, dtype=np.float64), np.asarray(labels)
    if array.ndim != 2 or array.shape[1] != 2 or classes.shape != array.shape[:1]:
        raise InvalidInput(f"Points are (N, 2) and labels (N,); {array.shape} and {classes.shape} came.")
    lines = [f"{float(x)!r},{float(y)!r},{int(label)}" for (x, y), label in zip(array, classes, strict=True)]
    return "\n".join(["x,y,class", *lines, ""])


def _text(source: str | bytes) -> str:
    """The text of a file's bytes, by its mark or, in UTF-16 without one, by its zeros."""
    if not isinstance(source, (bytes, bytearray)):
        return source
    if len(source) > 4 * MAX_CHARACTERS:
        raise InvalidInput(f"The file has {len(source):,} bytes; at most {MAX_CHARACTERS:,} characters are accepted.")
    start = bytes(source[:200])
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    if encoding == "utf-8" and start.count(0) > len(start) // 4:
        encoding = "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    try:
        return bytes(source).decode(encoding)
    except UnicodeDecodeError as error:
        line = bytes(source[: error.start]).count(b"\n") + 1
        words = f"Line {line} is no text in {encoding[:6].upper()}: save the file as CSV in UTF-8."
        raise InvalidInput(words) from None


def _cells(line: str, number: int, separator: str) -> list[str]:
    """The values of a line, without quotes, blanks around them and empty ones at the end."""
    try:
        (values,) = csv.reader(
            [_BLANKS.sub(lambda found: found[1] or "", line)], delimiter=separator, skipinitialspace=True, strict=True
        )
    except (csv.Error, ValueError):
        raise InvalidInput(f"Line {number} is no line of a table ({shown(line, 30)}): check its quotes.") from None
    cells = [value.strip() for value in values]
    while len(cells) > 3 and not cells[-1]:
        cells.pop()
    return cells if separator == "," else [cell.replace(",", ".") if cell.count(",") == 1 else cell for cell in cells]


def _columns(number: int, names: list[str]) -> tuple[int, int, int]:
    """Where x, y and the class stand by a header's names; in this order where it names none of them."""
    plain = [name.lower() for name in names]
    places = [plain.index(name) if name in plain else -1 for name in ("x", "y")]
    places.append(next((plain.index(name) for name in _CLASS_NAMES if name in plain), -1))
    if all(place < 0 for place in places[:2]) and places[2] in (-1, 2):
        return (0, 1, 2)
    if sorted(places) == [0, 1, 2] or (places[:2] == [0, 1] and len(names) == 3):
        return (places[0], places[1], 3 - places[0] - places[1])
    raise InvalidInput(f"Line {number} names the columns {shown(names, 60)}; x, y and class are needed.")


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _row(cells: list[str], number: int, order: tuple[int, int, int]) -> tuple[float, float, int]:
    if len(cells) != 3:
        raise InvalidInput(
            f"Line {number} has {len(cells)} values; three are needed: x, y, class (with decimal commas, part them by "
            "semicolons)."
        )
    x, y, label = (cells[place] for place in order)
    for name, cell in (("x", x), ("y", y)):
        if not _is_number(cell) or not abs(float(cell)) <= LARGEST:
            raise InvalidInput(f"Line {number}: {name} is {cell[:20]!r}; a number from -10 to 10 is needed.")
    if not _is_number(label) or float(label) not in range(MAX_CLASSES):
        raise InvalidInput(f"Line {number}: the class is {label[:20]!r}; a whole number from 0 to 9 is needed.")
    return float(x), float(y), int(float(label))
