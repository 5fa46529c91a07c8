"""The matrices of affine forms: dense, sparse (CSR) or a mere choice of columns; and when a product of them is exact.

Three kinds stand for the rows of a map R^m -> R^n: an ndarray (n, m), a `csr_array` (n, m), and `Picks`, rows that
each hold a single 1 or nothing. Every function says beside its result whether it is free of rounding, in the sense
that the result is the real-arithmetic one to the bit; "no" may be said too often, "yes" never wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Picks:
    """Row i of this (n, size) matrix has a 1 in column index[i], or is zero where index[i] is -1."""

    index: np.ndarray
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """(n, size)."""
        return len(self.index), self.size

    @property
    def whole(self) -> bool:
        """Is this the identity matrix?"""
        return len(self.index) == self.size and bool((self.index == np.arange(self.size)).all())


Rows: TypeAlias = np.ndarray | csr_array | Picks


def entries(rows: Rows) -> int:
    """How many coefficients the rows store."""
    if isinstance(rows, Picks):
        return int(np.count_nonzero(rows.index >= 0))
    return int(rows.size if isinstance(rows, np.ndarray) else rows.nnz)


def counts(rows: Rows) -> np.ndarray:
    """(n,): how many coefficients each row stores; a dense row stores all of them, zeros too."""
    if isinstance(rows, Picks):
        return (rows.index >= 0).astype(np.int64)
    if isinstance(rows, np.ndarray):
        return np.full(rows.shape[0], rows.shape[1], dtype=np.int64)
    return np.diff(rows.indptr).astype(np.int64)


def sparse(rows: Rows) -> csr_array:
    """The same matrix in CSR. Zeros that a dense matrix stores are left out."""
    if isinstance(rows, Picks):
        kept = rows.index >= 0
        start = np.concatenate(([0], np.cumsum(kept)))
        return csr_array((np.ones(int(start[-1])), rows.index[kept], start), shape=rows.shape)
    return csr_array(rows)


def take(rows: Rows, index: np.ndarray) -> Rows:
    """Row index[i] of `rows`, or a row of zeros where index[i] is -1. Exact."""
    absent = index < 0
    if isinstance(rows, Picks):
        return Picks(np.where(absent, -1, rows.index[np.where(absent, 0, index)]), rows.size)
    if isinstance(rows, np.ndarray):
        if len(index) == len(rows) and bool((index == np.arange(len(rows))).all()):
            return rows
        taken = rows[np.where(absent, 0, index)]
        taken[absent] = 0.0
        return taken
    starts, lengths = rows.indptr[np.where(absent, 0, index)], np.where(absent, 0, counts(rows)[index])
    stops = np.concatenate(([0], np.cumsum(lengths)))
    places = np.arange(stops[-1]) + np.repeat(starts - stops[:-1], lengths)
    return csr_array((rows.data[places], rows.indices[places], stops), shape=(len(index), rows.shape[1]))


def stack(parts: list[Rows]) -> Rows:
    """The rows of all parts, one under the other."""
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, Picks) for part in parts):
        return Picks(np.concatenate([part.index for part in parts]), parts[0].shape[1])  # type: ignore[union-attr]
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)  # type: ignore[arg-type]
    converted = [sparse(part) for part in parts]
    lengths = np.concatenate([np.diff(part.indptr) for part in converted])
    start = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    data = np.concatenate([part.data for part in converted])
    indices = np.concatenate([part.indices for part in converted])
    return csr_array((data, indices, start), shape=(len(start) - 1, parts[0].shape[1]))


def scaled(rows: Rows, factors: np.ndarray, *, divide: bool = False) -> tuple[Rows, bool]:
    """Row i times (or divided by) factors[i]."""
    if bool((factors == 1).all()):
        return rows, True
    if isinstance(rows, np.ndarray):
        each: Any = factors[:, None]
        values, result = rows, (rows / each if divide else rows * each)
        return result, _exact(values, each, divide)
    matrix = sparse(rows)
    each = np.repeat(factors, np.diff(matrix.indptr))
    data = matrix.data / each if divide else matrix.data * each
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape), _exact(matrix.data, each, divide)


def added(first: Rows, second: Rows) -> tuple[Rows, bool]:
    """The sum of two matrices of one shape; exact where no two coefficients met, or their sums had no error."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        a, b = (x if isinstance(x, np.ndarray) else sparse(x).toarray() for x in (first, second))
        return a + b, exact_sum(a, b)
    a, b = sparse(first), sparse(second)
    total = a + b
    return total, total.nnz == a.nnz + b.nnz


