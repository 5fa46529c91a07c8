"""One node of an ONNX graph: its inputs as forms or numbers, its attributes, its windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from relucert_core.importers.affine_ops import Sliding
from relucert_core.importers.forms import Form, Trace


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


Handler: TypeAlias = Callable[[Node], Any]


def sliding(n: Node, lengths: tuple[int, ...], kernel: tuple[int, ...]) -> Sliding:
    """How a window slides over axes of the given lengths, by the node's strides, pads, dilations and auto_pad."""
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


def reduce(n: Node, over: Callable[..., Form]) -> Form:
    """A reduction over the node's axes, by `over(form, axes, keep=...)`."""
    axes = n.integers("axes", 1)
    if not axes and n.attribute("noop_with_empty_axes", 0):
        return n.form
    return over(n.form, axes or None, keep=bool(n.attribute("keepdims", 1)))


def output_size(n: Node) -> float:
    """What Resize, GatherND and their kin will give, from their arguments."""
    if n.proto.op_type in ("Resize", "Upsample"):
        count, last = len(n.form.shape), n.inputs[-1]
        scales = n.attribute("scales")
        numbers = np.asarray(last if scales is None else scales, dtype=np.float64).reshape(-1)
        if n.proto.op_type == "Resize" and len(n.inputs) > 3 and n.inputs[3] is not None:
            return float(np.prod(numbers)) * math.prod(n.form.shape[: count - len(numbers)])
        return n.form.size * float(np.prod(numbers))
    return float(n.form.size) + float(np.size(n.input(1)) * max(1, n.form.size if n.proto.op_type == "GatherND" else 1))
