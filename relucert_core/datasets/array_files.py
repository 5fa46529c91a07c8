"""Arrays of numbers from .npz and .npy files, trusting nothing: the header is checked before memory is taken.

The formats: NumPy Enhancement Proposal 1. A .npz file is a zip archive of .npy members. Only real numbers are read, no
pickled objects.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput, shown

MAX_BYTES = 2_000_000_000  # of one array, unpacked: MNIST's training images in float64 take a fifth
_MAX_HEADER = 10_000  # characters, NumPy's own bound
_KINDS = "fiub"


def read_npz(data: bytes, keys: Sequence[str], name: str) -> dict[str, np.ndarray]:
    """Those of the arrays `keys` that a .npz file holds, in their own types, real numbers each.

    Raises InvalidInput, in one sentence with the file's `name`, for a file or a member that is damaged, no array of
    real numbers or too large. Other members are not looked at.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            found = {}
            for key in keys:
                info = members.get(f"{key}.npy") or members.get(key)
                if info is not None:
                    _check_size(info.file_size, f"{key!r} in {shown(name)}")
                    found[key] = read_npy(archive.read(info), f"{key!r} in {shown(name)}")
            return found
    except InvalidInput:
        raise
    except Exception as error:  # whatever an archive of hostile bytes may raise: a dozen kinds were seen
        raise InvalidInput(f"{shown(name)} is no readable .npz file ({_words(error)}): save it again.") from None


def read_npy(data: bytes, what: str) -> np.ndarray:
    """The array of a .npy file or member, real numbers in their own type. Raises InvalidInput, naming `what`."""
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():  # of headers in Python 2's spelling, which are read like any other
            warnings.simplefilter("ignore")
            shape, dtype = _header(stream)
        room = len(data) - stream.tell()
    except InvalidInput:
        raise
    except Exception as error:  # NumPy parses the header as a Python literal, which fails in many ways
        raise InvalidInput(f"{what} is no array as NumPy saves it ({_words(error)}): save it again.") from None
    if dtype.hasobject or dtype.kind not in _KINDS or dtype.subdtype is not None:
        raise InvalidInput(f"{what} holds {shown(str(dtype), 40)}; an array of real numbers is needed.")
    size = math.prod(shape) * dtype.itemsize
    _check_size(size, what)
    if size != room:
        raise InvalidInput(f"{what} should hold {size:,} bytes by its own header, but has {room:,}: save it again.")
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the type that a .npy header gives, checked to be a shape at all."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream, max_header_size=_MAX_HEADER)
    if len(shape) > 32 or any(isinstance(n, bool) or not 0 <= n < 2**63 for n in shape):
        raise InvalidInput(f"The header of an array gives the shape {shown(shape)}, which is none.")
    return shape, dtype


def _check_size(size: int, what: str) -> None:
    if size > MAX_BYTES:
        raise InvalidInput(f"{what} would take {size:,} bytes; at most {MAX_BYTES:,} are accepted: cut it into parts.")


def _words(error: BaseException) -> str:
    """The error's first words; damaged files are quoted in some of them."""
    lines = str(error).split("\n")
    return lines[0][:80] or type(error).__name__