def applied(matrix: Rows, rows: Rows) -> tuple[Rows, bool]:
    """matrix (k, n) times rows (n, m)."""
    if isinstance(rows, Picks):
        return _rearranged(matrix, rows)
    if isinstance(matrix, Picks):
        return take(rows, matrix.index), True
    if isinstance(rows, np.ndarray):
        single = rows.shape[0] == 1
        return np.asarray(matrix @ rows), single and _exact(_values(matrix), rows, False)
    product = matrix @ rows
    if isinstance(matrix, np.ndarray):
        alone = int(np.bincount(rows.indices, minlength=1).max(initial=0)) <= 1
        return np.asarray(product), alone and _exact(matrix, rows.data, False)
    terms = int(np.diff(rows.indptr)[matrix.indices].sum())
    return csr_array(product), product.nnz == terms and _exact(matrix.data, rows.data, False)


def expected(matrix: Rows, rows: Rows) -> int:
    """An upper bound on what `applied` will store, known before it is made."""
    full = matrix.shape[0] * rows.shape[1]
    if isinstance(rows, Picks):
        return full if isinstance(matrix, np.ndarray) else entries(matrix)
    if isinstance(matrix, np.ndarray) or isinstance(rows, np.ndarray):
        return full
    return min(full, int(counts(rows)[sparse(matrix).indices].sum()))


def exact_sum(a: Any, b: Any) -> bool:
    """Are all sums a + b free of rounding (Knuth's two-sum)?"""
    total = a + b
    part = total - a
    return bool(np.all(((a - (total - part)) + (b - part)) == 0))


def nonnegative_ones(rows: Rows) -> bool:
    """Is every stored coefficient exactly 1?"""
    return isinstance(rows, Picks) or (not isinstance(rows, np.ndarray) and bool((rows.data == 1).all()))


def _rearranged(matrix: Rows, picks: Picks) -> tuple[Rows, bool]:
    """matrix times picks: the columns of the matrix go where the picks say; columns that meet are added."""
    if picks.whole:
        return matrix, True
    if isinstance(matrix, Picks):
        return take(picks, matrix.index), True
    used = picks.index[picks.index >= 0]
    apart = len(np.unique(used)) == len(used)
    if isinstance(matrix, np.ndarray):
        result = np.zeros((matrix.shape[0], picks.size))
        kept = picks.index >= 0
        if apart:
            result[:, used] = matrix[:, kept]
        else:
            np.add.at(result.T, used, matrix.T[kept])
        return result, apart
    places = picks.index[matrix.indices]
    kept = places >= 0
    start = np.concatenate(([0], np.cumsum(kept)))[matrix.indptr]
    moved = csr_array((matrix.data[kept], places[kept], start), shape=(matrix.shape[0], picks.size))
    before = moved.nnz
    moved.sum_duplicates()
    return moved, moved.nnz == before


def _values(matrix: Any) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.data


def _exact(values: np.ndarray, factors: Any, divide: bool) -> bool:
    """Are all products (quotients) exact? So they are by powers of two, and products of two float32 numbers are."""
    powers = _powers_of_two(factors) or (not divide and _powers_of_two(values))
    if powers and not (_tiny(values) or _tiny(factors)):
        return True
    return not divide and _single(values) and _single(factors)


def _powers_of_two(values: Any) -> bool:
    mantissa, exponent = np.frexp(values)
    return bool((((np.abs(mantissa) == 0.5) & (np.abs(exponent) < 100)) | (values == 0)).all())


def _tiny(values: Any) -> bool:
    size = np.abs(values)
    return bool(((size < 1e-200) & (size > 0)).any())


def _single(values: Any) -> bool:
    with np.errstate(over="ignore"):
        return bool((np.asarray(values, dtype=np.float32) == values).all())
