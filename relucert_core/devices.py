"""Independence of torch's process-wide default device: the engine computes on the CPU, whatever a caller has set.

Of the default dtype the engine is independent because every number that it makes states its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")


def on_cpu() -> contextlib.AbstractContextManager[Any]:
    """A context in which new tensors are made on the CPU; costs nothing where that is the default already."""
    return contextlib.nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")


def each_on_cpu(steps: Iterator[Item]) -> Generator[Item, None, None]:
    """The items of `steps`, each made `on_cpu`, while between them the caller's default holds."""
    try:
        while True:
            with on_cpu():
                step = next(steps, None)
            if step is None:
                return
            yield step
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()
