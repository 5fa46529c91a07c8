"""Dense symmetric linear algebra of the solver: factors, inverses, products and steps, each once. Nothing is proved."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrf, dpotri

_BLOCK = 96
_SMALL = 50  # up to this size a step length comes from all eigenvalues


def cholesky(matrix: np.ndarray) -> np.ndarray | None:
    """The lower factor of a symmetric matrix, in Fortran order (the upper triangle is not cleared), or None."""
    factor, failed = dpotrf(matrix.T, lower=1, overwrite_a=0, clean=0)
    return factor if failed == 0 and np.isfinite(np.diagonal(factor)).all() else None


def inverse(factor: np.ndarray) -> np.ndarray:
    """The inverse of L L', in full, from the factor."""
    return mirror(np.ascontiguousarray(dpotri(factor, lower=1, overwrite_c=0)[0]))


def mirror(matrix: np.ndarray) -> np.ndarray:
    """The symmetric matrix whose lower triangle is that of `matrix`, in place, block by block."""
    size = len(matrix)
    for i in range(0, size, _BLOCK):
        j = min(i + _BLOCK, size)
        square = np.tril(matrix[i:j, i:j])
        matrix[i:j, i:j] = square + np.tril(square, -1).T
        matrix[i:j, j:] = matrix[j:, i:j].T
    return matrix


def lower_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The lower triangle, at least, of left (n, k) @ right (k, n): a little more than half of a product's work."""
    size = len(left)
    parts = 1 if size < 200 else 6
    found = np.zeros((size, size)) if parts > 1 else np.empty((size, size))
    cuts = np.linspace(0, size, parts + 1).astype(int)
    for i, j in pairwise(cuts):
        np.matmul(left[i:j], right[:, :j], out=found[i:j, :j])
    return found


def symmetric_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left (n, k) @ right (k, n), known to be symmetric."""
    return mirror(lower_product(left, right))


def longest_step(factor: np.ndarray, direction: np.ndarray, iterations: int) -> float:
    """About the largest t with L L' + t direction positive semidefinite; a cautious estimate by Lanczos' method."""
    if len(factor) < _SMALL:
        inner = scipy.linalg.solve_triangular(factor, direction, lower=True, check_finite=False)
        inner = scipy.linalg.solve_triangular(factor, inner.T, lower=True, check_finite=False)
        least = float(np.linalg.eigvalsh((inner + inner.T) / 2)[0])
    else:
        least = _least_eigenvalue(factor, direction, iterations)
    return np.inf if least >= 0 else -1 / least


def _least_eigenvalue(factor: np.ndarray, direction: np.ndarray, iterations: int) -> float:
    """An estimate from below of the least eigenvalue of L^-1 direction L^-T."""
    size = len(factor)
    vector = np.random.default_rng(0).standard_normal(size)
    basis = np.zeros((iterations + 1, size))
    basis[0] = vector / np.linalg.norm(vector)
    diagonal: list[float] = []
    beside: list[float] = []
    found = rest = 0.0
    for k in range(iterations):
        image = dtrsv(factor, direction @ dtrsv(factor, basis[k], lower=1, trans=1), lower=1)
        diagonal.append(float(image @ basis[k]))
        for _ in range(2):
            image -= basis[: k + 1].T @ (basis[: k + 1] @ image)
        beside.append(float(np.linalg.norm(image)))
        last = k == iterations - 1 or beside[-1] < 1e-12
        if last or (k >= 5 and k % 3 == 2):
            values, vectors = scipy.linalg.eigh_tridiagonal(
                diagonal, beside[:-1], select="i", select_range=(0, 0), check_finite=False
            )
            found, rest = float(values[0]), abs(beside[-1] * float(vectors[-1, 0]))
            if last or rest < 0.02 * abs(found) or found - rest > -1e-3:
                break
        basis[k + 1] = image / beside[-1]
    return found - rest / 2
