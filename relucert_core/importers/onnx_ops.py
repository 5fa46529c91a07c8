"""ONNX's operations on forms: one entry for each operation, for all opsets from 7."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from relucert_core.importers import affine_ops as affine
from relucert_core.importers import forms, relu_ops
from relucert_core.importers.affine_ops import Sliding
from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.onnx_fold import evaluate
from relucert_core.importers.source import Dropped

_REMEDY = "Relucert reads affine operations, ReLUs, max pooling and what is made of them: replace it, and train again."


@dataclass(frozen=True)
class Refused:
    """A value that nobody may use, such as the places of a maximum; it is refused where it is used."""

    place: str
    reason: str


@dataclass(frozen=True)
class Node:
    """One node: its inputs (forms, numbers, None where left out), attributes, opset, and the walk's trace."""

    proto: Any
    inputs: list[Any]
    opset: int
    trace: Trace

    def attribute(self, name: str, default: Any = None) -> Any:
        """The attribute, or `default`; text as str, tensors as they are."""
        from onnx import helper

        for attribute in self.proto.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode("utf8", "replace") if isinstance(value, bytes) else value
        return default

    def number(self, name: str, default: float) -> float:
        """A float attribute; a file holds them, and ONNX its defaults, in single precision."""
        return float(np.float32(self.attribute(name, default)))

    def input(self, place: int) -> Any:
        """An input, or None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    @property
    def form(self) -> Form:
        """The first input as a form."""
        return self.as_form(0)

    def as_form(self, place: int) -> Form:
        """An input as a form, numbers too."""
        value = self.input(place)
        if value is None:
            self.trace.refuse(f"its input {place + 1} is missing.")
        return value if isinstance(value, Form) else self.trace.constant(value)

    def numbers(self, place: int, what: str, default: Any = None) -> Any:
        """An input that must be numbers."""
        value = self.input(place)
        if isinstance(value, Form):
            self.trace.refuse(f"its {what} depends on the network's input.")
        return default if value is None else value

    def integers(self, name: str, place: int) -> list[int] | None:
        """Whole numbers, from the attribute of that name in older opsets, else from an input."""
        value = self.attribute(name)
        if value is None:
            value = self.numbers(place, name)
        return None if value is None else [int(n) for n in np.asarray(value).reshape(-1)]


def call(proto: Any, inputs: list[Any], opset: int, trace: Trace) -> list[Any]:
    """The outputs of a node some of whose inputs depend on the network's input."""
    name = proto.op_type
    for value in inputs:
        if isinstance(value, Refused):
            trace.place = value.place
            trace.refuse(value.reason)
        if isinstance(value, Dropped):
            return _after_last_step(name, value, trace)
    handler = _HANDLERS.get(name)
    if handler is None:
        trace.refuse(f"the operation {name[:60]} is neither affine nor made of ReLUs; {_REMEDY}")
    result = handler(Node(proto, inputs, opset, trace))
    return result if isinstance(result, list) else [result]


def _after_last_step(name: str, value: Dropped, trace: Trace) -> list[Any]:
    if name in ("Identity", "Cast", "Squeeze", "Reshape", "Flatten", "Dropout"):
        return [value]
    if name == "Log" and value.operation == "softmax":
        return [Dropped("log-softmax", value.place, value.scores, value.axis)]
    trace.place = value.place
    trace.refuse(f"{value.operation} is read at the very end only; {_REMEDY}")


# ---- entries that only move


def _reshape(n: Node) -> Form:
    shape = n.integers("shape", 1) or []
    if not n.attribute("allowzero", 0):
        shape = [n.form.shape[i] if length == 0 and i < len(n.form.shape) else length for i, length in enumerate(shape)]
    return n.form.reshape(*shape)


def _flatten(n: Node) -> Form:
    axis = n.attribute("axis", 1)
    axis = axis + len(n.form.shape) if axis < 0 else axis
    return n.form.reshape(math.prod(n.form.shape[:axis]), math.prod(n.form.shape[axis:]))


def _squeeze(n: Node) -> Form:
    axes = n.integers("axes", 1)
    count = len(n.form.shape)
    gone = {i for i, length in enumerate(n.form.shape) if length == 1} if axes is None else {a % count for a in axes}
    if any(n.form.shape[i] != 1 for i in gone):
        n.trace.refuse("it squeezes an axis whose length is not 1.")
    return n.form.reshape(*(length for i, length in enumerate(n.form.shape) if i not in gone))


