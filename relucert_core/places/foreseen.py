"""What a job may be foreseen to take of memory, from the networks that it is about, before it is begun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relucert_core.network import Network

_MATRICES = 4
_BYTES = 8


def foreseen_memory(values: Iterable[Any]) -> float:
    """The bytes that a job with these arguments may take besides what its worker holds; 0 without a network.

    An estimate, so that jobs of large networks wait for each other: some matrices of float64 between all neurons (or
    between the inputs, where they are more), which is what the largest of our methods hold.
    """
    return float(sum(_of_network(value) for value in values if isinstance(value, Network)))


def _of_network(net: Network) -> int:
    side = max(net.inputs, sum(net.widths))
    return _BYTES * _MATRICES * side * side
