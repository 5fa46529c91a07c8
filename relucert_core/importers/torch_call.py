"""One call of a torch operation: its arguments by name, as forms or as numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from relucert_core.importers import windows
from relucert_core.importers.forms import Form, Trace


@dataclass(frozen=True)
class Call:
    """One call: positional arguments and keywords by the names that the operation's schema gives them."""

    target: Any
    given: dict[str, Any]
    trace: Trace
    shapes: tuple[tuple[int, ...], ...]

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The argument, or `default` where it was not given or is None."""
        value = self.given.get(name)
        return default if value is None else value

    @property
    def x(self) -> Any:
        """The first argument."""
        return next(iter(self.given.values()))

    @property
    def form(self) -> Form:
        """The first argument as a form."""
        return as_form(self.x, self.trace)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the (first) result."""
        return self.shapes[0]


def name_of(target: Any) -> str:
    """ "relu" for aten.relu.default."""
    packet = getattr(target, "overloadpacket", None)
    return str(getattr(packet, "__name__", None) or getattr(target, "__name__", target))


Handler: TypeAlias = Callable[[Call], Any]


def named(schema: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name, in the schema's order, defaults filled in."""
    given = {}
    for argument, value in itertools.zip_longest(schema.arguments, args, fillvalue=_ABSENT):
        if value is not _ABSENT:
            given[argument.name] = value
        elif argument.name in kwargs:
            given[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            given[argument.name] = argument.default_value
    return given


_ABSENT: Any = object()


def as_form(value: Any, trace: Trace) -> Form:
    """A form, or numbers as a form without terms."""
    return value if isinstance(value, Form) else trace.constant(array(value))


def array(value: Any) -> np.ndarray:
    """Numbers as float64."""
    return value.detach().double().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, dtype=np.float64)


def optional(value: Any) -> np.ndarray | None:
    """Numbers as float64, or None."""
    return None if value is None else array(value)


def leaves(tree: Any) -> list[Any]:
    """What stands in nested lists and dictionaries, in order."""
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, (tuple, list)) else [tree]


def adaptive_axes(c: Call) -> list[windows.Axis]:
    """The windows of an adaptive pooling along each axis; the operation's name ends in "2d" for two of them."""
    count = int(name_of(c.target)[-2])
    lengths = c.form.shape[-count:]
    wanted = c.shape[-count:]
    return [windows.adaptive(n, m) for n, m in zip(lengths, wanted, strict=True)]
