"""Affine operations on forms: products with constants, convolutions, averages, sums, and any linear one by probing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from relucert_core.importers.forms import Form, add, moved, scale, transform
from relucert_core.importers.windows import Axis, sliding, together
from relucert_core.importers.windows import sizes as window_sizes

_PROBED = 4_000_000  # numbers of a matrix that may be found by probing


@dataclass(frozen=True)
class Sliding:
    """How a window slides over the spatial axes. Each is a tuple with one number for each of them."""

    stride: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil: bool = False

    @classmethod
    def of(cls, count: int, stride: Any = 1, padding: Any = 0, dilation: Any = 1, *, ceil: bool = False) -> Sliding:
        """From torch's arguments: a number, or one for each axis; the padding is the same on both sides."""
        pad = spread(padding, count)
        return cls(spread(stride, count), pad, pad, spread(dilation, count), ceil)

    def axes(self, lengths: Sequence[int], kernel: Sequence[int]) -> list[Axis]:
        """The windows along each axis."""
        each = zip(lengths, kernel, self.stride, self.before, self.after, self.dilation, strict=True)
        return [sliding(n, k, s, b, a, d, ceil=self.ceil) for n, k, s, b, a, d in each]


def spread(value: Any, count: int) -> tuple[int, ...]:
    """A whole number, or a sequence of one or `count` of them, as `count` numbers."""
    numbers = tuple(int(v) for v in value) if isinstance(value, (tuple, list, np.ndarray)) else (int(value),)
    return numbers * count if len(numbers) == 1 else numbers


def matmul(first: Form | np.ndarray, second: Form | np.ndarray) -> Form:
    """first @ second as NumPy's matmul, where one is a form and the other numbers."""
    if isinstance(first, Form):
        if isinstance(second, Form):
            first.trace.refuse("it multiplies two tensors that both depend on the input.")
        return _times(first, np.asarray(second, dtype=np.float64))
    assert isinstance(second, Form)
    matrix = np.asarray(first, dtype=np.float64)
    turned = second if len(second.shape) < 2 else _swapped(second)
    product = _times(turned, matrix.swapaxes(-1, -2) if matrix.ndim > 1 else matrix)
    return _swapped(product) if matrix.ndim > 1 and len(second.shape) > 1 else product


def _swapped(form: Form) -> Form:
    return moved(lambda places: places.swapaxes(-1, -2), form)


def _times(form: Form, matrix: np.ndarray) -> Form:
    """form (..., n, k) @ matrix (..., k, m)."""
    trace = form.trace
    if not form.shape or matrix.ndim == 0 or form.shape[-1] != matrix.shape[-2 if matrix.ndim > 1 else 0]:
        trace.refuse(f"shapes {form.shape} and {matrix.shape} do not fit together in a product.")
    columns = matrix[:, None] if matrix.ndim == 1 else matrix
    shape = form.shape[:-1] + (() if matrix.ndim == 1 else columns.shape[-1:])
    if columns.ndim == 2 and math.prod(form.shape[:-1]) == 1:
        return transform(np.ascontiguousarray(columns.T), form, None, shape)
    terms = form.shape[-1]
    rows = form.places() if len(form.shape) > 1 else form.places()[None]
    batch = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    result = (*batch, rows.shape[-2], columns.shape[-1])
    trace.room(float(math.prod(result)) * terms)
    index = np.broadcast_to(rows[..., :, None, :], (*result, terms))
    values = np.broadcast_to(columns.swapaxes(-1, -2)[..., None, :, :], (*result, terms))
    count = math.prod(result)
    matrix_rows = csr_array(
        (values.reshape(-1).copy(), index.reshape(-1).copy(), np.arange(count + 1) * terms), shape=(count, form.size)
    )
    shape = result if matrix.ndim > 1 else result[:-1]
    return transform(matrix_rows, form, None, shape if len(form.shape) > 1 else shape[:-2] + shape[-1:])


def linear(form: Form, weight: np.ndarray, bias: np.ndarray | None) -> Form:
    """x W^T + b over the last axis."""
    if form.shape and weight.ndim == 2 and math.prod(form.shape[:-1]) == 1 and form.shape[-1] == weight.shape[1]:
        offset = None if bias is None else np.asarray(bias, dtype=np.float64)
        return transform(np.asarray(weight, dtype=np.float64), form, offset, (*form.shape[:-1], weight.shape[0]))
    product = matmul(form, np.asarray(weight).T)
    return product if bias is None else add(product, form.trace.constant(bias))


