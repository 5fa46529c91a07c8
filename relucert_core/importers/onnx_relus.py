"""ONNX's operations that are made of ReLUs: ReLU and its kin, maxima, clamps, max pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relucert_core.importers import forms, relu_ops
from relucert_core.importers.forms import Form
from relucert_core.importers.onnx_node import Handler, Node, reduce, sliding
from relucert_core.importers.source import Refused


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
    how = sliding(n, n.form.shape[2:], kernel)
    result = relu_ops.max_pool(n.form, how.axes(n.form.shape[2:], kernel))
    return [result, Refused(n.trace.place, "the places of the maxima are used, which is no continuous function.")]


def _global_max(n: Node) -> Form:
    return relu_ops.maximum_over(n.form, range(2, len(n.form.shape)), keep=True)


RELUS: dict[str, Handler] = {
    "ReduceMax": lambda n: reduce(n, relu_ops.maximum_over),
    "ReduceMin": lambda n: reduce(n, relu_ops.minimum_over),
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
}
