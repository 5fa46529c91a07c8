"""A layer as the world sees it: NumPy arrays or CSR, and which of its outputs pass a ReLU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from scipy.sparse import csr_array

from relucert_core.arrays import Matrix, Signs, SparseMatrix, Vector
from relucert_core.layers.dense import Dense
from relucert_core.layers.sparse import Sparse

Affine: TypeAlias = Dense | Sparse


@dataclass(frozen=True, eq=False)
class Layer:
    """h -> W h + b, then max(., 0) of the rectified outputs; the others are carried on.

    weight: (out, in) float64, an array or a `csr_array`; bias: (out,); rectified: (out,) bool, None in the last layer.
    All are read-only.
    """

    weight: Matrix | SparseMatrix
    bias: Vector
    rectified: Signs | None

    def __post_init__(self) -> None:
        parts = (self.weight,) if isinstance(self.weight, np.ndarray) else csr_parts(self.weight)
        for array in (*parts, self.bias, self.rectified):
            if array is not None:
                array.flags.writeable = False

    @property
    def inputs(self) -> int:
        """How many numbers come in."""
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers go out."""
        return int(self.weight.shape[0])

    @property
    def entries(self) -> int:
        """How many coefficients are stored."""
        return int(self.weight.size if isinstance(self.weight, np.ndarray) else self.weight.nnz)

    @property
    def neurons(self) -> int:
        """How many outputs are rectified."""
        return 0 if self.rectified is None else int(np.count_nonzero(self.rectified))

    def weights_by_row(self) -> Iterator[list[tuple[int, float]]]:
        """For each output the (input, weight) pairs whose weight is not 0."""
        matrix = csr_array(self.weight)
        for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False):
            yield [
                (int(j), float(w))
                for j, w in zip(matrix.indices[start:stop], matrix.data[start:stop], strict=True)
                if w
            ]

    @cached_property
    def affine(self) -> Affine:
        """The same map for the engine; a dense one shares this memory."""
        bias = _shared(self.bias)
        carried = None
        if self.rectified is not None and not self.rectified.all():
            carried = torch.from_numpy(~self.rectified)
        if isinstance(self.weight, np.ndarray):
            return Dense(_shared(self.weight), bias, carried)
        return Sparse(self.weight, bias, carried)


def csr_parts(matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three arrays that hold a CSR matrix: data, indices, indptr."""
    return matrix.data, matrix.indices, matrix.indptr


def _shared(array: np.ndarray) -> torch.Tensor:
    """A tensor over the memory of a read-only array, which torch would otherwise warn about."""
    view = array.view()
    if view.flags.writeable:
        return torch.from_numpy(view)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(view)
