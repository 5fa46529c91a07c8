"""ONNX's operations on forms: one entry for each operation, for all opsets from 7."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from relucert_core.importers.forms import Trace
from relucert_core.importers.onnx_affine import AFFINE
from relucert_core.importers.onnx_moves import MOVES
from relucert_core.importers.onnx_node import Handler, Node
from relucert_core.importers.onnx_relus import RELUS
from relucert_core.importers.source import Dropped, Refused

_REMEDY = "Relucert reads affine operations, ReLUs, max pooling and what is made of them: replace it, and train again."


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


_HANDLERS: dict[str, Handler] = {
    **MOVES,
    **AFFINE,
    **RELUS,
    "Shape": _shape,
    "Size": lambda n: np.array(n.form.size, dtype=np.int64),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Sigmoid": lambda n: Dropped("sigmoid", n.trace.place, n.form, None),
}
