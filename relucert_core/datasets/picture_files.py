"""Uploaded picture files -> grey values, trusting nothing: kind and size are checked before a pixel is decoded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from relucert_core.errors import InvalidInput

if TYPE_CHECKING:
    from PIL import Image

MAX_FILE_BYTES = 36_000_000  # 4 megapixels of the widest PNG (16-bit RGBA), uncompressed
_SIGNATURES = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}
_MAX_SCANS = 64  # a progressive JPEG has about ten; thousands of them are a way to keep a server busy
_ORIENTATION_TAG = 0x0112
_GRAY16 = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def decode_picture(data: bytes, max_pixels: int) -> np.ndarray:
    """The grey values (height, width) float32, 0 black to 1 white, of a PNG or JPEG file, turned as its EXIF says.

    Transparent parts are laid over the colour that the visible parts call for: over their typical grey when most of
    the picture is visible, over the opposite of the ink when most is transparent. Only the first picture of an
    animation counts. Raises InvalidInput, in one sentence, for everything else. The name and the claimed type of an
    upload are none of its business: only the content counts.
    """
    kind = _kind(data)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            width, height = image.size
            if width * height <= max_pixels:
                return _turned(_gray(image), _orientation(image))
    except InvalidInput:
        raise
    except Exception:  # whatever a decoder of hostile bytes may raise, bombs included; its words help no user
        raise InvalidInput(
            f"The {kind} picture is damaged, cut off or of a strange kind: save it again as an ordinary PNG or JPEG."
        ) from None
    raise InvalidInput(f"The picture has {width} x {height} pixels; at most {max_pixels:,} are accepted: shrink it.")


def _kind(data: bytes) -> str:
    """PNG or JPEG by the first bytes, when the size is bearable too."""
    if not isinstance(data, (bytes, bytearray, memoryview)) or len(data) == 0:
        raise InvalidInput("The picture file is empty: choose a PNG or JPEG picture.")
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput(f"The file has {len(data):,} bytes; at most {MAX_FILE_BYTES:,} are accepted: shrink it.")
    for kind, signature in _SIGNATURES.items():
        if bytes(data[: len(signature)]) == signature:
            if kind == "JPEG" and bytes(data).count(b"\xff\xda") > _MAX_SCANS:
                raise InvalidInput("The JPEG picture is made of too many scans: save it again as a PNG.")
            return kind
    raise InvalidInput("The file is neither a PNG nor a JPEG picture, whatever its name says: choose one of these.")


def _gray(image: Image.Image) -> np.ndarray:
    """(height, width) float32 in 0..1, transparency resolved."""
    if image.mode in _GRAY16:
        return np.asarray(image).astype(np.float32) / np.float32(65535)
    if image.mode in ("1", "L", "RGB", "CMYK", "YCbCr") and "transparency" not in image.info:
        return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)
    layers = image.convert("RGBA").convert("LA")
    gray, alpha = (np.asarray(layer).astype(np.float32) / np.float32(255) for layer in layers.split())
    visible = alpha > 0.5
    if not visible.any():
        raise InvalidInput("The picture is wholly transparent: give one with a visible digit.")
    typical = float(np.median(gray[visible]))
    backing = typical if visible.mean() > 0.5 else float(typical < 0.5)
    return np.asarray(gray * alpha + np.float32(backing) * (1 - alpha))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation 1-8; a damaged EXIF block counts as none."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # an unreadable EXIF block spoils no picture
        return 1
    return value if value in range(1, 9) else 1


def _turned(gray: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the camera's orientation (EXIF: 2-4 flips, 5-8 with rows and columns exchanged)."""
    if orientation >= 5:
        gray = gray.T
    if orientation in (3, 4, 7, 8):
        gray = gray[::-1]
    if orientation in (2, 3, 6, 7):
        gray = gray[:, ::-1]
    return np.ascontiguousarray(gray)
