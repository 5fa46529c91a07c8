"""The values of a layer at the vertices of a subdivision: by matrix product, with tolerances, or by interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from relucert_core.errors import InvalidInput

# What made the new vertices: the two vertices each lies between, the fraction of the way, the neuron that is 0 there.
Made = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

# A value counts as zero below this part of the largest sum of absolute terms it can have come from: ten times the
# rounding error of such a sum of 100 terms, and far below anything that shows.
ZERO_PART = 2.0**-43
WORD = 64
BLOCK = 131_072
_WORTH = 0.8  # to leave out fewer neurons than this leaves costs more than it saves: values change place in memory


@dataclass(frozen=True, eq=False)
class LayerValues:
    """A layer's values (V, n), 1 / tolerance of every neuron (n,), packed signs (words, V), highest value (n,).

    Interpolated values are never above the highest.
    """

    values: np.ndarray
    scale: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    highest: np.ndarray


def layer_values(
    hidden: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    reach: np.ndarray,
    *,
    rectify: bool = False,
    last: bool = False,
) -> LayerValues:
    """The layer's values where `hidden` (V, m) comes in, after ReLU if `rectify`, up to `reach` (m,).

    The highest values are left out (-inf) for the `last` hidden layer, where nobody asks for them. With `rectify`
    the values take the place of `hidden` in memory where they fit: fresh memory costs as much as a product.
    """
    count, width = len(hidden), len(bias)
    scale = inverse_tolerance(reach, weight, bias)
    highest = np.full(width, -np.inf)
    fits = rectify and width <= hidden.shape[1]
    values = hidden.reshape(-1)[: count * width].reshape(count, width) if fits else np.empty((count, width))
    positive, negative = np.zeros((2, -(-width // WORD), count), np.uint64)
    tolerance = 1 / scale
    affine = np.vstack([weight.T, bias])  # a last input of 1 brings the bias: one pass over the values less
    block = max(16, BLOCK // width)
    incoming = np.ones((min(block, count), hidden.shape[1] + 1))
    for begin in range(0, count, block):
        part = slice(begin, min(begin + block, count))
        given = incoming[: part.stop - begin]
        np.maximum(hidden[part], 0 if rectify else -np.inf, out=given[:, :-1])
        z = np.matmul(given, affine, out=values[part])
        if not last:
            np.maximum(highest, z.max(0), out=highest)
        positive[:, part] = pack_signs(z > tolerance)
        negative[:, part] = pack_signs(z < -tolerance)
    return LayerValues(values, scale, positive, negative, highest)


def pack_signs(flags: np.ndarray) -> np.ndarray:
    """Flags (V, n) as bits of 64-bit words, (words, V)."""
    count, width = flags.shape
    packed = np.packbits(flags, axis=1, bitorder="little")
    if width % WORD:
        padded = np.zeros((count, -(-width // WORD) * 8), np.uint8)
        padded[:, : packed.shape[1]] = packed
        packed = padded
    return packed.view("<u8").T


def inverse_tolerance(reach: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """One over the tolerance of W h + b for |h| <= `reach`, (n,): a power of two, so that scaling by it is exact."""
    with np.errstate(over="ignore"):
        size = np.abs(weight) @ reach + np.abs(bias)
    if not np.isfinite(size).all():
        raise InvalidInput("The network's values overflow float64 in this box: take smaller weights or a smaller box.")
    _, exponent = np.frexp(size * ZERO_PART)
    return np.ldexp(1.0, np.where(size > 0, np.minimum(-exponent, 1000), 1000))


def positive_somewhere(highest: np.ndarray) -> np.ndarray:
    """The neurons (u,) worth taking along: those with a highest value above 0, or all when few would stay behind."""
    used = np.flatnonzero(highest > 0)
    return used if len(used) < _WORTH * len(highest) else np.arange(len(highest))


def last_values(values: np.ndarray, made: Made, levels: tuple[int, ...], used: np.ndarray) -> np.ndarray:
    """The layer's values at all vertices (V, u): those given, then the new ones by replaying the interpolations.

    The neuron that made a vertex is set to exactly 0 there. Only the neurons `used` (u,) come along: those that are
    positive somewhere, which every neuron is that made a vertex.
    """
    if len(used) < values.shape[1]:
        column = np.zeros(values.shape[1], np.int64)
        column[used] = np.arange(len(used))
        values, made = values[:, used], (*made[:3], column[made[3]])
    old, width = values.shape
    result = np.empty((old + len(made[0]), width))
    result[:old] = values
    block = max(16, BLOCK // 4 // max(1, width))
    for begin, end in pairwise(levels):
        for low in range(begin, end, block):
            part = slice(low, min(low + block, end))
            first, second, step, neuron = (array[part] for array in made)
            # mode="clip" spares a copy; no index is out of bounds
            start = result.take(first, axis=0, mode="clip")
            place = result[old + part.start : old + part.stop]
            np.take(result, second, axis=0, out=place, mode="clip")
            place -= start
            place *= step[:, None]
            place += start
            place[np.arange(len(neuron)), neuron] = 0
    return result
