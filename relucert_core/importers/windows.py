"""Which entries a sliding window meets: the index arrays behind convolution and pooling in any number of dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Axis:
    """The windows along one axis: index (out, taps) of the entries met, -1 outside; sizes (out,), what counts as met.

    `sizes` counts the padding in, as an average with count_include_pad does, but not what a ceil'd last window
    reaches beyond it.
    """

    index: np.ndarray
    sizes: np.ndarray


def sliding(
    length: int, kernel: int, stride: int, before: int, after: int, dilation: int = 1, *, ceil: bool = False
) -> Axis:
    """Windows of `kernel` taps over `length` entries with padding. With `ceil`, a last window may hang over the end."""
    reach = dilation * (kernel - 1) + 1
    room = length + before + after - reach
    count = -(-room // stride) + 1 if ceil else room // stride + 1
    if ceil and (count - 1) * stride >= length + before:
        count -= 1  # the last window must begin inside the input or the padding before it
    starts = np.arange(max(0, count)) * stride - before
    index = starts[:, None] + dilation * np.arange(kernel)
    sizes = (index < length + after).sum(1)
    return Axis(np.where((index >= 0) & (index < length), index, -1), sizes)


def adaptive(length: int, outputs: int) -> Axis:
    """The windows of adaptive pooling: output i meets floor(i n / m) up to ceil((i + 1) n / m)."""
    starts = np.arange(outputs) * length // outputs
    stops = -(-(np.arange(1, outputs + 1) * length) // outputs)
    index = starts[:, None] + np.arange(max(1, int((stops - starts).max(initial=1))))
    return Axis(np.where(index < stops[:, None], index, -1), stops - starts)


def together(axes: Sequence[Axis], lengths: Sequence[int]) -> np.ndarray:
    """(prod out, prod taps): flat positions in an array of shape `lengths`, -1 where any axis is outside."""
    outputs, taps = [axis.index.shape[0] for axis in axes], [axis.index.shape[1] for axis in axes]
    count = len(axes)
    flat = np.zeros((*outputs, *taps), dtype=np.int64)
    inside = np.ones(flat.shape, dtype=bool)
    for i, (axis, length) in enumerate(zip(axes, lengths, strict=True)):
        shape = [1] * (2 * count)
        shape[i], shape[count + i] = axis.index.shape
        index = axis.index.reshape(shape)
        flat, inside = flat * length + index, inside & (index >= 0)
    return np.where(inside, flat, -1).reshape(int(np.prod(outputs)), int(np.prod(taps)))


def sizes(axes: Sequence[Axis]) -> np.ndarray:
    """(prod out,): the product of the axes' sizes for each window."""
    return np.array([np.prod(each) for each in itertools.product(*(axis.sizes for axis in axes))], dtype=np.float64)
