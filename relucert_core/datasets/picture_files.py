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
_FULL_SCALES = (255, 1023, 4095, 65535)
_VISIBLE = 0.1  # opacity of what counts as drawn
_PLAIN = 0.06  # of black to white: visible parts of less contrast are one colour
_LUMA_SHARE = 0.2  # of the colours' variance: a luma with less leaves the drawing out
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
        levels = np.asarray(image).astype(np.float32)
        most = float(levels.max(initial=0.0))  # scanners and cameras keep 8, 10 or 12 bits in 16
        return levels / np.float32(next(full for full in _FULL_SCALES if most <= full or full == 65535))
    if image.mode in ("RGB", "P", "CMYK", "YCbCr") and "transparency" not in image.info:
        return _by_colour(np.asarray(image.convert("RGB")).astype(np.float32) / np.float32(255))
    if image.mode in ("1", "L", "RGB", "CMYK", "YCbCr") and "transparency" not in image.info:
        return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)
    layers = image.convert("RGBA").convert("LA")
    gray, alpha = (np.asarray(layer).astype(np.float32) / np.float32(255) for layer in layers.split())
    visible = alpha > _VISIBLE
    if not visible.any():
        raise InvalidInput("The picture is wholly transparent: give one with a visible digit.")
    typical = float(np.median(gray[visible]))
    drawn = float(np.ptp(gray[visible])) > _PLAIN  # else the transparent part is the drawing, or its shape
    backing = typical if drawn and visible.mean() > 0.5 else float(typical < 0.5)
    return np.asarray(gray * alpha + np.float32(backing) * (1 - alpha))


def _by_colour(picture: np.ndarray) -> np.ndarray:
    """(height, width) in 0..1 from (height, width, 3): the luma, or the colour axis where that says much more.

    Red on green may have one luma all over. The axis is the first principal component of the colours.
    """
    luma = picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    colours = picture.reshape(-1, 3).astype(np.float64)
    values, axes = np.linalg.eigh(np.cov((colours - colours.mean(0)).T, bias=True) if len(colours) > 1 else np.eye(3))
    if float(luma.var()) >= _LUMA_SHARE * float(values[-1]):
        return np.asarray(np.clip(luma, 0, 1), dtype=np.float32)
    along = (picture @ axes[:, -1].astype(np.float32)).astype(np.float32)
    return np.asarray((along - along.min()) / max(float(np.ptp(along)), 1e-6), dtype=np.float32)


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
