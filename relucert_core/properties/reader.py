"""One door for properties: a path or a text, either version of VNN-LIB."""

from __future__ import annotations

import re
from pathlib import Path

from relucert_core.errors import InvalidInput, shown
from relucert_core.files import read_file
from relucert_core.properties.records import Property
from relucert_core.properties.version1 import MOST_NESTED, read_version1
from relucert_core.properties.version2 import read_version2

MAX_BYTES = 64 * 2**20
_VERSION_2 = re.compile(r"\(\s*(vnnlib-version|declare-network)\b")
_COMMENT = re.compile(r";[^\n\r]*")


def read_property(source: str | Path) -> Property:
    """The property of a VNN-LIB file, by its path. Raises DataUnavailable, InvalidInput or Unsupported."""
    path = Path(source)
    try:
        text = read_file(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{shown(path.name)} is no text in UTF-8: VNN-LIB is.") from None
    return parse_property(text)


def parse_property(text: str) -> Property:
    """The property that a text states, in version 2 where it says so, else 1. Raises InvalidInput or Unsupported."""
    bare = _COMMENT.sub("", text)
    if not _VERSION_2.search(bare):
        return read_version1(bare)
    depth = deepest = 0
    for bracket in re.findall(r"[()]", bare):  # the other parser is C++, and recurses
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    if deepest > MOST_NESTED:
        raise InvalidInput(f"Brackets stand within brackets more than {MOST_NESTED} deep.")
    return read_version2(bare)
