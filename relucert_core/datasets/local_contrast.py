"""Ink found by its contrast with the paper beside it: what a hard shadow or a fold does not change.

A grey closing, the picture's upper envelope by squares wider than a stroke, fills dark strokes with the paper around
them and leaves the edges of larger dark parts where they are (Serra, Image Analysis and Mathematical Morphology, 1982);
an opening does so with light strokes. What either has filled is ink.
"""

from __future__ import annotations

import numpy as np

_STROKE = 0.2  # of the longer side: no stroke is wider
_THINNEST = 5  # pixels: what is thinner, such as the seam along a shadow's edge, is no stroke
_FINE = 100  # pixels of the shorter side from which on seams can be told from strokes
_FAINTEST = 0.05  # paper: darker, and a share of it says nothing


def contrast_with_paper(picture: np.ndarray) -> np.ndarray:
    """How much each pixel of a picture (height, width) in 0..1 stands out from the paper beside it, 0 to 1.

    Dark on light or light on dark: whichever leaves paper with fewer edges in it.
    """
    from scipy import ndimage

    closed, opened = _envelopes(picture)
    if _variation(closed) <= _variation(opened):
        ink = (closed - picture) / np.maximum(closed, _FAINTEST)
    else:
        ink = (picture - opened) / np.maximum(1 - opened, _FAINTEST)
    if min(picture.shape) > _FINE:
        ink = np.where(ndimage.grey_opening(ink, size=_THINNEST) > ink / 2, ink, 0.0)
    return np.asarray(ink, dtype=np.float32)


def without_wedges(ink: np.ndarray) -> np.ndarray:
    """Spots at the picture's edge that are not the main one set to 0: there a shadow's corner may be taken for ink."""
    from scipy import ndimage

    spots, _ = ndimage.label(ink > 0.25, structure=np.ones((3, 3)))
    weight = np.bincount(spots.ravel(), weights=ink.ravel())
    weight[0] = 0.0
    edge = np.unique(np.concatenate([spots[0], spots[-1], spots[:, 0], spots[:, -1]]))
    wedges = [spot for spot in edge if spot and weight[spot] < weight.max() / 2]
    if not wedges:
        return ink
    return np.where(ndimage.binary_dilation(np.isin(spots, wedges), iterations=2), np.float32(0), ink)


def _envelopes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The grey closing and opening by squares wider than a stroke; what is outside the picture stands in no way."""
    from scipy import ndimage

    side = int(max(picture.shape) * _STROKE) | 1
    highest = ndimage.maximum_filter(picture, size=side, mode="constant", cval=-1.0)
    lowest = ndimage.minimum_filter(picture, size=side, mode="constant", cval=2.0)
    closed = ndimage.minimum_filter(highest, size=side, mode="constant", cval=2.0)
    return closed, ndimage.maximum_filter(lowest, size=side, mode="constant", cval=-1.0)


def _variation(picture: np.ndarray) -> float:
    """The total variation, along rows and columns."""
    return float(np.abs(np.diff(picture, axis=0)).sum() + np.abs(np.diff(picture, axis=1)).sum())
