"""Mutated files for every reader of foreign bytes: one harness, and one line in `READERS` for a reader to join it.

A reader gets good files with bytes, words and numbers changed. It either reads what comes, or raises the package's own
error with one sentence of fewer than 300 characters. Everything else is a fault.
"""

from __future__ import annotations

import io
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

import relucert_core as rc
from relucert_core.datasets.array_files import read_npy, read_npz
from relucert_core.datasets.packing import pack_digit, unpack_digit
from relucert_core.datasets.pictures import digit_from_picture
from relucert_core.datasets.points_csv import points_from_csv, points_to_csv
from relucert_core.datasets.points_word import pack_points, unpack_points
from relucert_core.errors import LONGEST, RelucertError
from relucert_core.importers.safetensors_file import load_network, network_bytes

TOKENS = (b"null", b"NaN", b"true", b"1e999", b"-1", b"[]", b"{}", b'"text"', b"9" * 30, b"9" * 5000, b"[" * 5000, b"0",
          b"\xff\xfe", b"\0", b"'", b'"', b"<html>", b",", b";", b"1_0", b"x" * 10_000, b"(True,)",
          b"-9223372036854775809", b"18446744073709551616", b"0.5", b"None", b"\n\n", b"\r")  # fmt: skip
LONGEST_SECONDS = 10.0


@dataclass(frozen=True)
class Reader:
    """seeds: makes good files. read: reads one. wrap: puts a mutated inside back into its container."""

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes], Any]
    wrap: Callable[[bytes], bytes] = bytes


@dataclass
class Outcome:
    """How many files were read and refused, the faults, and the longest time that one took."""

    read: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def _net(sizes: tuple[int, ...] = (2, 4, 3)) -> rc.Network:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return rc.Network(weights, [rng.normal(size=b) for b in sizes[1:]])


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _zipped(member: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("images.npy", member)
    return stream.getvalue()


def _headed(text: bytes) -> bytes:
    """A mutated JSON header with its length before it again, and the numbers behind it."""
    data = network_bytes(_net())
    return len(text).to_bytes(8, "little") + text + data[8 + int.from_bytes(data[:8], "little") :]


def _header() -> list[bytes]:
    data = network_bytes(_net())
    return [data[8 : 8 + int.from_bytes(data[:8], "little")]]


def _pictures() -> list[bytes]:
    grey = Image.fromarray((255 * rc.mnist_sample()[0][0].reshape(28, 28)).astype(np.uint8)).resize((96, 96))
    files = []
    for kind, image in (("PNG", grey), ("PNG", grey.convert("RGBA")), ("PNG", grey.convert("P")), ("JPEG", grey)):
        stream = io.BytesIO()
        image.save(stream, kind)
        files.append(stream.getvalue())
    return files


def _points() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (12, 2)), rng.integers(0, 3, 12)


def _tables() -> list[bytes]:
    text = points_to_csv(*_points())
    return [text.encode(), text.encode("utf-16"), text.replace(",", ";").replace(".", ",").encode()]


def _words(unpack: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: unpack(data.decode("latin1"))


def _read_foreign(data: bytes) -> Any:
    return load_network(data, activation="relu", max_parameters=100_000)


def _read_archive(data: bytes) -> Any:
    return read_npz(data, ("images", "labels"), "f")


READERS = {
    "safetensors": Reader(lambda: [network_bytes(_net()), network_bytes(_net((3, 2, 2, 2)))], _read_foreign),
    "safetensors-header": Reader(_header, _read_foreign, _headed),
    "npz": Reader(lambda: [_npz(images=np.ones((3, 4)), labels=np.arange(3))], _read_archive),
    "npz-member": Reader(lambda: [_npy(np.ones((3, 4)))], _read_archive, _zipped),
    "npy": Reader(lambda: [_npy(np.ones((3, 4))), _npy(np.arange(5, dtype=np.uint8))], lambda d: read_npy(d, "'f'")),
    "csv": Reader(_tables, points_from_csv),
    "picture": Reader(_pictures, digit_from_picture),
    "link of a digit": Reader(lambda: [pack_digit(i).encode() for i in rc.mnist_sample()[0][:4]], _words(unpack_digit)),
    "link of points": Reader(lambda: [pack_points(*_points()).encode()], _words(unpack_points)),
}  # fmt: skip


@cache
def seeds_of(name: str) -> list[bytes]:
    """The good files of a reader; each is read without an error."""
    reader = READERS[name]
    seeds = reader.seeds()
    for seed in seeds:
        reader.read(reader.wrap(seed))
    return seeds


def mutated(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    """One of the files with one to four changes."""
    data = bytearray(seeds[int(rng.integers(len(seeds)))])
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data) + 1))
        end = min(len(data), at + int(rng.integers(1, 40)))
        token = TOKENS[int(rng.integers(len(TOKENS)))]
        change = int(rng.integers(8))
        if change == 0 and data:
            data[at % len(data)] ^= 1 << int(rng.integers(8))
        elif change == 1 and data:
            data[at % len(data)] = int(rng.integers(256))
        elif change == 2:
            del data[at:]
        elif change == 3:
            del data[at:end]
        elif change == 4:
            data[at:at] = data[at:end]
        elif change == 5:
            data[at:end] = rng.bytes(end - at)
        elif change == 6:
            data[at:at] = token
        else:
            _replace_word(rng, data, token)
    return bytes(data)


def _replace_word(rng: np.random.Generator, data: bytearray, token: bytes) -> None:
    """A number or a word of a text part gives way to a token."""
    at = int(rng.integers(len(data))) if data else 0
    end = at
    while end < len(data) and chr(data[end]).isalnum():
        end += 1
    data[at:end] = token


def hunt(name: str, cases: int, seed: int = 0) -> Outcome:
    """Read `cases` mutated files with a reader."""
    reader, rng, outcome = READERS[name], np.random.default_rng(seed), Outcome()
    for case in range(cases):
        data = reader.wrap(mutated(rng, seeds_of(name)))
        begun = time.thread_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # no warning of a library may reach whoever opens a file
                reader.read(data)
            outcome.read += 1
        except RelucertError as error:
            outcome.refused += 1
            words = str(error)
            if not 10 < len(words) <= LONGEST or "\n" in words:
                outcome.faults.append(f"{name}, case {case}: the sentence {words[:400]!r}")
        except BaseException as error:  # a raw error of any kind is what is hunted
            outcome.faults.append(f"{name}, case {case}: {type(error).__name__} {str(error)[:200]!r} on {data[:80]!r}")
        spent = time.thread_time() - begun
        outcome.slowest = max(outcome.slowest, spent)
        if spent > LONGEST_SECONDS:
            outcome.faults.append(f"{name}, case {case}: took {spent:.1f} s")
    return outcome
