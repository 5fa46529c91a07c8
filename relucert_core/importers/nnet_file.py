"""`.nnet` text files (ACAS Xu and its kin): layers, the clipping and normalisation of inputs, the scale of outputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.importers import forms, relu_ops
from relucert_core.importers.affine_ops import linear
from relucert_core.importers.forms import Trace
from relucert_core.importers.source import Source


def read_nnet(data: bytes, trace: Trace) -> Source:
    """The scores of a `.nnet` file as forms. Raises InvalidInput, naming the line, for what does not fit the format."""
    lines = _lines(data)
    count, inputs, outputs, *_ = _whole(next(lines, None), 3, "the numbers of layers, inputs and outputs")
    sizes = _whole(next(lines, None), count + 1, "the sizes of the layers")
    if sizes[0] != inputs or sizes[count] != outputs or min(sizes[: count + 1]) < 1:
        raise InvalidInput("The .nnet file's list of layer sizes does not begin and end with its inputs and outputs.")
    trace.room(float(sum(a * b for a, b in itertools.pairwise(sizes))), "the file")
    next(lines, None)  # a flag that nothing uses any more
    low = _numbers(next(lines, None), inputs, "the smallest inputs")
    high = _numbers(next(lines, None), inputs, "the largest inputs")
    means = _numbers(next(lines, None), inputs + 1, "the means")
    ranges = _numbers(next(lines, None), inputs + 1, "the ranges")
    if not ranges.all() or (low > high).any():
        raise InvalidInput("The .nnet file's ranges hold a 0, or a smallest input exceeds the largest.")
    trace.place, trace.operation = "the clipping of inputs", "clipping"
    values = relu_ops.clamp(trace.input((inputs,)), low, high)
    trace.place, trace.operation = "the normalisation of inputs", "normalisation"
    values = forms.scale(forms.add(values, trace.constant(-means[:-1])), ranges[:-1], divide=True)
    for i in range(count):
        trace.place, trace.operation = f"layer {i + 1}", "linear"
        weight = np.stack([_numbers(next(lines, None), sizes[i], f"layer {i + 1}") for _ in range(sizes[i + 1])])
        bias = np.concatenate([_numbers(next(lines, None), 1, f"layer {i + 1}") for _ in range(sizes[i + 1])])
        values = linear(values, weight, bias)
        values = forms.relu(values) if i < count - 1 else values
    trace.place, trace.operation = "the scale of outputs", "scale of outputs"
    values = forms.add(forms.scale(values, ranges[-1]), trace.constant(means[-1]))
    return Source((inputs,), values, None)


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidInput("This is not a .nnet file: it holds bytes that are no plain text.") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("//"):
            yield number, [part.strip() for part in line.strip().rstrip(",").split(",")]


def _numbers(line: tuple[int, list[str]] | None, count: int, what: str, *, more: bool = False) -> np.ndarray:
    if line is None:
        raise InvalidInput(f"The .nnet file ends before {what}.")
    number, parts = line
    try:
        values = np.array([float(part) for part in parts[:count]])
    except ValueError:
        values = np.array([math.nan])
    fits = len(parts) >= count if more else len(parts) == count
    if not fits or not np.isfinite(values).all():
        raise InvalidInput(f"Line {number} of the .nnet file should hold {count} finite numbers: {what}.")
    return values


def _whole(line: tuple[int, list[str]] | None, count: int, what: str) -> list[int]:
    values = _numbers(line, count, what, more=True)
    if (values != np.rint(values)).any() or (values < 1).any() or (values > 1e8).any():
        raise InvalidInput(f"The .nnet file should give whole numbers above 0 for {what}.")
    return [int(v) for v in values]
