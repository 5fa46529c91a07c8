"""ONNX files -> forms. Read with the package `onnx` alone; replayed by onnx.reference with every float a double."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput, RelucertError, Unsupported
from relucert_core.importers import onnx_data, onnx_ops
from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.onnx_fold import fold
from relucert_core.importers.onnx_replay import replay_of
from relucert_core.importers.source import Dropped, Refused, Source

_OLDEST_OPSET = 7
_MOST_NODES = 100_000


def read_onnx(
    data: bytes, input_shape: Sequence[int] | None, trace: Trace, *, beside: Callable[[str], bytes] | None = None
) -> Source:
    """The scores of an ONNX model as forms, and the model in float64 to replay.

    `beside` gives the bytes of the file of external data by its name. Raises InvalidInput when the bytes are no ONNX
    model, Unsupported for what cannot be read, naming the node and its operation.
    """
    try:
        import onnx
    except ImportError:
        raise Unsupported("ONNX files need the package onnx (1.21 or newer): pip install 'relucert[onnx]'.") from None
    try:
        model = onnx.load_model_from_string(data)
    except Exception:
        raise InvalidInput("This is not an ONNX file, or it is cut off: export it again.") from None
    try:
        return _read(model, input_shape, trace, beside)
    except RelucertError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise InvalidInput(
            f"{trace.place[:120]}: the ONNX file does not hold together ({type(error).__name__}: {reason})."
        ) from None


def _read(model: Any, input_shape: Sequence[int] | None, trace: Trace, beside: Callable[[str], bytes] | None) -> Source:
    opset = _opset(model)
    onnx_data.load_external(model, beside, trace.limits)
    model = _inlined(model)
    onnx_data.to_double(model, trace)
    graph = model.graph
    constants = {tensor.name: onnx_data.array(tensor, trace) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise Unsupported(
            f"The file has {len(inputs)} inputs and {len(graph.output)} outputs; networks of one input and one output "
            "are read: export the classifier alone."
        )
    shape, batch = _input_shape(inputs[0], input_shape)
    x = trace.input((*batch, *shape))
    scores, asked = _walk(graph, constants, inputs[0].name, x, opset, trace)
    if isinstance(scores, np.ndarray):
        raise Unsupported("The output of the file does not depend on its input.")
    return Source(shape, scores, replay_of(model, inputs[0].name, x.shape, asked))


def _opset(model: Any) -> int:
    from onnx.defs import onnx_opset_version

    version = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), None)
    if version is None or not model.graph.node:
        raise InvalidInput("This is not an ONNX model: it has no operator set, or no nodes.")
    if not _OLDEST_OPSET <= version <= onnx_opset_version():
        raise Unsupported(
            f"The file uses opset {version}; {_OLDEST_OPSET} to {onnx_opset_version()} are read: export it again with "
            "opset_version=17."
        )
    if model.graph.sparse_initializer:
        raise Unsupported("The file holds sparse initialisers: export it with dense ones.")
    return int(version)


def _inlined(model: Any) -> Any:
    """The model with its local functions put in place of their calls, once their number is known to be bounded."""
    if len(model.graph.node) > _MOST_NODES:
        raise Unsupported(f"The file has {len(model.graph.node):,} nodes; at most {_MOST_NODES:,} are read.")
    if not model.functions:
        return model
    from onnx.inliner import inline_local_functions

    functions = {(f.domain, f.name): f for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(key: tuple[str, str], above: tuple[tuple[str, str], ...]) -> int:
        if key in above or len(above) > 50:
            raise Unsupported(f"The function {key[1]!r} of the file calls itself, or is nested too deeply.")
        if key not in sizes:
            sizes[key] = total(functions[key].node, (*above, key))
        return sizes[key]

    def total(nodes: Any, above: tuple[tuple[str, str], ...]) -> int:
        return sum(size((n.domain, n.op_type), above) if (n.domain, n.op_type) in functions else 1 for n in nodes)

    if total(model.graph.node, ()) > _MOST_NODES:
        raise Unsupported(f"The file's functions unfold to more than {_MOST_NODES:,} nodes.")
    return inline_local_functions(model)


def _input_shape(value: Any, given: Sequence[int] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input's shape without the batch, and the batch's own: (1,), or () where the file has none."""
    if not value.type.HasField("tensor_type"):
        raise Unsupported(f"The input {value.name!r} is no tensor.")
    if not onnx_data.is_float(value.type.tensor_type.elem_type):
        raise Unsupported(
            f"The input {value.name!r} is no tensor of real numbers: export the network without its decoder."
        )
    known = value.type.tensor_type.HasField("shape")
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in value.type.tensor_type.shape.dim] if known else []
    if any(d < 0 for d in dims):
        raise InvalidInput(f"The input {value.name!r} has a negative length.")
    if given is not None:
        shape = tuple(int(n) for n in given)
        fits = [
            len(d) == len(shape) and all(a in (0, b) for a, b in zip(d, shape, strict=True)) for d in (dims[1:], dims)
        ]
        if known and not any(fits):
            raise InvalidInput(f"The file's input has the shape {_said(dims)}; input_shape={shape} does not fit it.")
        return shape, () if known and fits[1] and not fits[0] else (1,)
    batch, rest = (dims[:1], dims[1:]) if len(dims) > 1 else ([], dims)
    if not dims or 0 in rest:
        raise InvalidInput(
            f"The file's input has the shape {_said(dims)}: give it without the batch, for example "
            "input_shape=(1, 28, 28)."
        )
    if batch and batch[0] > 1:
        raise Unsupported(
            f"The file is made for batches of {batch[0]}: export it with a batch of 1, or a symbolic one."
        )
    return tuple(rest), (1,) if batch else ()


