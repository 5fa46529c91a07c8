"""Patterns unpacked, and the affine map of every region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_BLOCK = 4096


def unpack(words: np.ndarray, width: int) -> np.ndarray:
    """Packed patterns (words, R) as bool (R, width)."""
    rows = np.ascontiguousarray(words.T, dtype="<u8").view(np.uint8)
    return np.unpackbits(rows, axis=1, count=width, bitorder="little").astype(bool)


def region_maps(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...], pattern: Callable[[int], np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """C (R, K, 2) and d (R, K) of R = `count` regions; `pattern(i)` gives layer i's (R, N_i). Algorithm 1, batched."""
    layers = [pattern(i) for i in range(len(weights) - 1)]
    classes = len(biases[-1])
    slopes, offsets = np.empty((count, classes, 2)), np.empty((count, classes))
    for begin in range(0, count, _BLOCK):
        part = slice(begin, min(begin + _BLOCK, count))
        slope, offset = _maps(weights, biases, [layer[part] for layer in layers], part.stop - begin)
        slopes[part], offsets[part] = slope, offset
    return slopes, offsets


def _maps(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...], patterns: list[np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the slope and the offset go through the layers as rows of one matrix (3 count, n)."""
    rows = np.broadcast_to(weights[0].T, (count, 2, weights[0].shape[0]))
    rows = np.concatenate([rows, np.broadcast_to(biases[0], (count, 1, len(biases[0])))], axis=1)
    for weight, bias, on in zip(weights[1:], biases[1:], patterns, strict=True):
        rows = (rows * on[:, None]).reshape(3 * count, -1) @ weight.T
        rows = rows.reshape(count, 3, -1)
        rows[:, 2] += bias
    return rows[:, :2].transpose(0, 2, 1), rows[:, 2]
