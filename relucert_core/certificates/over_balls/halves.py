"""W+ and W- of a layer, W = W+ - W-, dense or sparse: what the bounds over balls multiply vectors of sizes by.

A sparse layer is never filled up: its halves are CSR matrices as well. The order of summation differs with the kind of
layer, which the error bounds allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import csr_array

from relucert_core.layers import Affine, Sparse


@dataclass(frozen=True, eq=False)
class Halves:
    """W+ and W-, both >= 0, restricted to some inputs: transposed (n, N) for a dense layer, CSR (N, n) for a sparse."""

    positive: torch.Tensor | csr_array
    negative: torch.Tensor | csr_array

    @classmethod
    def of(cls, layer: Affine) -> Halves:
        """The halves of a whole layer."""
        if isinstance(layer, Sparse):
            return cls(csr_array(layer.matrix.maximum(0)), csr_array((-layer.matrix).maximum(0)))
        turned = layer.weight.T.contiguous()
        return cls(turned.clamp(min=0.0), turned.clamp(max=0.0).neg())

    @cached_property
    def rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """W+ and W- in full, (N, n) each."""
        return _in_full(self.positive), _in_full(self.negative)

    def of_inputs(self, kept: torch.Tensor) -> Halves:
        """The halves restricted to the inputs `kept` (n,)."""
        return Halves(_restricted(self.positive, kept), _restricted(self.negative, kept))

    def plus(self, values: torch.Tensor) -> torch.Tensor:
        """W+ v for values (T, n) -> (T, N)."""
        return times(self.positive, values)

    def minus(self, values: torch.Tensor) -> torch.Tensor:
        """W- v for values (T, n) -> (T, N)."""
        return times(self.negative, values)

    def both(self, values: torch.Tensor) -> torch.Tensor:
        """|W| v for values (T, n) -> (T, N)."""
        if isinstance(self.positive, torch.Tensor):
            return values @ (self.positive + self.negative)
        return times(self.positive + self.negative, values)

    def touched(self) -> Halves:
        """Which weights are not 0, as ones."""
        return Halves(_signs(self.positive), _signs(self.negative))

    def block(self, inputs: torch.Tensor, rows: torch.Tensor) -> list[torch.Tensor]:
        """The parts of both halves at `rows` (R,) and `inputs` (s,), dense (1, R, s)."""
        return [_block(part, inputs, rows).unsqueeze(0) for part in (self.positive, self.negative)]


def times(half: torch.Tensor | csr_array, values: torch.Tensor) -> torch.Tensor:
    """A half times values (T, n) -> (T, N)."""
    if isinstance(half, torch.Tensor):
        return values @ half
    return torch.from_numpy(np.ascontiguousarray((half @ np.ascontiguousarray(values.numpy().T)).T))


def _in_full(half: torch.Tensor | csr_array) -> torch.Tensor:
    return half.T.contiguous() if isinstance(half, torch.Tensor) else torch.from_numpy(half.toarray())


def _restricted(half: torch.Tensor | csr_array, kept: torch.Tensor) -> torch.Tensor | csr_array:
    return half[kept] if isinstance(half, torch.Tensor) else csr_array(half[:, kept.numpy()])


def _signs(half: torch.Tensor | csr_array) -> torch.Tensor | csr_array:
    if isinstance(half, torch.Tensor):
        return (half > 0).to(half.dtype)
    return csr_array((half > 0).astype(np.float64))


def _block(half: torch.Tensor | csr_array, inputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    if isinstance(half, torch.Tensor):
        return half[inputs.unsqueeze(-1), rows].T
    return torch.from_numpy(half[rows.numpy()][:, inputs.numpy()].toarray())
