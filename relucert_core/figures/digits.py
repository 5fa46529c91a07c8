"""Digits as grey pictures. Imports no plotly, so that a first page may use it."""

from __future__ import annotations

import io

import numpy as np

SIDE = 28


def digit_png(pixels: np.ndarray, scale: int = 8) -> bytes:
    """A digit of 784 values in [0, 1] (others are clipped) as a grey PNG, each pixel `scale` screen pixels wide."""
    from PIL import Image

    levels = np.rint(np.clip(np.asarray(pixels, dtype=np.float64), 0.0, 1.0) * 255).astype(np.uint8).reshape(SIDE, SIDE)
    buffer = io.BytesIO()
    Image.fromarray(np.kron(levels, np.ones((scale, scale), np.uint8))).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
