"""Tensors of ONNX files: numbers in float64, data kept in a second file, and the whole model turned to doubles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.importers.forms import Trace
from relucert_core.importers.limits import Limits

REMEDY = "export again with `external_data=False`."


def is_float(kind: int) -> bool:
    """Is this element type one of the floats that are read?"""
    from onnx import TensorProto

    return kind in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def array(tensor: Any, trace: Trace) -> np.ndarray:
    """The numbers of a tensor: floats as float64, whole numbers and booleans as they are."""
    from onnx import TensorProto, numpy_helper

    integers = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL")
    whole = {getattr(TensorProto, name) for name in integers}
    name = tensor.name[:80]
    if not is_float(tensor.data_type) and tensor.data_type not in whole:
        raise Unsupported(f"The tensor {name!r} holds numbers of a kind that is not read (quantised, text or complex).")
    if any(d < 0 for d in tensor.dims):
        raise InvalidInput(f"The tensor {name!r} has a negative length.")
    trace.limits.check(float(math.prod(tensor.dims)), f"the tensor {name!r}")
    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:
        raise InvalidInput(
            f"The tensor {name!r} does not hold the numbers that its shape says ({_said(error)})."
        ) from None
    if values.shape != tuple(tensor.dims):
        raise InvalidInput(f"The tensor {name!r} does not have the shape that it says.")
    if not is_float(tensor.data_type):
        return values
    values = values.astype(np.float64)
    if np.isnan(values).any():
        raise InvalidInput(f"There is a NaN in the tensor {name!r}; every number must be finite.")
    return values


def load_external(model: Any, beside: Callable[[str], bytes] | None, limits: Limits) -> None:
    """Put external data into the tensors, from one file with a plain name; offset and length must lie inside it."""
    from onnx import TensorProto

    outside = [tensor for tensor in _tensors(model) if tensor.data_location == TensorProto.EXTERNAL]
    if not outside:
        return
    names = {entry.value for tensor in outside for entry in tensor.external_data if entry.key == "location"}
    name = next(iter(names), "")
    plain = name and not set(name) & set("/\\:\0") and name.endswith(".onnx.data") and not name.startswith(".")
    if len(names) != 1 or not plain:
        raise Unsupported(f"The file keeps its numbers elsewhere ({sorted(names)!r:.80}): {REMEDY}")
    if beside is None:
        raise Unsupported(f"The file keeps its numbers in {name[:80]!r}: {REMEDY}")
    data = beside(name)
    limits.check_file(len(data), name[:80])
    for tensor in outside:
        where = {entry.key: entry.value for entry in tensor.external_data}
        try:
            start, length = int(where.get("offset", 0)), int(where.get("length", len(data)))
        except ValueError:
            start, length = -1, 0
        if start < 0 or length < 0 or start + length > len(data):
            raise InvalidInput(f"The tensor {tensor.name[:80]!r} lies outside {name[:80]!r}: {REMEDY}")
        tensor.raw_data = data[start : start + length]
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def to_double(model: Any, trace: Trace) -> None:
    """Every float tensor, cast, and declared type of the model becomes a double; the model is changed."""
    from onnx import TensorProto, numpy_helper

    for tensor in _tensors(model):
        if is_float(tensor.data_type) and tensor.data_type != TensorProto.DOUBLE:
            doubled = numpy_helper.from_array(array(tensor, trace), tensor.name)
            tensor.CopyFrom(doubled)
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type in ("Cast", "EyeLike", "CastLike", "Bernoulli") and attribute.name in ("to", "dtype"):
                attribute.i = TensorProto.DOUBLE if is_float(attribute.i) else attribute.i
        if node.op_type == "Constant":
            _constant_to_tensor(node)
        elif node.op_type == "ConstantOfShape" and not node.attribute:
            value = numpy_helper.from_array(np.zeros(1))
            attribute = node.attribute.add()
            attribute.name, attribute.type = "value", 4
            attribute.t.CopyFrom(value)
    del model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output):
        if is_float(value.type.tensor_type.elem_type):
            value.type.tensor_type.elem_type = TensorProto.DOUBLE


def _constant_to_tensor(node: Any) -> None:
    """A Constant given as a float or floats holds float32 numbers; as a tensor it can hold doubles."""
    from onnx import helper, numpy_helper

    for attribute in list(node.attribute):
        if attribute.name in ("value_float", "value_floats"):
            numbers: Any = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            value = numpy_helper.from_array(np.asarray(numbers, dtype=np.float64))
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("value", value))
        elif attribute.name in ("value_string", "value_strings", "sparse_value"):
            raise Unsupported(
                f"The node {node.name[:80]!r} (Constant) holds text or a sparse tensor, which is not read."
            )


def _tensors(model: Any) -> Iterator[Any]:
    yield from model.graph.initializer
    nodes = [*model.graph.node, *(n for f in model.functions for n in f.node)]
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:100]
