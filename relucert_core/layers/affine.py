"""What a dense and a sparse affine map have in common, and a layer as plain arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from relucert_core.layers.signs import active, rectified
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, norm_above


class AffineMap(ABC):
    """h -> W h + b for the engine, with proven bounds on its norms; see `Dense` and `Sparse`.

    bias (out,), float64; carried (out,) bool: the outputs that pass no ReLU, None where all of them do, and in the last
    layer. Nothing is ever written to.
    """

    bias: torch.Tensor
    carried: torch.Tensor | None

    @property
    @abstractmethod
    def inputs(self) -> int:
        """How many numbers come in."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many numbers go out."""

    @property
    @abstractmethod
    def row_norms(self) -> torch.Tensor:
        """(out,): proven upper bounds on the L2 norms of the rows of W."""

    @property
    @abstractmethod
    def spectral(self) -> float:
        """A proven upper bound on the spectral norm ||W||_2."""

    @abstractmethod
    def factors(self) -> tuple[Any, np.ndarray]:
        """The weight (out, in) and its transpose in one piece, as `LayerArrays` keeps them."""

    @cached_property
    def arrays(self) -> LayerArrays:
        """The layer for code that looks at one point at a time, where every call counts."""
        return LayerArrays.of(self)

    @cached_property
    def bias_norm(self) -> float:
        """A proven upper bound on ||b||_2."""
        return float(norm_above(self.bias, 2.0))

    @cached_property
    def frobenius(self) -> float:
        """A proven upper bound on the Frobenius norm of W, hence on the spectral norms of W and |W|."""
        return float(norm_above(self.row_norms, 2.0))

    def rectify(self, values: torch.Tensor) -> torch.Tensor:
        """What goes on to the next layer: max(z, 0), or z where it is carried."""
        return rectified(values, self.carried)

    def on(self, values: torch.Tensor) -> torch.Tensor:
        """Which outputs go on as they are: z > 0, and those that are carried."""
        return active(values, self.carried)

    def off(self, values: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
        """Which outputs are proved to be 0: z < -error, and not carried."""
        found = values < -errors
        return found if self.carried is None else found & ~self.carried


@dataclass(frozen=True, eq=False)
class LayerArrays:
    """A layer as read-only NumPy arrays, with what `quick_forward` multiplies: see `of`.

    weight (out, in), bias (out,); columns (in, out): the weight transposed and in one piece, so that the weights of a
    few inputs can be picked. row_norms (out,): upper bounds on ||W_i||_2. frobenius, spectral: on ||W||_F and ||W||_2.
    bias_sizes (out,) and bias_norm: upper bounds on |b_i| and ||b||_2, enlarged so that a unit roundoff of them covers
    four times what underflow can do to a sum of products. carried (out,) bool: as the layer's, or None. For a sparse
    layer the weight is its CSR matrix, and columns is empty.
    """

    weight: Any
    columns: np.ndarray
    bias: np.ndarray
    row_norms: np.ndarray
    bias_sizes: np.ndarray
    frobenius: float
    spectral: float
    bias_norm: float
    carried: np.ndarray | None

    @classmethod
    def of(cls, layer: AffineMap) -> LayerArrays:
        """The arrays of a layer; the weight and the bias share its memory."""
        weight, columns = layer.factors()
        columns.flags.writeable = False
        bias = read_only(layer.bias)
        underflow = layer.inputs * (4 * SMALLEST / UNIT_ROUNDOFF)
        sizes, together = np.abs(bias) + underflow, layer.bias_norm + layer.outputs * underflow
        row_norms, carried = layer.row_norms.numpy(), None if layer.carried is None else layer.carried.numpy()
        return cls(weight, columns, bias, row_norms, sizes, layer.frobenius, layer.spectral, together, carried)

    def rectify(self, values: np.ndarray) -> np.ndarray:
        """What goes on to the next layer: max(z, 0), or z where it is carried."""
        hidden = np.maximum(values, 0.0)
        return hidden if self.carried is None else np.where(self.carried, values, hidden)


def read_only(tensor: torch.Tensor) -> np.ndarray:
    """The tensor's memory as an array that cannot be written to."""
    array = tensor.numpy()
    array.flags.writeable = False
    return array
