"""A proved lower bound on the least eigenvalue of a stored symmetric matrix: any factor, its residual counted.

With c a guess, S = A - c I is factored by Cholesky, S = L L' + F. Whatever L is, L L' is positive semidefinite, so
y'A y >= (c - ||F||_2) |y|^2 for every y. Neither the guess nor the factor is trusted: F is bounded entry by entry from
the computed residual, the rounding of S, of L L' and of the difference counted (Higham, Accuracy and Stability of
Numerical Algorithms, 2nd ed., sections 3.5 and 10.1, for any order of summation). Cholesky routines were seen to
accept a matrix with a NaN and to say that all was well: a number that is not finite anywhere refuses the proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg.lapack import dlauum, dpotrf, dpotrs

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above, dot_error, sum_above


def least_eigenvalue_below(matrix: torch.Tensor, guess: torch.Tensor | float) -> torch.Tensor:
    """A number <= the least eigenvalue of each symmetric matrix (..., n, n), float64; -inf where nothing is proved.

    guess: (...,) or a number, proposed from below (see `eigenvalue_guess`). The answer is a little below it where
    A - guess I is positive definite by more than the rounding (about n 2^-53 of its trace), and -inf where not.
    The matrix must be exactly symmetric as stored; one that is not proves nothing.
    """
    size = matrix.shape[-1]
    guess = torch.as_tensor(guess, dtype=matrix.dtype).expand(matrix.shape[:-2])
    if size == 0:
        return torch.full_like(guess, torch.inf)
    shifted = matrix - torch.diag_embed(guess.unsqueeze(-1).expand(*guess.shape, size))
    factor, failed = torch.linalg.cholesky_ex(shifted)
    # The subtraction on the diagonal rounds by u of its result.
    subtraction = 2 * UNIT_ROUNDOFF * shifted.diagonal(dim1=-2, dim2=-1).abs().amax(-1)
    proved = guess - above(residual_norm_above(shifted, factor) + subtraction)
    proved = torch.nextafter(proved, proved.new_tensor(-torch.inf))
    sound = (failed == 0) & torch.isfinite(proved) & (matrix == matrix.mT).all(-1).all(-1)
    return torch.where(sound, proved, -torch.inf)


def residual_norm_above(matrix: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(...,): upper bounds on ||A - L L'||_2 for stored A, symmetric, and L, both (..., n, n), n > 0.

    So A >= -||A - L L'||_2 I, whatever L is. NaN or infinite where the numbers are. The norm of a symmetric matrix is
    at most its largest absolute row sum; the product's error is at most gamma_n |L| |L|' (and the underflow), the
    subtraction's u of its result.
    """
    size = matrix.shape[-1]
    residual = (matrix - factor @ factor.mT).abs()
    row_sums = sum_above(residual.sum(-1), size).amax(-1)
    lengths = factor.abs()
    columns = sum_above(lengths.sum(-2), size)
    products = sum_above((lengths @ columns.unsqueeze(-1)).squeeze(-1), size).amax(-1)
    product_error = above(dot_error(products, size) + size * (size + 2) * SMALLEST)
    return above(above(row_sums * (1 + 2 * UNIT_ROUNDOFF)) + product_error)


def eigenvalue_guess(matrix: torch.Tensor) -> torch.Tensor:
    """(...,): the computed least eigenvalues of symmetric matrices (..., n, n), less what a proof is likely to lose.

    Costs some ten times the proof: where a guess is at hand, take that. NaN where the matrices are not finite.
    """
    size = matrix.shape[-1]
    finite = torch.isfinite(matrix).all(-1).all(-1)
    values = torch.linalg.eigvalsh(torch.where(finite[..., None, None], matrix, 0.0))
    spread = values.abs().amax(-1)
    guess = values[..., 0] - (1e-11 + 64 * size * UNIT_ROUNDOFF) * spread
    return torch.where(finite, guess, torch.nan)


def symmetric_norm_above(entries: torch.Tensor) -> torch.Tensor:
    """(...,): an upper bound on ||E||_2 for every symmetric E with |E_ij| <= entries_ij, (..., n, n), all >= 0."""
    return sum_above(entries.sum(-1), entries.shape[-1]).amax(-1)


@dataclass(frozen=True, eq=False)
class ProvedFactor:
    """What `proved_factor` found: least, a number <= the least eigenvalue, and the computed factor, for solving."""

    least: float
    factor: np.ndarray

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The computed x with A x = right, (n,): nothing about it is proved."""
        return dpotrs(self.factor, right[::-1], lower=1)[0][::-1]


def proved_factor(matrix: np.ndarray) -> ProvedFactor | None:
    """A lower bound on the least eigenvalue of one positive definite matrix, with a factor; None where none is proved.

    matrix (n, n) float64, n > 0: its upper triangle stands for the symmetric matrix. For many matrices one after the
    other: the product of the factor costs a third of n^3, as the factor does. Cholesky of the matrix in reversed order
    is P A P = L L', so that A = U U' with U = P L P upper triangular, and LAPACK's `lauum` multiplies U U'. Proof and
    rounding as in `residual_norm_above`.
    """
    size = len(matrix)
    factor, failed = dpotrf(np.asfortranarray(matrix[::-1, ::-1]), lower=1, clean=1, overwrite_a=1)
    if failed:
        return None
    upper = np.asfortranarray(factor[::-1, ::-1])
    residual = np.abs(np.triu(matrix - dlauum(upper, lower=0)[0]))
    lengths = np.abs(upper)
    row_sums = sum_above(float((residual.sum(0) + residual.sum(1)).max()), size)
    products = sum_above(float((lengths @ sum_above(lengths.sum(0), size)).max()), size)
    product_error = above(dot_error(products, size) + size * (size + 2) * SMALLEST)
    least = -above(above(row_sums * (1 + 2 * UNIT_ROUNDOFF)) + product_error)
    return ProvedFactor(least, factor) if np.isfinite(least) else None
