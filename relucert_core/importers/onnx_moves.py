"""ONNX's operations that only move entries, copy them or pad them."""

from __future__ import annotations

import math

import numpy as np

from relucert_core.importers import forms
from relucert_core.importers.forms import Form
from relucert_core.importers.onnx_fold import evaluate
from relucert_core.importers.onnx_node import Handler, Node, output_size
from relucert_core.importers.source import Refused


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


def move_by_reference(n: Node) -> Form:
    """Operations that only pick entries, done by onnx.reference on the positions."""
    others = [n.numbers(i, "second input") for i in range(1, len(n.inputs))]
    n.trace.room(output_size(n))
    found = evaluate(n.proto, [n.form.places().astype(np.float64) + 1.0, *others], n.opset)[0]
    return forms.picked(n.form, np.rint(found).astype(np.int64) - 1)


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
    return move_by_reference(n)


def _cast(n: Node) -> Form:
    from relucert_core.importers.onnx_data import is_float

    if n.proto.op_type == "Cast" and not is_float(int(n.attribute("to", 0))):
        n.trace.refuse("it casts a value that depends on the input to whole numbers, which is no affine operation.")
    return n.form


MOVES: dict[str, Handler] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    **dict.fromkeys(("GatherElements", "GatherND", "DepthToSpace", "SpaceToDepth", "Trilu"), move_by_reference),
    "Expand": _expand,
    "Tile": _tile,
    "Pad": _pad,
    "Identity": lambda n: n.form,
    "Dropout": lambda n: [n.form, Refused(n.trace.place, "the mask of a dropout is used.")],
    "Cast": _cast,
    "CastLike": _cast,
}
