"""A digit as a short word for links: 28x28 bytes, packed without loss and url-safe.

The pixels in row order and in column order are both deflated and the shorter is kept, with a letter that says which.
The longest of MNIST's 10,000 test images takes 389 characters, half of them at most 249.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput

_SIDE = 28
_PIXELS = _SIDE * _SIDE
_MAX_WORD = 1200  # 784 incompressible bytes take 1,053 characters


def pack_digit(image: Any) -> str:
    """784 pixels, multiples of 1/255 in 0..1 (or uint8), as letters, digits, - and _; ordinary digits under 400.

    Raises InvalidInput for anything that is no such picture, so that nothing is ever lost on the way.
    """
    pixels = np.asarray(image)
    if pixels.size != _PIXELS or pixels.dtype.kind not in "buif":
        raise InvalidInput(f"A digit has {_PIXELS} pixels; an array {pixels.dtype} {pixels.shape} came.")
    levels = pixels.astype(np.float64).reshape(_SIDE, _SIDE) * (1 if pixels.dtype == np.uint8 else 255)
    if not (np.isfinite(levels).all() and levels.min() >= 0 and levels.max() <= 255):
        raise InvalidInput("The pixels of a digit lie between 0 and 1; others came.")
    if np.abs(levels - np.rint(levels)).max() > 1e-9:
        raise InvalidInput("Only pixels that are multiples of 1/255 can be packed; round them to bytes first.")
    square = np.rint(levels).astype(np.uint8)
    packed = {"r": _deflated(square.tobytes()), "c": _deflated(square.T.tobytes())}
    order = min(packed, key=lambda key: len(packed[key]))
    return order + base64.urlsafe_b64encode(packed[order]).decode("ascii").rstrip("=")


def unpack_digit(word: str) -> np.ndarray:
    """The digit that `pack_digit` packed: (784,) float64, multiples of 1/255.

    Takes any string: what is no packed digit raises InvalidInput, and never more than 784 bytes are unpacked.
    """
    broken = InvalidInput("The link's digit is damaged: copy the link again, or draw the digit anew.")
    if not isinstance(word, str) or not 2 <= len(word) <= _MAX_WORD or word[0] not in "rc" or not word.isascii():
        raise broken
    try:
        packed = base64.b64decode(word[1:] + "=" * (-len(word[1:]) % 4), altchars=b"-_", validate=True)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        data = inflater.decompress(packed, _PIXELS + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise broken from None
    if len(data) != _PIXELS or not inflater.eof or inflater.unused_data:
        raise broken
    square = np.frombuffer(data, np.uint8).reshape(_SIDE, _SIDE)
    return (square if word[0] == "r" else square.T).reshape(-1) / 255.0


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(data) + packer.flush()
