"""Names for arrays by rank and kind, which tell a type checker what comes in and what an attribute holds.

Only names: nothing is checked when a program runs (`network.as_points` does that). Lengths stand in docstrings, (D,) or
(B, D), since types know ranks alone.

**One point or a batch.** What `net(x)`, `certify` and `attack` return depends on the rank of x, so they are overloaded
by it. Often a checker cannot know the rank: NumPy says that `images[0]` is of any type, and that `images[:9]` is an
array of any rank. Both must give the union of the two answers: not a silent Any, and not the wrong one of the two. That
is what `OfAnyRank` is for, which stands first: its bound is an array of a rank that no point has, so it takes just the
arguments that fit everything. Declare the rank where the union is in the way: `x: rc.Vector = images[0]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

_Reals: TypeAlias = np.dtype[np.float64]
Vector: TypeAlias = np.ndarray[tuple[int], _Reals]
Matrix: TypeAlias = np.ndarray[tuple[int, int], _Reals]
Stack: TypeAlias = np.ndarray[tuple[int, int, int], _Reals]
Floats: TypeAlias = np.ndarray[tuple[int, ...], _Reals]

Indices: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
IndexPairs: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Signs: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
SignRows: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
Words: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
Objects: TypeAlias = np.ndarray[tuple[int], np.dtype[np.object_]]


class SparseMatrix(Protocol):
    """What Relucert asks of a `scipy.sparse.csr_array`, (m, n) float64: SciPy itself has no types."""

    shape: tuple[int, int]
    data: Vector
    indices: Indices
    indptr: Indices
    nnz: int

    def toarray(self) -> Matrix:
        """The same matrix with its zeros, (m, n)."""


_Scalars: TypeAlias = np.dtype[np.generic]
_OnePoint: TypeAlias = np.ndarray[tuple[int], _Scalars] | Sequence[float]
_ManyPoints: TypeAlias = np.ndarray[tuple[int, int], _Scalars] | Sequence[_OnePoint]
_OfNoPoint: TypeAlias = np.ndarray[tuple[int, int, int, int, int, int, int, int, int], _Scalars]

Norm: TypeAlias = float | str
Numbers: TypeAlias = "np.ndarray[tuple[int, ...], _Scalars] | torch.Tensor | Sequence[_OnePoint] | Sequence[float]"
Labels: TypeAlias = "int | np.ndarray[tuple[int, ...], _Scalars] | torch.Tensor | Sequence[int] | None"

OfAnyRank = TypeVar("OfAnyRank", bound=_OfNoPoint)
OnePoint = TypeVar("OnePoint", bound=_OnePoint)
ManyPoints = TypeVar("ManyPoints", bound=_ManyPoints)
TorchPoints = TypeVar("TorchPoints", bound="torch.Tensor")
