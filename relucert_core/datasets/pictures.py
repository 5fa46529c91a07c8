"""A picture of a digit -> what MNIST would have made of it: 28x28, ink 1 on paper 0.

MNIST's own recipe (its authors' description): the ink's box is scaled to fit 20x20 with its aspect kept and its edges
smoothed, then shifted by whole pixels so that its centre of mass comes to the middle of 28x28. The middle is pixel
(14, 14): each of the 10,000 test images has its centre within half a pixel of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from relucert_core.datasets.lighting import evenly_lit, rim
from relucert_core.datasets.local_contrast import contrast_with_paper, without_wedges
from relucert_core.datasets.packing import pack_digit, unpack_digit
from relucert_core.datasets.picture_files import decode_picture
from relucert_core.errors import InvalidInput

__all__ = ["digit_from_array", "digit_from_picture", "pack_digit", "readings_of_picture", "unpack_digit"]

SIDE = 28
INK_BOX = 20
MIDDLE = 14
MAX_PIXELS = 2048 * 2048
_WORK_SIDE = 320  # larger pictures are averaged down to this first: 16 pixels for each of the 20 are plenty
_LEAST_CONTRAST = 0.06  # of black to white; below it a picture is blank
_SHARPEN_FROM = 2 * INK_BOX  # MNIST's originals were black or white: ink boxes larger than this lose their faint greys
_FAINT, _FULL = 0.3, 0.7
_EVEN = 0.1  # of black to white: what paper in one light keeps to
_SAME = 0.9  # cosine above which two readings of a picture show one drawing
_SPECK = 0.01  # separate spots with less than this share of the largest spot's ink are dirt


def digit_from_picture(data: bytes) -> np.ndarray:
    """The bytes of a PNG or JPEG file, up to 4 megapixels, as a digit: (784,) float64, multiples of 1/255.

    Dark on light or light on dark, any colours, transparency, EXIF rotation. Raises InvalidInput with one sentence
    for what is no such picture, is too large, broken or blank. Memory stays below 200 MB. Where the picture can be
    read in two ways (see `readings_of_picture`), the likelier one.
    """
    return readings_of_picture(data)[0]


def readings_of_picture(data: bytes) -> list[np.ndarray]:
    """The digits, likeliest first, that a picture file may show: one, or two where a hard shadow may be ink.

    Each (784,) float64, multiples of 1/255. One takes ink by its level on the whole sheet; where the picture's
    rim is of several greys, another takes it by its contrast with the paper beside it, and comes first if that makes a
    difference. Raises InvalidInput as `digit_from_picture` does.
    """
    return _readings(_checked(decode_picture(data, MAX_PIXELS)))


def digit_from_array(gray: Any) -> np.ndarray:
    """A grey picture (height, width), uint8 0..255 or reals 0..1, as a digit: (784,) float64, multiples of 1/255.

    Either polarity: what fills the frame is taken for paper. A picture that MNIST's recipe has already made (28x28,
    in either polarity) comes back unchanged. Raises InvalidInput when it is blank or no such array.
    """
    return _readings(_checked(gray))[0]


def _readings(picture: np.ndarray) -> list[np.ndarray]:
    """The digits that a checked picture may show, likeliest first; the last one is that of the whole sheet's levels."""
    if (ready := _already_made(picture)) is not None:
        return [ready]
    digits = [_bytes_to_digit(_centred(_scaled(ink[_ink_box(ink)]))) for ink in _inks(_reduced(picture))]
    return digits if len(digits) == 2 and _similarity(*digits) < _SAME else digits[-1:]


def _checked(gray: Any) -> np.ndarray:
    """The array as float32 in 0..1."""
    array = np.asarray(gray)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "buif":
        raise InvalidInput(f"A grey picture is an array (height, width) of numbers; {array.dtype} {array.shape} came.")
    if array.size > MAX_PIXELS:
        raise InvalidInput(f"The picture has {array.size:,} pixels; at most {MAX_PIXELS:,} are accepted: shrink it.")
    picture = array.astype(np.float32) / np.float32(255 if array.dtype == np.uint8 else 1)
    if not (np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1):
        raise InvalidInput("The numbers of a grey picture must lie in 0..1 (or 0..255 as bytes); others came.")
    return picture


def _already_made(picture: np.ndarray) -> np.ndarray | None:
    """The digit, when the picture is what the recipe makes: 28x28, box of 20 (or 19), centre of mass in place."""
    if picture.shape != (SIDE, SIDE):
        return None
    pixels = np.rint(picture * 255)
    pixels = 255 - pixels if np.median(pixels) > 127 else pixels
    if not pixels.any():
        return None
    box = pixels[_ink_box(pixels)]
    centre = _centre_of_mass(pixels)
    in_place = all(abs(c - MIDDLE) <= 0.5 for c in centre)
    return _bytes_to_digit(pixels / 255) if max(box.shape) in (INK_BOX - 1, INK_BOX) and in_place else None


