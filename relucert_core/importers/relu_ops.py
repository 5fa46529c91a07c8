"""Piecewise linear operations as sums of ReLUs, by identities that hold for all real numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from relucert_core.cards import POOLED
from relucert_core.importers.forms import Form, add, broadcast, carried, joined, moved, negative, picked, relu, scale
from relucert_core.importers.rows import exact_sum
from relucert_core.importers.windows import Axis

_FLOAT32_END = float(np.finfo(np.float32).max)


def maximum(first: Form, second: Form) -> Form:
    """max(a, b) = b + relu(a - b); b is carried."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    first, second = broadcast(first, shape), broadcast(second, shape)
    return add(carried(second), relu(add(first, negative(second))))


def minimum(first: Form, second: Form) -> Form:
    """min(a, b) = -max(-a, -b)."""
    return negative(maximum(negative(first), negative(second)))


def absolute(form: Form) -> Form:
    """|x| = 2 relu(x) - x."""
    return add(scale(relu(form), 2.0), negative(carried(form)))


def clamp(form: Form, low: Any = None, high: Any = None) -> Form:
    """min(max(x, low), high) = low + relu(x - low) - relu(x - high); bounds are numbers, broadcast, or None."""
    trace = form.trace
    low, high = _bound(low, -math.inf), _bound(high, math.inf)
    if low is None:
        return form if high is None else minimum_of(form, high)
    if high is None:
        return add(relu(add(form, trace.constant(-low))), trace.constant(low))
    low = np.minimum(low, high)  # where they cross, the upper bound wins
    result = add(relu(add(form, trace.constant(-low))), trace.constant(low))
    return add(result, negative(relu(add(form, trace.constant(-high)))))


def minimum_of(form: Form, high: np.ndarray) -> Form:
    """min(x, high) = high - relu(high - x) for numbers `high`."""
    trace = form.trace
    return add(negative(relu(add(negative(form), trace.constant(high)))), trace.constant(high))


def _bound(value: Any, absent: float) -> np.ndarray | None:
    """The bound, or None where it is infinite or the end of float32's range, which exporters write for "none"."""
    array = None if value is None else np.asarray(value, dtype=np.float64)
    if array is None or bool((array * math.copysign(1.0, absent) >= _FLOAT32_END).all()):
        return None
    return array


def leaky(form: Form, slope: Any) -> Form:
    """x for x > 0, slope x else: slope x + (1 - slope) relu(x); slopes are numbers, broadcast."""
    slope = np.asarray(slope, dtype=np.float64)
    if (slope == 0).all():
        return relu(form)
    rest = 1.0 - slope
    form.trace.exact(exact_sum(1.0, -slope))
    return add(scale(carried(form), slope), scale(relu(form), rest))


def soft_shrink(form: Form, distance: float) -> Form:
    """x - d for x > d, x + d for x < -d, 0 between: relu(x - d) - relu(-x - d)."""
    shift = form.trace.constant(-distance)
    return add(relu(add(form, shift)), negative(relu(add(negative(form), shift))))


def maximum_over(form: Form, axes: Sequence[int] | None, *, keep: bool) -> Form:
    """The largest entry over some axes (all of them for None)."""
    count = len(form.shape)
    over = tuple(range(count)) if axes is None else tuple(sorted({int(a) % max(1, count) for a in axes}))
    rest = tuple(i for i in range(count) if i not in over)
    if math.prod(form.shape[i] for i in over) == 0:
        form.trace.refuse("it takes the largest of no numbers.")
    index = form.places().transpose(*rest, *over).reshape(math.prod(form.shape[i] for i in rest), -1)
    shape = tuple((1 if i in over else n) for i, n in enumerate(form.shape) if keep or i not in over)
    return largest(form, index).reshape(*shape)


def minimum_over(form: Form, axes: Sequence[int] | None, *, keep: bool) -> Form:
    """The smallest entry over some axes."""
    return negative(maximum_over(negative(form), axes, keep=keep))


def max_pool(form: Form, axes: Sequence[Axis]) -> Form:
    """The largest entry of each window of the last axes, one axis after the other."""
    first = len(form.shape) - len(axes)
    if POOLED not in form.trace.notes:
        form.trace.notes.append(POOLED)
    for place, axis in enumerate(axes, start=first):
        if (axis.index < 0).all(1).any():
            form.trace.refuse("a pooling window lies wholly in the padding, where its maximum is minus infinity.")
        form = _pool_one(form, place, axis.index)
    return form


def _pool_one(form: Form, place: int, windows: np.ndarray) -> Form:
    places = np.moveaxis(form.places(), place, -1)
    index = np.where(windows < 0, -1, places[..., windows])  # (..., out, taps)
    shape = index.shape[:-1]
    pooled = largest(form, index.reshape(-1, windows.shape[1])).reshape(*shape)
    return moved(lambda found: np.moveaxis(found, -1, place), pooled)


def largest(form: Form, index: np.ndarray) -> Form:
    """(n,): for each row of `index` (n, taps) the largest of the form's entries at those positions; -1 is skipped."""
    form.trace.room(float(index.size))
    while index.shape[1] > 1:
        left, right = index[:, 0::2], index[:, 1::2]
        last = None
        if left.shape[1] > right.shape[1]:
            left, last = left[:, :-1], left[:, -1:]
        both = (left >= 0) & (right >= 0) & (left != right)
        pairs, where = np.unique(np.stack([left[both], right[both]]), axis=1, return_inverse=True)
        winners = np.where(left >= 0, left, right)
        if both.any():
            made = maximum(picked(form, pairs[0]), picked(form, pairs[1]))
            winners[both] = form.size + np.reshape(where, -1)
            form = joined([form.reshape(form.size), made])
        index = winners if last is None else np.concatenate([winners, last], axis=1)
    return picked(form, index[:, 0])
