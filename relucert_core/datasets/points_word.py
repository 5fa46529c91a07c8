"""A user's own points in the plane as one word, short enough for a link."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from relucert_core.datasets.points_csv import LARGEST, MAX_CLASSES, MAX_POINTS
from relucert_core.errors import InvalidInput

_STEP = 1e4
_DAMAGED = "The points in the link are damaged: copy the whole link."


def pack_points(points: np.ndarray, labels: np.ndarray) -> str:
    """Points (N, 2) and labels (N,), none too, as a word; coordinates are rounded to four digits."""
    steps = np.rint(points * _STEP).astype("<i4")
    raw = steps.T.tobytes() + labels.astype(np.uint8).tobytes()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode("ascii").rstrip("=")


def unpack_points(word: str) -> tuple[np.ndarray, np.ndarray]:
    """What `pack_points` packed; InvalidInput for anything else."""
    try:
        raw = base64.urlsafe_b64decode(word.encode("ascii") + b"=" * (-len(word) % 4))
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(raw, 9 * MAX_POINTS)
    except (binascii.Error, ValueError, zlib.error, UnicodeEncodeError):
        raise InvalidInput(_DAMAGED) from None
    count = len(data) // 9
    if not unpacking.eof or len(data) != 9 * count:
        raise InvalidInput(_DAMAGED)
    points = np.frombuffer(data[: 8 * count], "<i4").reshape(2, count).T / _STEP
    labels = np.frombuffer(data[8 * count :], np.uint8).astype(np.int64)
    if labels.max(initial=0) >= MAX_CLASSES or np.abs(points).max(initial=0.0) > LARGEST:
        raise InvalidInput(_DAMAGED)
    return points, labels
