"""torch's operations on forms: one entry for each name, the same for all its overloads."""

from __future__ import annotations

from typing import Any

import torch

from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.source import Dropped
from relucert_core.importers.torch_affine import AFFINE
from relucert_core.importers.torch_call import Call, Handler, leaves, name_of, named
from relucert_core.importers.torch_moves import MOVES
from relucert_core.importers.torch_relus import RELUS

aten = torch.ops.aten
FORMS = (Form, Dropped)
CHECKS = {
    getattr(aten, name).default
    for name in ("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size")
    if hasattr(aten, name) and hasattr(getattr(aten, name), "default")
}
_REMEDY = "Relucert reads affine operations, ReLUs, max pooling and what is made of them: replace it, and train again."


def call(node: Any, args: Any, kwargs: Any, trace: Trace) -> Any:
    """The result of a node that has forms among its arguments; Unsupported for operations that are not read."""
    name = name_of(node.target)
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        trace.refuse(f"the operation {name} is not read; {_REMEDY}")
    given = named(schema, args, kwargs)
    if any(isinstance(value, Dropped) for value in leaves(given)):
        value = next(v for v in leaves(given) if isinstance(v, Dropped))
        if name in ("alias", "clone", "_to_copy", "view", "reshape", "squeeze", "contiguous", "detach"):
            return value
        if name == "log" and value.operation == "softmax":
            return Dropped("log-softmax", value.place, value.scores, value.axis)
        trace.place = value.place
        trace.refuse(f"{value.operation} is read at the very end only; {_REMEDY}")
    handler = _HANDLERS.get(name)
    if handler is None:
        trace.refuse(f"the operation {name} is neither affine nor made of ReLUs; {_REMEDY}")
    result = handler(Call(node.target, given, trace, _shapes(node)))
    return result


def _shapes(node: Any) -> tuple[tuple[int, ...], ...]:
    value = node.meta.get("val")
    values = value if isinstance(value, (tuple, list)) else [value]
    return tuple(tuple(int(n) for n in each.shape) for each in values if isinstance(each, torch.Tensor))


def _softmax(c: Call, name: str) -> Dropped:
    return Dropped(name, c.trace.place, c.form, int(c["dim"]) % max(1, len(c.form.shape)))


def _sigmoid(c: Call) -> Dropped:
    return Dropped("sigmoid", c.trace.place, c.form, None)


_HANDLERS: dict[str, Handler] = {
    **MOVES,
    **AFFINE,
    **RELUS,
    "softmax": lambda c: _softmax(c, "softmax"),
    "_softmax": lambda c: _softmax(c, "softmax"),
    "log_softmax": lambda c: _softmax(c, "log-softmax"),
    "_log_softmax": lambda c: _softmax(c, "log-softmax"),
    "sigmoid": _sigmoid,
    "log_sigmoid": _sigmoid,
}