def _reduced(picture: np.ndarray) -> np.ndarray:
    """Averaged over square blocks until no side is longer than _WORK_SIDE."""
    factor = -(-max(picture.shape) // _WORK_SIDE)
    if factor == 1:
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(picture).reduce(factor), dtype=np.float32)


def _inks(picture: np.ndarray) -> list[np.ndarray]:
    """What may be ink in the picture, (height, width) each, likeliest first; InvalidInput when nothing is."""
    lit = evenly_lit(picture)
    ink = _without_specks(_ink(lit))
    if not _uneven(lit):
        return [ink]
    contrast = contrast_with_paper(picture)
    if float(contrast.max()) < _LEAST_CONTRAST:
        return [ink]
    full = float(np.quantile(contrast[contrast > min(_otsu(contrast), float(contrast.max()) / 2)], 0.9))
    local = without_wedges(_without_specks(_sharpened(contrast / full)))
    return [local, ink] if local.any() else [ink]


def _uneven(picture: np.ndarray) -> bool:
    """Is the picture's rim, where paper is expected, of several greys? A shadow's is; a drawing may reach it, too."""
    darkest, brightest = np.quantile(picture[rim(picture.shape)], (0.05, 0.95))
    return bool(brightest - darkest > _EVEN)


def _ink(picture: np.ndarray) -> np.ndarray:
    """Paper 0, ink 1: the frame's side of the best threshold is paper, and each side's typical grey its level."""
    blank = InvalidInput("The picture is blank: no ink stands out from the paper. Give one with a visible digit.")
    if float(picture.max()) - float(picture.min()) < _LEAST_CONTRAST:
        raise blank
    threshold = _otsu(picture)
    bright = picture > threshold
    bright_rim = float(bright[rim(picture.shape)].mean())
    paper_is_bright = bright_rim > 0.5 if bright_rim != 0.5 else bool(bright.mean() > 0.5)
    paper = float(np.median(picture[bright == paper_is_bright]))
    inked = np.abs(picture[bright != paper_is_bright] - paper)
    full = float(np.quantile(inked, 0.9))
    if full < _LEAST_CONTRAST:
        raise blank
    return _sharpened(np.abs(picture - paper) / full * (np.sign(picture - paper) == (-1 if paper_is_bright else 1)))


def _sharpened(ink: np.ndarray) -> np.ndarray:
    """Ink in 0..1; that of a large drawing without its faint greys."""
    if max(ink[_ink_box(ink > 0.5)].shape) > _SHARPEN_FROM:
        ink = (ink - _FAINT) / (_FULL - _FAINT)
    ink = np.clip(ink, 0.0, 1.0)
    return np.where(ink < 0.02, 0.0, ink).astype(np.float32)


def _similarity(first: np.ndarray, second: np.ndarray) -> float:
    """The cosine between two digits."""
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def _otsu(picture: np.ndarray) -> float:
    """The threshold that parts the greys best (Otsu 1979): largest variance between the two groups."""
    counts, edges = np.histogram(picture, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sums = np.cumsum(counts * centres)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(edges[1 + int(np.nanargmax(between))])


def _without_specks(ink: np.ndarray) -> np.ndarray:
    """Separate spots of dirt set to 0, so that they don't stretch the box."""
    from scipy import ndimage

    spots, count = ndimage.label(ink > 0.25, structure=np.ones((3, 3)))
    if count < 2:
        return ink
    weight = np.bincount(spots.ravel(), weights=ink.ravel())
    weight[0] = 0.0
    kept = weight[spots] >= _SPECK * weight.max()
    near = ndimage.binary_dilation(kept & (spots > 0), structure=np.ones((3, 3)), iterations=2)
    return np.where(near, ink, np.float32(0))


def _ink_box(ink: np.ndarray) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _scaled(box: np.ndarray) -> np.ndarray:
    """The box with its longer side at 20 pixels, smoothed as it shrinks."""
    from PIL import Image

    factor = INK_BOX / max(box.shape)
    height, width = (max(1, round(n * factor)) for n in box.shape)
    smoothing = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    scaled = Image.fromarray(box).resize((width, height), smoothing)
    return np.clip(np.asarray(scaled, dtype=np.float64), 0.0, 1.0)


def _centred(box: np.ndarray) -> np.ndarray:
    """28x28 with the box shifted by whole pixels until its centre of mass is nearest to the middle."""
    top, left = (
        int(np.clip(round(MIDDLE - centre), 0, SIDE - size))
        for centre, size in zip(_centre_of_mass(box), box.shape, strict=True)
    )
    digit = np.zeros((SIDE, SIDE))
    digit[top : top + box.shape[0], left : left + box.shape[1]] = box
    return digit


def _centre_of_mass(ink: np.ndarray) -> tuple[float, float]:
    """(row, column), weighted by the ink."""
    rows, columns = ink.sum(1, dtype=np.float64), ink.sum(0, dtype=np.float64)
    total = rows.sum()
    return float(rows @ np.arange(len(rows)) / total), float(columns @ np.arange(len(columns)) / total)


def _bytes_to_digit(digit: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(digit.astype(np.float64) * 255).reshape(-1) / 255.0)
