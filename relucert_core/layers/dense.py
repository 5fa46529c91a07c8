"""A fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from relucert_core.layers.affine import AffineMap, read_only
from relucert_core.rounding import norm_above, norm_below, spectral_above


@dataclass(frozen=True, eq=False)
class Dense(AffineMap):
    """A fully connected layer, h -> W h + b. `weight` (out, in) and `bias` (out,) are float64 and never written to.

    carried (out,) bool: the outputs that pass no ReLU; None where all of them do, and in the last layer.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    carried: torch.Tensor | None = None

    @property
    def inputs(self) -> int:
        """How many numbers come in."""
        return self.weight.shape[1]

    @property
    def outputs(self) -> int:
        """How many numbers go out."""
        return self.weight.shape[0]

    @property
    def terms(self) -> int:
        """How many products an output sums at most."""
        return self.inputs

    @property
    def entries(self) -> int:
        """How many coefficients are stored."""
        return self.weight.numel()

    @cached_property
    def absolute(self) -> torch.Tensor:
        """|W| (out, in), kept for error bounds."""
        return self.weight.abs()

    @cached_property
    def row_norms(self) -> torch.Tensor:
        """(out,): proven upper bounds on the L2 norms of the rows of W."""
        return norm_above(self.weight, 2.0)

    def row_sizes(self, order: float) -> torch.Tensor:
        """(out,): proven upper bounds on the norms of the rows of W, of the given order."""
        return norm_above(self.weight, order)

    def row_sizes_below(self, order: float) -> torch.Tensor:
        """(out,): proven lower bounds on the norms of the rows of W."""
        return norm_below(self.weight, order)

    def column_sums(self) -> torch.Tensor:
        """(in,): proven upper bounds on the sums of the columns of |W|."""
        return norm_above(self.weight.T, 1.0)

    def touched_by(self, outputs: torch.Tensor) -> torch.Tensor:
        """(in,) bool: which inputs have a weight other than 0 to one of the outputs (out,) bool."""
        return ((self.weight != 0) & outputs.unsqueeze(1)).any(0)

    @cached_property
    def spectral(self) -> float:
        """A proven upper bound on the spectral norm ||W||_2; see `relucert_core.rounding.spectral_above`."""
        return spectral_above(self.weight)

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        return torch.nn.functional.linear(hidden, self.weight, self.bias)

    def rows(self, index: Any) -> torch.Tensor:
        """The rows of W at `index`, dense."""
        return self.weight[index]

    def times(self, columns: torch.Tensor) -> torch.Tensor:
        """W X for X (..., in, n) -> (..., out, n)."""
        return self.weight @ columns

    def sizes(self, hidden: torch.Tensor, offset: torch.Tensor | None = None) -> torch.Tensor:
        """|W| h (+ offset) for h >= 0, (..., in) -> (..., out)."""
        return torch.nn.functional.linear(hidden, self.absolute, offset)

    def back(self, rows: torch.Tensor) -> torch.Tensor:
        """rows W, (..., out) -> (..., in)."""
        return rows @ self.weight

    def sizes_back(self, rows: torch.Tensor) -> torch.Tensor:
        """rows |W| for rows >= 0, (..., out) -> (..., in)."""
        return rows @ self.absolute

    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """The weight, and its transpose in one piece."""
        weight = read_only(self.weight)
        return weight, np.array(weight.T, order="C")
