"""The IDX format of MNIST's files (plain or gzipped): a short header, then one unsigned byte a value."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from relucert_core.errors import InvalidInput

MAX_BYTES = 64_000_000  # MNIST's largest file has 47 million; more is no MNIST, and is not read
_UNSIGNED_BYTE = 8


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX or IDX.gz file of unsigned bytes, uint8 of the shape that its header gives.

    Raises InvalidInput, in one sentence that names the file, when it is cut off, damaged or no such file.
    """
    data = _read_bounded(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE or not 1 <= data[3] <= 3:
        raise InvalidInput(f"{path.name} is no IDX file of bytes (its first four bytes are wrong): get it again.")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise InvalidInput(f"{path.name} is cut off inside its header: get it again.")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", count=data[3], offset=4))
    expected = start + math.prod(shape)
    if len(data) != expected:
        raise InvalidInput(
            f"{path.name} should hold {expected:,} bytes by its own header, but has {len(data):,}: get it again."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def idx_bytes(array: np.ndarray) -> bytes:
    """The gzipped IDX file of a uint8 array; the same bytes every time."""
    header = bytes((0, 0, _UNSIGNED_BYTE, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + np.ascontiguousarray(array, np.uint8).tobytes(), compresslevel=9, mtime=0)


def _read_bounded(path: Path) -> bytes:
    """The file's bytes, unpacked if gzipped, never more than MAX_BYTES."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(f"{path.name} is a damaged or cut-off gzip file ({error}): get it again.") from None
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{path.name} holds more than {MAX_BYTES:,} bytes, which is no MNIST file.")
    return data
