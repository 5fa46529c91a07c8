"""ONNX's affine operations: arithmetic, products, convolutions, normalisation, averages, resizing."""

from __future__ import annotations

from typing import Any

import numpy as np

from relucert_core.importers import affine_ops as affine
from relucert_core.importers import forms
from relucert_core.importers.affine_ops import Sliding
from relucert_core.importers.forms import Form
from relucert_core.importers.onnx_fold import evaluate
from relucert_core.importers.onnx_moves import move_by_reference
from relucert_core.importers.onnx_node import Handler, Node, output_size, reduce, sliding


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


def _conv(n: Node) -> Form:
    weight, bias = np.asarray(n.numbers(1, "kernel")), n.numbers(2, "bias")
    if not isinstance(n.input(0), Form):
        n.trace.refuse("its kernel depends on the input.")
    how = sliding(n, n.form.shape[2:], weight.shape[2:])
    return affine.convolution(n.form, weight, bias, how, int(n.attribute("group", 1)))


def _conv_transpose(n: Node) -> Form:
    weight, bias = np.asarray(n.numbers(1, "kernel")), n.numbers(2, "bias")
    count, lengths = weight.ndim - 2, n.form.shape[2:]
    how = sliding(n, lengths, weight.shape[2:])
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
    how = sliding(n, n.form.shape[2:], kernel)
    return affine.average_pool(n.form, kernel, how, include=bool(n.attribute("count_include_pad", 0)), divisor=None)


def _global_average(n: Node) -> Form:
    return affine.total(n.form, range(2, len(n.form.shape)), keep=True, mean=True)


def _batch_norm(n: Node) -> list[Any]:
    if n.attribute("training_mode", 0):
        n.trace.refuse("it normalises by the batch: export the network in evaluation.")
    gamma, beta, mean, variance = (np.asarray(n.numbers(i, "statistics")) for i in range(1, 5))
    return [affine.batch_norm(n.form, gamma, beta, mean, variance, n.number("epsilon", 1e-5))]


def _probed(n: Node) -> Form:
    places = [i for i, value in enumerate(n.inputs) if isinstance(value, Form)]
    if len(places) != 1:
        n.trace.refuse("it joins two values that both depend on the input.")
    n.trace.room(output_size(n) if n.proto.op_type in ("Resize", "Upsample") else n.form.size if places == [0] else 1.0)
    form = n.inputs[places[0]]

    def run(values: np.ndarray) -> np.ndarray:
        given = [values if i == places[0] else value for i, value in enumerate(n.inputs)]
        return np.asarray(evaluate(n.proto, given, n.opset)[0])

    return affine.probed(form, run, run(np.zeros(form.shape)).shape)


def _resize(n: Node) -> Form:
    mode = n.attribute("mode", "nearest")
    if mode == "nearest" and n.attribute("coordinate_transformation_mode", "") != "tf_crop_and_resize":
        return move_by_reference(n)
    if mode not in ("linear", "cubic", "bilinear"):
        n.trace.refuse(f"the mode {mode[:40]!r} is not read.")
    return _probed(n)


AFFINE: dict[str, Handler] = {
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
    "ReduceSum": lambda n: reduce(n, affine.total),
    "ReduceMean": lambda n: reduce(n, lambda form, axes, keep: affine.total(form, axes, keep=keep, mean=True)),
    "BatchNormalization": _batch_norm,
    "Einsum": _probed,
    "CumSum": _probed,
    "Resize": _resize,
    "Upsample": _resize,
}
