"""Uneven light on a photographed sheet: a smooth surface through the picture's rim, divided or taken out."""

from __future__ import annotations

import numpy as np

_RIM = 0.06  # of each side's length
_ROUNDS = 12
_WORTH_IT = 0.5  # the surface must halve the rim's spread, else the light counts as even
_BRIGHT = 0.4


def evenly_lit(picture: np.ndarray) -> np.ndarray:
    """The picture (height, width) in 0..1 with its paper made even; unchanged where the rim shows no trend.

    A quadratic surface is fitted to the rim by least absolute deviations, so that ink touching the rim does not pull
    it. On bright paper light multiplies, so the picture is divided by it; on dark ground it is subtracted.
    """
    height, width = picture.shape
    if min(height, width) < 8:
        return picture
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    mask = rim(picture.shape)
    values = picture[mask].astype(np.float64)
    factors = _least_absolute(terms[mask], values)
    spread = float(np.median(np.abs(values - np.median(values))))
    left = float(np.median(np.abs(values - terms[mask] @ factors)))
    if left > _WORTH_IT * spread or spread < 1 / 255:
        return picture
    surface = terms @ factors
    if surface.min() > _BRIGHT * surface.max() > 0.1:
        return np.asarray(np.clip(picture / surface * 0.9, 0, 1), dtype=np.float32)
    return np.asarray(np.clip(picture - surface + np.median(surface), 0, 1), dtype=np.float32)


def rim(shape: tuple[int, ...]) -> np.ndarray:
    """The outer rim of a picture of that shape, as a mask."""
    height, width = (max(1, round(_RIM * n)) for n in shape)
    mask = np.ones(shape, dtype=bool)
    mask[height:-height, width:-width] = False
    return mask


def _least_absolute(terms: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Factors that keep sum |values - terms factors| small, by reweighted least squares."""
    weights = np.ones(len(values))
    for _ in range(_ROUNDS):
        weighted = terms * weights[:, None]
        factors = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(values - terms @ factors), 1e-3)
    return np.asarray(factors)
