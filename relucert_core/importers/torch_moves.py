"""torch's operations that only move entries (torch itself moves the positions), copy them or fill with numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relucert_core.importers import forms
from relucert_core.importers.forms import Form
from relucert_core.importers.torch_call import Call, Handler, as_form, leaves, name_of

aten = torch.ops.aten


def _move(c: Call) -> Any:
    found = [value for value in leaves(c.given) if isinstance(value, torch.Tensor | Form)]
    inputs = [as_form(value, c.trace) for value in found if not _is_index(value)]
    starts = np.cumsum([1, *(form.size for form in inputs)])
    places = iter(torch.from_numpy(f.places() + s).double() for f, s in zip(inputs, starts, strict=False))

    def fill(tree: Any) -> Any:
        if isinstance(tree, (tuple, list)):
            return [fill(part) for part in tree]
        return next(places) if isinstance(tree, torch.Tensor | Form) and not _is_index(tree) else tree

    schema = {argument.name: argument.kwarg_only for argument in c.target._schema.arguments}
    result = c.target(
        *(fill(value) for key, value in c.given.items() if not schema[key]),
        **{key: fill(value) for key, value in c.given.items() if schema[key]},
    )
    everything = forms.joined([form.reshape(form.size) for form in inputs])
    if isinstance(result, (tuple, list)):
        return [forms.picked(everything, part.numpy().astype(np.int64) - 1) for part in result]
    return forms.picked(everything, result.numpy().astype(np.int64) - 1)


def _is_index(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and not value.is_floating_point()


def _same(c: Call) -> Any:
    kind = c.given.get("dtype")
    if isinstance(kind, torch.dtype) and not kind.is_floating_point:
        c.trace.refuse(f"it casts a value that depends on the input to {kind}, which is no affine operation.")
    return c.form


def _pad(c: Call) -> Form:
    mode, value = c.given.get("mode", "constant"), float(c.get("value", 0.0))
    moved = _move(Call(c.target, {**c.given, "value": None} if "value" in c.given else c.given, c.trace, c.shapes))
    if mode != "constant" or value == 0:
        return moved
    ones = torch.ones(c.form.shape, dtype=torch.float64)
    outside = aten.pad.default(ones, c["pad"]).numpy().reshape(-1) == 0
    return Form(moved.shape, moved.terms, np.where(outside, value, moved.bias), c.trace)


_FILLS = {"zeros_like": 0.0, "new_zeros": 0.0, "ones_like": 1.0, "new_ones": 1.0}


def _fill(c: Call) -> Form:
    """Numbers in the shape of a form, of which nothing else is used."""
    value = c.get("value", c.get("fill_value", 0.0))
    if isinstance(value, Form):
        return forms.broadcast(value, c.shape)
    number = _FILLS.get(name_of(c.target), float(value))
    return c.trace.constant(np.full(c.shape, number))


_MOVES = [
    "view",
    "reshape",
    "_unsafe_view",
    "permute",
    "transpose",
    "t",
    "numpy_T",
    "squeeze",
    "unsqueeze",
    "expand",
    "expand_as",
    "repeat",
    "tile",
    "flip",
    "roll",
    "slice",
    "select",
    "narrow",
    "split",
    "split_with_sizes",
    "chunk",
    "unbind",
    "tensor_split",
    "index_select",
    "gather",
    "index",
    "cat",
    "concat",
    "stack",
    "hstack",
    "vstack",
    "flatten",
    "unflatten",
    "movedim",
    "swapaxes",
    "swapdims",
    "pixel_shuffle",
    "pixel_unshuffle",
    "channel_shuffle",
    "diagonal",
    "broadcast_to",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact1d",
    "_upsample_nearest_exact2d",
    "_upsample_nearest_exact3d",
    "reflection_pad1d",
    "reflection_pad2d",
    "reflection_pad3d",
    "replication_pad1d",
    "replication_pad2d",
    "replication_pad3d",
    "as_strided",
    "unfold",
    "im2col",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "select_scatter",
    "slice_scatter",
    "rot90",
    "repeat_interleave",
    "view_as",
    "reshape_as",
    "take",
    "fliplr",
    "flipud",
    "triu",
    "tril",
]
_SAME = [
    "clone",
    "alias",
    "detach",
    "contiguous",
    "_to_copy",
    "to",
    "lift_fresh",
    "lift_fresh_copy",
    "dropout",
    "native_dropout",
    "feature_dropout",
    "alpha_dropout",
    "feature_alpha_dropout",
    "type_as",
    "float",
    "double",
]

MOVES: dict[str, Handler] = {
    **dict.fromkeys(_MOVES, _move),
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys((*_FILLS, "fill", "full_like", "new_full"), _fill),
    "copy": lambda c: forms.broadcast(as_form(c["src"], c.trace), c.shape),
    "pad": _pad,
    "constant_pad_nd": _pad,
}
