"""A sparse layer, in CSR."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from relucert_core.layers.affine import AffineMap
from relucert_core.layers.sparse_spectral import sparse_spectral_above
from relucert_core.memory import need_memory
from relucert_core.rounding import norm_above, norm_below


class Sparse(AffineMap):
    """As `Dense`, for a matrix in CSR. `weight` is the matrix in full, made when first asked for."""

    def __init__(self, matrix: csr_array, bias: torch.Tensor, carried: torch.Tensor | None) -> None:
        self.matrix, self.bias, self.carried = matrix, bias, carried

    @property
    def inputs(self) -> int:
        """How many numbers come in."""
        return int(self.matrix.shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers go out."""
        return int(self.matrix.shape[0])

    @property
    def terms(self) -> int:
        """How many products an output sums at most."""
        return int(np.diff(self.matrix.indptr).max(initial=0))

    @property
    def entries(self) -> int:
        """How many coefficients are stored."""
        return int(self.matrix.nnz)

    @cached_property
    def weight(self) -> torch.Tensor:
        """W (out, in) in full; Unsupported when there is no room for it."""
        need_memory(6.0 * self.inputs * self.outputs, f"A layer of {self.outputs:,} x {self.inputs:,} in full")
        return torch.from_numpy(self.matrix.toarray())

    @cached_property
    def turned(self) -> csr_array:
        """W^T."""
        return csr_array(self.matrix.T)

    @cached_property
    def sized(self) -> csr_array:
        """|W|."""
        return abs(self.matrix)

    @cached_property
    def sized_turned(self) -> csr_array:
        """|W|^T."""
        return csr_array(self.sized.T)

    @cached_property
    def absolute(self) -> torch.Tensor:
        """|W| in full."""
        return self.weight.abs()

    @cached_property
    def row_norms(self) -> torch.Tensor:
        """(out,): proven upper bounds on the L2 norms of the rows of W."""
        return norm_above(_padded(self.matrix), 2.0)

    def row_sizes(self, order: float) -> torch.Tensor:
        """(out,): proven upper bounds on the norms of the rows of W, of the given order."""
        return norm_above(_padded(self.matrix), order)

    def row_sizes_below(self, order: float) -> torch.Tensor:
        """(out,): proven lower bounds on the norms of the rows of W."""
        return norm_below(_padded(self.matrix), order)

    def column_sums(self) -> torch.Tensor:
        """(in,): proven upper bounds on the sums of the columns of |W|."""
        return norm_above(_padded(self.turned), 1.0)

    def touched_by(self, outputs: torch.Tensor) -> torch.Tensor:
        """(in,) bool: which inputs have a weight other than 0 to one of the outputs (out,) bool."""
        part = self.matrix[outputs.numpy().nonzero()[0]]
        found = np.zeros(self.inputs, dtype=bool)
        found[part.indices[part.data != 0]] = True
        return torch.from_numpy(found)

    @cached_property
    def spectral(self) -> float:
        """A proven upper bound on the spectral norm ||W||_2; see `sparse_spectral_above`."""
        return min(self.frobenius, sparse_spectral_above(self.matrix))

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        return _Product.apply(hidden, self.matrix, self.turned) + self.bias

    def rows(self, index: Any) -> torch.Tensor:
        """The rows of W at `index`, dense."""
        return torch.from_numpy(self.matrix[np.asarray(index)].toarray())

    def times(self, columns: torch.Tensor) -> torch.Tensor:
        """W X for X (..., in, n) -> (..., out, n)."""
        return _times(self.matrix, columns)

    def sizes(self, hidden: torch.Tensor, offset: torch.Tensor | None = None) -> torch.Tensor:
        """|W| h (+ offset) for h >= 0, (..., in) -> (..., out)."""
        found = _linear(self.sized, hidden)
        return found if offset is None else found + offset

    def back(self, rows: torch.Tensor) -> torch.Tensor:
        """rows W, (..., out) -> (..., in)."""
        return _Product.apply(rows, self.turned, self.matrix)

    def sizes_back(self, rows: torch.Tensor) -> torch.Tensor:
        """rows |W| for rows >= 0, (..., out) -> (..., in)."""
        return _linear(self.sized_turned, rows)

    def factors(self) -> tuple[csr_array, np.ndarray]:
        """The matrix in CSR, and no transpose."""
        return self.matrix, np.zeros((0, 0))


class _Product(torch.autograd.Function):
    """h -> M h for a CSR matrix M, (..., in) -> (..., out), with its gradient in h."""

    @staticmethod
    def forward(context: Any, hidden: torch.Tensor, matrix: csr_array, turned: csr_array) -> torch.Tensor:
        context.turned = turned
        return _linear(matrix, hidden.detach())

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _linear(context.turned, gradient), None, None


def _linear(matrix: csr_array, hidden: torch.Tensor) -> torch.Tensor:
    """M h, (..., in) -> (..., out)."""
    flat = hidden.reshape(-1, hidden.shape[-1]).numpy()
    if len(flat) == 1:
        product = (matrix @ flat[0])[None]
    else:
        product = np.ascontiguousarray((matrix @ np.ascontiguousarray(flat.T)).T)
    return torch.from_numpy(product).reshape(*hidden.shape[:-1], matrix.shape[0])


def _times(matrix: csr_array, columns: torch.Tensor) -> torch.Tensor:
    """M X for X (..., in, n)."""
    if columns.ndim == 2:
        return torch.from_numpy(matrix @ columns.numpy())
    flat = columns.reshape(-1, *columns.shape[-2:]).numpy()
    product = (
        np.stack([matrix @ each for each in flat]) if len(flat) else np.zeros((0, matrix.shape[0], flat.shape[-1]))
    )
    return torch.from_numpy(product).reshape(*columns.shape[:-2], matrix.shape[0], columns.shape[-1])


def _padded(matrix: csr_array) -> torch.Tensor:
    """(out, n): the stored coefficients of each row, filled up with zeros: norms of rows need no more."""
    counts = np.diff(matrix.indptr)
    padded = np.zeros((matrix.shape[0], max(1, int(counts.max(initial=0)))))
    inner = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], counts)
    padded[np.repeat(np.arange(matrix.shape[0]), counts), inner] = matrix.data
    return torch.from_numpy(padded)