def _unsqueeze(n: Node) -> Form:
    axes = n.integers("axes", 1) or []
    return forms.moved(lambda places: np.expand_dims(places, tuple(axes)), n.form)


def _transpose(n: Node) -> Form:
    order = n.attribute("perm")
    return forms.moved(lambda places: np.transpose(places, order), n.form)


def _concat(n: Node) -> Form:
    parts = [n.as_form(i) for i in range(len(n.inputs))]
    axis = n.attribute("axis", 1)
    return forms.moved(lambda *places: np.concatenate(places, axis), *parts)


def _split(n: Node) -> list[Form]:
    axis, sizes = n.attribute("axis", 0), n.integers("split", 1)
    length, parts = n.form.shape[axis], len(n.proto.output)
    if sizes is None:
        each = -(-length // parts)
        sizes = [min(each, max(0, length - i * each)) for i in range(parts)]
    stops = np.cumsum(sizes)[:-1]
    pieces = np.split(n.form.places(), stops, axis)
    return [forms.picked(n.form, piece) for piece in pieces]


def _slice(n: Node) -> Form:
    starts, ends = n.integers("starts", 1) or [], n.integers("ends", 2) or []
    axes, steps = n.integers("axes", 3) or list(range(len(starts))), n.integers("steps", 4) or [1] * len(starts)
    cut = [slice(None)] * len(n.form.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        beyond = step < 0 and end < -n.form.shape[axis]
        cut[axis] = slice(start, None if beyond else end, step)
    return forms.moved(lambda places: places[tuple(cut)], n.form)


def _gather(n: Node) -> Form:
    index, axis = np.asarray(n.numbers(1, "index")), n.attribute("axis", 0)
    n.trace.room(n.form.size / max(1, n.form.shape[axis]) * index.size)
    return forms.moved(lambda places: np.take(places, index, axis), n.form)


def _move_by_reference(n: Node) -> Form:
    """Operations that only pick entries, done by onnx.reference on the positions."""
    others = [n.numbers(i, "second input") for i in range(1, len(n.inputs))]
    n.trace.room(_output_size(n))
    found = evaluate(n.proto, [n.form.places().astype(np.float64) + 1.0, *others], n.opset)[0]
    return forms.picked(n.form, np.rint(found).astype(np.int64) - 1)


def _output_size(n: Node) -> float:
    """What Resize, GatherND and their kin will give, from their arguments."""
    if n.proto.op_type in ("Resize", "Upsample"):
        count, last = len(n.form.shape), n.inputs[-1]
        scales = n.attribute("scales")
        numbers = np.asarray(last if scales is None else scales, dtype=np.float64).reshape(-1)
        if n.proto.op_type == "Resize" and len(n.inputs) > 3 and n.inputs[3] is not None:
            return float(np.prod(numbers)) * math.prod(n.form.shape[: count - len(numbers)])
        return n.form.size * float(np.prod(numbers))
    return float(n.form.size) + float(np.size(n.input(1)) * max(1, n.form.size if n.proto.op_type == "GatherND" else 1))


def _expand(n: Node) -> Form:
    return forms.broadcast(n.form, np.broadcast_shapes(n.form.shape, tuple(n.integers("shape", 1) or [])))


def _tile(n: Node) -> Form:
    repeats = n.integers("repeats", 1) or []
    n.trace.room(n.form.size * float(math.prod(repeats)))
    return forms.moved(lambda places: np.tile(places, repeats), n.form)


def _pad(n: Node) -> Form:
    pads, mode = n.integers("pads", 1) or [], n.attribute("mode", "constant")
    value = n.attribute("value", 0.0) if n.opset < 11 else n.numbers(2, "value", 0.0)
    count = len(n.form.shape)
    axes = [a % count for a in (n.integers("axes", 3) or range(count))] if n.opset >= 18 else list(range(count))
    width = [(0, 0)] * count
    for i, axis in enumerate(axes):
        width[axis] = (pads[i], pads[i + len(axes)])
    n.trace.room(float(math.prod(max(0, length + a + b) for length, (a, b) in zip(n.form.shape, width, strict=True))))
    cut = tuple(slice(max(0, -a), length - max(0, -b)) for length, (a, b) in zip(n.form.shape, width, strict=True))
    grown = [(max(0, a), max(0, b)) for a, b in width]
    how = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}.get(mode)
    if how is None:
        n.trace.refuse(f"the padding mode {mode[:40]!r} is not read.")
    places = n.form.places()[cut]
    index = np.pad(places, grown, how, **({"constant_values": -1} if how == "constant" else {}))  # type: ignore[call-overload]
    found = forms.picked(n.form, index)
    fill = float(np.asarray(value).reshape(-1)[0])
    if how != "constant" or fill == 0:
        return found
    return Form(found.shape, found.terms, np.where(index.reshape(-1) < 0, fill, found.bias), n.trace)


def _depth_to_space(n: Node) -> Form:
    return _move_by_reference(n)


def _cast(n: Node) -> Form:
    from relucert_core.importers.onnx_data import is_float

    if n.proto.op_type == "Cast" and not is_float(int(n.attribute("to", 0))):
        n.trace.refuse("it casts a value that depends on the input to whole numbers, which is no affine operation.")
    return n.form


# ---- affine


def _add(n: Node) -> Form:
    return forms.add(n.as_form(0), n.as_form(1))


def _sub(n: Node) -> Form:
    return forms.add(n.as_form(0), forms.negative(n.as_form(1)))


def _mul(n: Node) -> Form:
    first, second = n.input(0), n.input(1)
    if isinstance(first, Form) and isinstance(second, Form):
        n.trace.refuse("it multiplies two values that both depend on the input, which is no affine operation.")
    return forms.scale(first, second) if isinstance(first, Form) else forms.scale(second, first)


def _div(n: Node) -> Form:
    return forms.scale(n.form, n.numbers(1, "divisor"), divide=True)


def _sum(n: Node) -> Form:
    total = n.as_form(0)
    for i in range(1, len(n.inputs)):
        total = forms.add(total, n.as_form(i))
    return total if n.proto.op_type == "Sum" else forms.scale(total, float(len(n.inputs)), divide=True)


def _matmul(n: Node) -> Form:
    return affine.matmul(n.input(0), n.input(1))


def _gemm(n: Node) -> Form:
    alpha, beta = n.number("alpha", 1.0), n.number("beta", 1.0)
    first, second = n.input(0), n.input(1)
    if isinstance(first, Form) and not isinstance(second, Form) and not n.attribute("transA", 0) and alpha == 1:
        weight = np.asarray(second) if n.attribute("transB", 0) else np.asarray(second).T
        offset = n.input(2)
        plain = (
            offset is not None and not isinstance(offset, Form) and beta == 1 and np.shape(offset) == weight.shape[:1]
        )
        product = affine.linear(first, weight, np.asarray(offset) if plain else None)
        if plain or offset is None:
            return product
    else:
        sides = [_turned(v) if n.attribute(key, 0) else v for v, key in ((first, "transA"), (second, "transB"))]
        product = affine.matmul(*sides)
        product = product if alpha == 1 else forms.scale(product, alpha)
    if n.input(2) is None:
        return product
    return forms.add(product, n.as_form(2) if beta == 1 else forms.scale(n.as_form(2), beta))


def _turned(value: Any) -> Any:
    return forms.moved(lambda places: places.T, value) if isinstance(value, Form) else np.asarray(value).T


def _how(n: Node, lengths: tuple[int, ...], kernel: tuple[int, ...]) -> Sliding:
    count = len(kernel)
    stride = tuple(n.attribute("strides") or [1] * count)
    dilation = tuple(n.attribute("dilations") or [1] * count)
    if any(s < 1 for s in (*stride, *dilation, *kernel)):
        n.trace.refuse("a stride, dilation or kernel is not positive.")
    mode = n.attribute("auto_pad", "NOTSET")
    pads = list(n.attribute("pads") or [0] * (2 * count))
    before, after = tuple(pads[:count]), tuple(pads[count:])
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        each = zip(lengths, kernel, stride, dilation, strict=True)
        totals = [max(0, (-(-length // s) - 1) * s + d * (k - 1) + 1 - length) for length, k, s, d in each]
        small = tuple(t // 2 for t in totals)
        large = tuple(t - t // 2 for t in totals)
        before, after = (small, large) if mode == "SAME_UPPER" else (large, small)
    elif mode == "VALID":
        before = after = (0,) * count
    return Sliding(stride, before, after, dilation, bool(n.attribute("ceil_mode", 0)))


def _conv(n: Node) -> Form:
    weight, bias = np.asarray(n.numbers(1, "kernel")), n.numbers(2, "bias")
    if not isinstance(n.input(0), Form):
        n.trace.refuse("its kernel depends on the input.")
    how = _how(n, n.form.shape[2:], weight.shape[2:])
    return affine.convolution(n.form, weight, bias, how, int(n.attribute("group", 1)))


def _conv_transpose(n: Node) -> Form:
    weight, bias = np.asarray(n.numbers(1, "kernel")), n.numbers(2, "bias")
    count, lengths = weight.ndim - 2, n.form.shape[2:]
    how = _how(n, lengths, weight.shape[2:])
    extra = tuple(n.attribute("output_padding") or [0] * count)
    wanted, mode = n.attribute("output_shape"), n.attribute("auto_pad", "NOTSET")
    if wanted is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [length * s for length, s in zip(lengths, how.stride, strict=True)]
    if wanted is not None:
        each = zip(lengths, how.stride, extra, how.dilation, weight.shape[2:], wanted[-count:], strict=True)
        totals = [s * (length - 1) + e + d * (k - 1) + 1 - out for length, s, e, d, k, out in each]
        small, large = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
        before, after = (small, large) if mode == "SAME_UPPER" else (large, small)
        how = Sliding(how.stride, before, after, how.dilation)
    return affine.transposed_convolution(n.form, weight, bias, how, extra=extra, groups=int(n.attribute("group", 1)))


def _average_pool(n: Node) -> Form:
    kernel = tuple(n.attribute("kernel_shape"))
    how = _how(n, n.form.shape[2:], kernel)
    return affine.average_pool(n.form, kernel, how, include=bool(n.attribute("count_include_pad", 0)), divisor=None)


def _global_average(n: Node) -> Form:
    return affine.total(n.form, range(2, len(n.form.shape)), keep=True, mean=True)


def _reduce(n: Node, over: Callable[..., Form]) -> Form:
    axes = n.integers("axes", 1)
    if not axes and n.attribute("noop_with_empty_axes", 0):
        return n.form
    return over(n.form, axes or None, keep=bool(n.attribute("keepdims", 1)))


def _batch_norm(n: Node) -> list[Any]:
    if n.attribute("training_mode", 0):
        n.trace.refuse("it normalises by the batch: export the network in evaluation.")
    gamma, beta, mean, variance = (np.asarray(n.numbers(i, "statistics")) for i in range(1, 5))
    return [affine.batch_norm(n.form, gamma, beta, mean, variance, n.number("epsilon", 1e-5))]


def _probed(n: Node) -> Form:
    places = [i for i, value in enumerate(n.inputs) if isinstance(value, Form)]
    if len(places) != 1:
        n.trace.refuse("it joins two values that both depend on the input.")
    n.trace.room(
        _output_size(n) if n.proto.op_type in ("Resize", "Upsample") else n.form.size if places == [0] else 1.0
    )
    form = n.inputs[places[0]]

    def run(values: np.ndarray) -> np.ndarray:
        given = [values if i == places[0] else value for i, value in enumerate(n.inputs)]
        return np.asarray(evaluate(n.proto, given, n.opset)[0])

    return affine.probed(form, run, run(np.zeros(form.shape)).shape)


def _resize(n: Node) -> Form:
    mode = n.attribute("mode", "nearest")
    if mode == "nearest" and n.attribute("coordinate_transformation_mode", "") != "tf_crop_and_resize":
        return _move_by_reference(n)
    if mode not in ("linear", "cubic", "bilinear"):
        n.trace.refuse(f"the mode {mode[:40]!r} is not read.")
    return _probed(n)


# ---- ReLUs


def _fold_pairs(n: Node, operation: Callable[[Form, Form], Form]) -> Form:
    result = n.as_form(0)
    for i in range(1, len(n.inputs)):
        result = operation(result, n.as_form(i))
    return result


def _clip(n: Node) -> Form:
    low = n.attribute("min") if n.opset < 11 else n.input(1)
    high = n.attribute("max") if n.opset < 11 else n.input(2)
    if isinstance(low, Form) or isinstance(high, Form):
        n.trace.refuse("its bounds depend on the input.")
    return relu_ops.clamp(n.form, low, high)


def _prelu(n: Node) -> Form:
    return relu_ops.leaky(n.form, n.numbers(1, "slope"))


def _hard_sigmoid(n: Node) -> Form:
    scaled = forms.scale(n.form, n.number("alpha", 0.2))
    return relu_ops.clamp(forms.add(scaled, n.trace.constant(n.number("beta", 0.5))), 0.0, 1.0)


def _shrink(n: Node) -> Form:
    edge, bias = n.number("lambd", 0.5), n.number("bias", 0.0)
    if edge != bias:
        n.trace.refuse("it jumps at its edge (bias is not lambd): it is no continuous function.")
    return relu_ops.soft_shrink(n.form, edge)


def _max_pool(n: Node) -> list[Any]:
    kernel = tuple(n.attribute("kernel_shape"))
    how = _how(n, n.form.shape[2:], kernel)
    result = relu_ops.max_pool(n.form, how.axes(n.form.shape[2:], kernel))
    return [result, Refused(n.trace.place, "the places of the maxima are used, which is no continuous function.")]


def _global_max(n: Node) -> Form:
    return relu_ops.maximum_over(n.form, range(2, len(n.form.shape)), keep=True)


# ---- last steps


def _softmax(n: Node) -> Dropped:
    axis = n.attribute("axis", 1 if n.opset < 13 else -1)
    name = "softmax" if n.proto.op_type == "Softmax" else "log-softmax"
    count = len(n.form.shape)
    if n.opset < 13:
        flat = n.form.reshape(math.prod(n.form.shape[: axis % count]), -1)
        return Dropped(name, n.trace.place, flat, 1)
    return Dropped(name, n.trace.place, n.form, axis % count)


def _shape(n: Node) -> np.ndarray:
    shape = np.array(n.form.shape, dtype=np.int64)
    return shape[n.attribute("start", 0) : n.attribute("end", len(shape))]


_HANDLERS: dict[str, Callable[[Node], Any]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    **dict.fromkeys(("GatherElements", "GatherND", "DepthToSpace", "SpaceToDepth", "Trilu"), _move_by_reference),
    "Expand": _expand,
    "Tile": _tile,
    "Pad": _pad,
    "Identity": lambda n: n.form,
    "Dropout": lambda n: [n.form, Refused(n.trace.place, "the mask of a dropout is used.")],
    "Cast": _cast,
    "CastLike": _cast,
    "Shape": _shape,
    "Size": lambda n: np.array(n.form.size, dtype=np.int64),
    "Add": _add,
    "Sub": _sub,
    "Mul": _mul,
    "Div": _div,
    "Neg": lambda n: forms.negative(n.form),
    "Sum": _sum,
    "Mean": _sum,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average,
    "ReduceSum": lambda n: _reduce(n, affine.total),
    "ReduceMean": lambda n: _reduce(n, lambda form, axes, keep: affine.total(form, axes, keep=keep, mean=True)),
    "ReduceMax": lambda n: _reduce(n, relu_ops.maximum_over),
    "ReduceMin": lambda n: _reduce(n, relu_ops.minimum_over),
    "BatchNormalization": _batch_norm,
    "Einsum": _probed,
    "CumSum": _probed,
    "Resize": _resize,
    "Upsample": _resize,
    "Relu": lambda n: forms.relu(n.form),
    "LeakyRelu": lambda n: relu_ops.leaky(n.form, n.number("alpha", 0.01)),
    "PRelu": _prelu,
    "Clip": _clip,
    "Abs": lambda n: relu_ops.absolute(n.form),
    "Max": lambda n: _fold_pairs(n, relu_ops.maximum),
    "Min": lambda n: _fold_pairs(n, relu_ops.minimum),
    "HardSigmoid": _hard_sigmoid,
    "Shrink": _shrink,
    "MaxPool": _max_pool,
    "GlobalMaxPool": _global_max,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Sigmoid": lambda n: Dropped("sigmoid", n.trace.place, n.form, None),
}
