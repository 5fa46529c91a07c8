"""Parts of an ONNX graph that do not depend on the input: computed once, after counting what they will hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relucert_core.importers.forms import Trace

Arrays = Sequence[Any]

_ELEMENTWISE = [
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Min",
    "Max",
    "Mod",
    "Equal",
    "Less",
    "LessOrEqual",
    "Greater",
    "GreaterOrEqual",
    "And",
    "Or",
    "Xor",
    "Where",
    "Sum",
    "Mean",
    "PRelu",
    "BitShift",
]
_SAME_SIZE = [
    "Neg",
    "Abs",
    "Sqrt",
    "Exp",
    "Log",
    "Floor",
    "Ceil",
    "Round",
    "Reciprocal",
    "Relu",
    "Sigmoid",
    "Tanh",
    "Erf",
    "Cast",
    "CastLike",
    "Identity",
    "Not",
    "Sign",
    "IsNaN",
    "IsInf",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Transpose",
    "Slice",
    "Split",
    "Dropout",
    "Clip",
    "LeakyRelu",
    "Softmax",
    "LogSoftmax",
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL2",
    "ReduceSumSquare",
    "Shape",
    "Size",
    "CumSum",
    "ArgMax",
    "ArgMin",
    "BatchNormalization",
    "Concat",
    "Constant",
    "Trilu",
    "EyeLike",
    "DepthToSpace",
    "SpaceToDepth",
    "Elu",
    "Selu",
    "HardSigmoid",
    "Sin",
    "Cos",
    "Softplus",
]


def fold(node: Any, inputs: Arrays, opset: int, trace: Trace) -> list[Any]:
    """The outputs of a node whose inputs are all numbers, by onnx.reference in float64; counted before they are
    made.
    """
    name = node.op_type
    count = _COUNTS.get(name)
    if count is None or node.domain not in ("", "ai.onnx"):
        trace.refuse(f"the operation {name} is not read, not even on numbers that do not depend on the input.")
    trace.room(float(count(node, inputs)), "its result")
    return evaluate(node, inputs, opset)


def evaluate(node: Any, inputs: Arrays, opset: int) -> list[Any]:
    """One node by onnx.reference; None stands for an input that is left out."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    given = {f"in{i}": value for i, value in enumerate(inputs) if value is not None}
    inner = type(node)()
    inner.CopyFrom(node)
    del inner.input[:], inner.output[:]
    inner.input.extend(f"in{i}" if value is not None else "" for i, value in enumerate(inputs))
    inner.output.extend(f"out{i}" if name else "" for i, name in enumerate(node.output))
    asked = [name for name in inner.output if name]
    values = [
        helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype), None)
        for key, value in given.items()
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in asked]
    graph = helper.make_graph([inner], "one", values, results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    found = iter(ReferenceEvaluator(model).run(asked, {key: np.asarray(value) for key, value in given.items()}))
    return [_double(next(found)) if name else None for name in inner.output]


def _double(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _broadcast(node: Any, inputs: Arrays) -> float:
    return math.prod(np.broadcast_shapes(*(np.shape(value) for value in inputs if value is not None)))


def _all(node: Any, inputs: Arrays) -> float:
    return sum(np.size(value) for value in inputs if value is not None) + max((np.ndim(v) for v in inputs), default=0)


def _gather(node: Any, inputs: Arrays) -> float:
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    length = max(1, np.shape(inputs[0])[axis]) if np.ndim(inputs[0]) else 1
    return np.size(inputs[0]) / length * np.size(inputs[1])


def _range(node: Any, inputs: Arrays) -> float:
    start, stop, step = (float(np.asarray(value).reshape(-1)[0]) for value in inputs)
    return math.inf if step == 0 else max(0.0, (stop - start) / step) + 1


def _pad(node: Any, inputs: Arrays) -> float:
    attribute = next((list(a.ints) for a in node.attribute if a.name == "pads"), None)
    pads = attribute if attribute is not None else [int(n) for n in np.asarray(inputs[1]).reshape(-1)]
    extra = max(0, sum(abs(n) for n in pads))
    return math.prod(n + extra for n in np.shape(inputs[0]))


def _product(node: Any, inputs: Arrays) -> float:
    first, second = np.shape(inputs[0]), np.shape(inputs[1])
    return (
        float(max(1, np.size(inputs[0]))) * (second[-1] if second else 1)
        + math.prod(first[:-2])
        + math.prod(second[:-2])
    )


_COUNTS: dict[str, Callable[[Any, Arrays], float]] = {
    **dict.fromkeys(_ELEMENTWISE, _broadcast),
    **dict.fromkeys(_SAME_SIZE, _all),
    "Gather": _gather,
    "GatherElements": lambda node, inputs: np.size(inputs[1]),
    "GatherND": lambda node, inputs: float(np.size(inputs[0])) * np.size(inputs[1]),
    "ScatterND": _all,
    "ScatterElements": _all,
    "NonZero": lambda node, inputs: np.size(inputs[0]) * max(1, np.ndim(inputs[0])),
    "Expand": lambda node, inputs: math.prod(int(n) for n in inputs[1]) * float(max(1, np.size(inputs[0]))),
    "Tile": lambda node, inputs: (
        np.size(inputs[0]) * float(math.prod(int(n) for n in np.asarray(inputs[1]).reshape(-1)))
    ),
    "ConstantOfShape": lambda node, inputs: float(math.prod(int(n) for n in np.asarray(inputs[0]).reshape(-1))),
    "Range": _range,
    "Pad": _pad,
    "OneHot": lambda node, inputs: np.size(inputs[0]) * float(np.asarray(inputs[1]).reshape(-1)[0]),
    "MatMul": _product,
    "Gemm": _product,
}