def _said(dims: Sequence[int]) -> str:
    return "(" + ", ".join(str(d) if d else "?" for d in dims) + ")"


def _walk(
    graph: Any, constants: dict[str, Any], name: str, x: Form, opset: int, trace: Trace
) -> tuple[Form | Dropped | np.ndarray, str]:
    """The file's output, and the name of the tensor that holds it before a dropped last step."""
    asked = graph.output[0].name
    values: dict[str, Any] = {**constants, name: x, "": None}
    for node in graph.node:
        trace.place, trace.operation = _place(node)
        missing = [key for key in node.input if key not in values]
        if missing:
            trace.refuse(f"its input {missing[0][:60]!r} is made nowhere before it: the file does not hold together.")
        given = [values[key] for key in node.input]
        if node.domain not in ("", "ai.onnx"):
            trace.refuse(f"the operation is from the domain {node.domain[:60]!r}: only ONNX's own are read.")
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            trace.refuse("it is a branch or a loop: a network of fixed layers is read.")
        if any(isinstance(value, (Form, Dropped, Refused)) for value in given):
            found = onnx_ops.call(node, given, opset, trace)
        else:
            found = fold(node, given, opset, trace)
        if found and isinstance(found[0], Dropped) and not any(isinstance(value, Dropped) for value in given):
            asked = node.input[0]
        for key, value in zip(node.output, found, strict=False):
            if key:
                values[key] = value
    trace.place, trace.operation = "the output", "output"
    result = values.get(graph.output[0].name)
    if isinstance(result, Refused):
        trace.place = result.place
        trace.refuse(result.reason)
    if result is None:
        trace.refuse("no node makes it: the file does not hold together.")
    return result, asked if isinstance(result, Dropped) else graph.output[0].name


def _place(node: Any) -> tuple[str, str]:
    operation = node.op_type[:60]
    name = node.name or (node.output[0] if node.output else "")
    return f"node {name[:80]!r} ({operation})", operation


def file_beside(path: Path) -> Callable[[str], bytes]:
    """A reader of NAME.onnx.data beside NAME.onnx: a plain name, no link, nothing else."""

    def read(name: str) -> bytes:
        place = path.with_name(name)
        if place.is_symlink() or not place.is_file():
            raise InvalidInput(f"The external data {name[:80]!r} is not beside the file: {onnx_data.REMEDY}")
        return place.read_bytes()

    return read


def uploaded(files: Mapping[str, bytes]) -> Callable[[str], bytes]:
    """A reader of external data that came along as bytes, by name."""

    def read(name: str) -> bytes:
        if name not in files:
            raise InvalidInput(
                f"The file needs its external data {name[:80]!r}: give both together, or {onnx_data.REMEDY}"
            )
        return files[name]

    return read