def convolution(form: Form, weight: np.ndarray, bias: np.ndarray | None, how: Sliding, groups: int = 1) -> Form:
    """Cross-correlation (B, C, ...) with kernels (O, C / groups, ...); any number of spatial axes."""
    form = _batched(form, weight.ndim)
    images, channels, *lengths = form.shape
    kernel = weight.shape[2:]
    if channels != weight.shape[1] * groups:
        form.trace.refuse(f"its kernels take {weight.shape[1] * groups} channels; {channels} came.")
    axes = how.axes(lengths, kernel)
    out = [len(axis.index) for axis in axes]
    form.trace.room(float(images) * weight.size * math.prod(out))
    window = together(axes, lengths)
    each = _kernel_matrix(weight, window, math.prod(lengths), groups)
    return _for_each_image(each, form, bias, (weight.shape[0], *out))


def transposed_convolution(
    form: Form, weight: np.ndarray, bias: np.ndarray | None, how: Sliding, *, extra: Sequence[int], groups: int = 1
) -> Form:
    """The transpose of a convolution: kernels (C, O / groups, ...); `extra`: output padding of each axis."""
    form = _batched(form, weight.ndim)
    images, channels, *lengths = form.shape
    kernel = weight.shape[2:]
    if channels != weight.shape[0]:
        form.trace.refuse(f"its kernels take {weight.shape[0]} channels; {channels} came.")
    each_axis = zip(lengths, how.stride, how.before, how.after, how.dilation, kernel, extra, strict=True)
    out = [(n - 1) * s - b - a + d * (k - 1) + 1 + e for n, s, b, a, d, k, e in each_axis]
    form.trace.room(float(images) * weight.size * math.prod(lengths) + math.prod(out) * weight.shape[1] * groups)
    index = [
        s * np.arange(n)[:, None] - b + d * np.arange(k)
        for n, s, b, d, k in zip(lengths, how.stride, how.before, how.dilation, kernel, strict=True)
    ]
    axes = [
        Axis(np.where((i >= 0) & (i < m), i, -1), np.ones(len(i), dtype=int)) for i, m in zip(index, out, strict=True)
    ]
    window = together(axes, out)  # (inputs, taps) -> place in the output
    # The kernels, seen from the output: a "convolution" from O to C channels whose matrix is transposed.
    each = csr_array(_kernel_matrix(weight, window, math.prod(out), groups).T)
    return _for_each_image(each, form, bias, (weight.shape[1] * groups, *out))


