"""The layers of a network: an affine map, dense or sparse, and which of its outputs pass a ReLU.

`Layer` is what the world sees (NumPy, CSR); `Dense` and `Sparse` are the same map as the engine multiplies by it, in
torch float64, with proven bounds on its norms. Outputs that pass no ReLU are carried on as they are: the engine
treats them as neurons that are always on and have no face.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from scipy.sparse import csr_array

from relucert_core.arrays import Matrix, Signs, SparseMatrix, Vector
from relucert_core.memory import need_memory
from relucert_core.rounding import (
    SMALLEST,
    UNIT_ROUNDOFF,
    above,
    dot_error,
    norm_above,
    norm_below,
    spectral_above,
    sum_above,
)

_Array = TypeVar("_Array", torch.Tensor, np.ndarray)
_GRAM_PRODUCTS = 50_000_000  # a sparse W^T W is formed up to this many products


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


@dataclass(frozen=True, eq=False)
class Dense:
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
    def arrays(self) -> LayerArrays:
        """The layer for code that looks at one point at a time, where every call counts."""
        return LayerArrays.of(self)

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
    def bias_norm(self) -> float:
        """A proven upper bound on ||b||_2."""
        return float(norm_above(self.bias, 2.0))

    @cached_property
    def frobenius(self) -> float:
        """A proven upper bound on the Frobenius norm of W, hence on the spectral norms of W and |W|."""
        return float(norm_above(self.row_norms, 2.0))

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


class Sparse:
    """As `Dense`, for a matrix in CSR. `weight` is the matrix in full, made when first asked for."""

    def __init__(self, matrix: csr_array, bias: torch.Tensor, carried: torch.Tensor | None) -> None:
        self.matrix, self.bias, self.carried = matrix, bias, carried
        self.outputs, self.inputs = (int(n) for n in matrix.shape)

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
    def arrays(self) -> LayerArrays:
        """The layer for code that looks at one point at a time, where every call counts."""
        return LayerArrays.of(self)

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
    def bias_norm(self) -> float:
        """A proven upper bound on ||b||_2."""
        return float(norm_above(self.bias, 2.0))

    @cached_property
    def frobenius(self) -> float:
        """A proven upper bound on the Frobenius norm of W, hence on the spectral norms of W and |W|."""
        return float(norm_above(self.row_norms, 2.0))

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


Affine: TypeAlias = Dense | Sparse


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
    def of(cls, layer: Affine) -> LayerArrays:
        """The arrays of a layer; the weight and the bias share its memory."""
        weight: Any
        if isinstance(layer, Sparse):
            weight, columns = layer.matrix, np.zeros((0, 0))
        else:
            weight = read_only(layer.weight)
            columns = np.array(weight.T, order="C")
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


def csr_parts(matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three arrays that hold a CSR matrix: data, indices, indptr."""
    return matrix.data, matrix.indices, matrix.indptr


def rectified(values: torch.Tensor, carried: torch.Tensor | None) -> torch.Tensor:
    """max(z, 0), or z where the output is carried."""
    return values.relu() if carried is None else torch.where(carried, values, values.relu())


def active(values: _Array, carried: _Array | None = None) -> _Array:
    """Which neurons of these pre-activations are active (bool): z > 0, in every module; z = 0 is on the face.

    Definition 1 of the paper counts z = 0 as active; which side a neuron on its face is given changes no distance, as
    faces are closed. Outputs that are carried count as active.
    """
    return values > 0 if carried is None else (values > 0) | carried


def sparse_spectral_above(matrix: csr_array) -> float:
    """A proven upper bound on the spectral norm of a sparse matrix, in milliseconds.

    For every d > 0, ||W||_2^2 is at most the largest (|W^T W| d)_i / d_i: the spectral norm of a symmetric matrix is at
    most that of its absolute values, whose spectral radius Collatz and Wielandt bound so. Some steps of power iteration
    choose d; d = 1 gives the largest row sum. The error of forming W^T W is at most gamma |W|^T |W|, which goes in.
    """
    scale = float(np.abs(matrix.data).max(initial=0.0))
    if scale == 0 or not math.isfinite(scale):
        return scale if scale == 0 else math.inf
    power = 2.0 ** min(max(math.frexp(scale)[1], -1000), 1000)
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else csr_array(matrix.T)
    small = csr_array((tall.data / power, tall.indices, tall.indptr), shape=tall.shape)
    sized, turned = abs(small), csr_array(small.T)
    terms = int(np.diff(turned.indptr).max(initial=0))
    widest = int(np.diff(small.indptr).max(initial=0))
    counts = np.diff(small.indptr).astype(np.float64)
    direct = float(counts @ counts) <= _GRAM_PRODUCTS
    gram = abs(turned @ small) if direct else None
    touched = np.diff(turned.indptr) > 0
    weights = np.ones(small.shape[1])
    for _ in range(8):
        weights = gram @ weights if gram is not None else sized.T @ (sized @ weights)
        weights = weights / max(float(weights.max()), SMALLEST) + 1e-4
    plain = sum_above(sized.T @ sum_above(sized @ weights, widest), terms)  # above |W|^T |W| d
    if gram is None:
        sums = plain
    else:
        longest = int(np.diff(gram.indptr).max(initial=0))
        sums = above(sum_above(gram @ weights, longest) + dot_error(plain, terms))
    quotient = above(sums[touched] / weights[touched])
    root = above(math.sqrt(above(float(quotient.max(initial=0.0)))))
    # Entries below 2^-1022 of the largest may have underflowed in the scaling; together they are below the last term.
    return float(above(above(root) * power + power * matrix.nnz * SMALLEST))


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


def _shared(array: np.ndarray) -> torch.Tensor:
    """A tensor over the memory of a read-only array, which torch would otherwise warn about."""
    view = array.view()
    if view.flags.writeable:
        return torch.from_numpy(view)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(view)