def _kernel_matrix(weight: np.ndarray, window: np.ndarray, inputs: int, groups: int) -> csr_array:
    """(O windows, C inputs): row (o, p) holds weight[o, c, t] in column (group's channel c, window[p, t])."""
    outputs, channels = weight.shape[:2]
    positions, taps = np.nonzero(window >= 0)
    places = window[positions, taps]
    flat = np.asarray(weight, dtype=np.float64).reshape(outputs, channels, -1)
    first = (np.arange(outputs) // (outputs // groups)) * channels
    shape = (outputs, channels, len(places))
    rows = np.broadcast_to(np.arange(outputs)[:, None, None] * len(window) + positions, shape)
    columns = np.broadcast_to((first[:, None, None] + np.arange(channels)[:, None]) * inputs + places, shape)
    data = flat[:, :, taps]
    size = (outputs * len(window), channels * groups * inputs)
    return csr_array((data.reshape(-1), (rows.reshape(-1), columns.reshape(-1))), shape=size)


def _batched(form: Form, axes: int) -> Form:
    return form.reshape(1, *form.shape) if len(form.shape) == axes - 1 else form


def _for_each_image(matrix: csr_array, form: Form, bias: np.ndarray | None, shape: tuple[int, ...]) -> Form:
    """The same map for each of the images of a batch; the bias has one number a channel."""
    images = form.shape[0]
    offset = None
    if bias is not None:
        offset = np.tile(np.repeat(np.asarray(bias, dtype=np.float64), math.prod(shape[1:])), images)
    if images != 1:
        from scipy.sparse import block_diag

        matrix = csr_array(block_diag([matrix] * images, format="csr"))
    return transform(matrix, form, offset, (images, *shape))


def average(form: Form, axes: Sequence[Axis], divisors: np.ndarray | float | None) -> Form:
    """Means over windows of the last axes: sums divided by `divisors` (by how many entries are met, if None)."""
    lengths = form.shape[len(form.shape) - len(axes) :]
    window = together(axes, lengths)
    found = (window >= 0).sum(1).astype(np.float64)
    by = found if divisors is None else np.broadcast_to(divisors, found.shape)
    positions, taps = np.nonzero(window >= 0)
    data = 1.0 / by[positions]
    leading = math.prod(form.shape[: len(form.shape) - len(axes)])
    form.trace.room(float(leading) * len(positions))
    start = np.concatenate(([0], np.cumsum(found.astype(np.int64))))
    one = csr_array((data, window[positions, taps], start), shape=(len(window), math.prod(lengths)))
    outer = np.arange(leading)[:, None]
    columns = (outer * math.prod(lengths) + one.indices).reshape(-1)
    starts = np.concatenate(([0], np.cumsum(np.tile(np.diff(one.indptr), leading))))
    matrix = csr_array((np.tile(data, leading), columns, starts), shape=(leading * len(window), form.size))
    form.trace.exact(bool((np.frexp(by)[0] == 0.5).all()))
    shape = (*form.shape[: len(form.shape) - len(axes)], *(len(axis.index) for axis in axes))
    return transform(matrix, form, None, shape)


def average_pool(form: Form, kernel: tuple[int, ...], how: Sliding, *, include: bool, divisor: float | None) -> Form:
    """Average pooling of the last len(kernel) axes; `include`: zeros of the padding count; `divisor` overrides."""
    axes = how.axes(form.shape[len(form.shape) - len(kernel) :], kernel)
    return average(form, axes, divisor if divisor is not None else window_sizes(axes) if include else None)


def total(form: Form, axes: Sequence[int] | None, *, keep: bool, mean: bool = False) -> Form:
    """Sums, or means, over some axes (all of them for None)."""
    count = len(form.shape)
    over = tuple(range(count)) if axes is None else tuple(sorted({int(a) % max(1, count) for a in axes}))
    rest = tuple(i for i in range(count) if i not in over)
    shape = tuple((1 if i in over else n) for i, n in enumerate(form.shape) if keep or i not in over)
    terms, outputs = math.prod(form.shape[i] for i in over), math.prod(form.shape[i] for i in rest)
    columns = form.places().transpose(*rest, *over).reshape(-1)
    data = np.full(len(columns), 1.0 / terms if mean and terms else 1.0)
    form.trace.exact(not mean or terms == 0 or math.frexp(terms)[0] == 0.5)
    matrix = csr_array((data, columns, np.arange(outputs + 1) * terms), shape=(outputs, form.size))
    return transform(matrix, form, None, shape)


def batch_norm(form: Form, gamma: Any, beta: Any, mean: np.ndarray, variance: np.ndarray, epsilon: float) -> Form:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, one of each for every channel (axis 1)."""
    variance = np.asarray(variance, dtype=np.float64) + epsilon
    if not (variance > 0).all():
        form.trace.refuse("a variance is not positive.")
    factor = (1.0 if gamma is None else np.asarray(gamma, dtype=np.float64)) / np.sqrt(variance)
    form.trace.exact(False)
    shape = (1, -1, *[1] * (len(form.shape) - 2))
    result = scale(
        add(form, form.trace.constant(-np.asarray(mean, dtype=np.float64).reshape(shape))), factor.reshape(shape)
    )
    return result if beta is None else add(result, form.trace.constant(np.asarray(beta).reshape(shape)))


def probed(form: Form, operation: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> Form:
    """Any affine operation of few numbers: it is asked for its matrix, column by column, in float64."""
    size, outputs = form.size, math.prod(shape)
    if size * outputs > _PROBED:
        form.trace.refuse(
            f"it maps {size:,} numbers to {outputs:,}; operations of its kind are read up to {_PROBED:,}."
        )
    offset = np.asarray(operation(np.zeros(form.shape)), dtype=np.float64).reshape(-1)
    matrix = np.zeros((outputs, size))
    for i in range(size):
        unit = np.zeros(size)
        unit[i] = 1.0
        matrix[:, i] = np.asarray(operation(unit.reshape(form.shape))).reshape(-1) - offset
    form.trace.exact(bool(np.isin(matrix, (-1.0, 0.0, 1.0)).all()) and not offset.any())
    return transform(csr_array(matrix), form, offset if offset.any() else None, shape)
