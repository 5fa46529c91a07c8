"""Outward rounding in float64: the bounds behind every certified number.

All functions are plain arithmetic, so they take floats, NumPy arrays and torch tensors alike. They rest on the
standard model of IEEE 754 arithmetic, fl(a op b) = (a op b)(1 + delta) + eta with |delta| <= u = 2^-53 and
|eta| <= 2^-1074 (eta only for products and quotients that underflow), and on Higham's gamma_n (Accuracy and Stability
of Numerical Algorithms, 2nd ed., section 3.1): a dot product of n terms, summed in any order, with or without fused
multiply-adds, errs by at most gamma_n sum |a_i b_i| + n eta. Overflow gives an infinity or a NaN, which the callers
turn into radius 0.
"""

from __future__ import annotations

import math
from typing import Any

import torch

UNIT_ROUNDOFF = 2.0**-53
SMALLEST = 2.0**-1074
_FOUR_UNITS = 4 * UNIT_ROUNDOFF


def gamma(terms: int) -> float:
    """An upper bound on Higham's gamma_n = n u / (1 - n u), n = `terms`; infinity where it is not defined."""
    product = terms * UNIT_ROUNDOFF
    if product >= 0.25:
        return math.inf
    return product * (1 + 2 * product) * (1 + _FOUR_UNITS)


def above(value: Any) -> Any:
    """A float >= every real number that at most two rounded operations can have turned into `value` >= 0."""
    return value * (1 + _FOUR_UNITS) + SMALLEST


def below(value: Any) -> Any:
    """A float <= every real number that at most two rounded operations can have turned into `value`; at least 0.

    `value` may be negative: then the answer is 0, the weakest bound on a quantity that cannot be negative.
    """
    lowered = value * (1 - _FOUR_UNITS) - SMALLEST
    if isinstance(lowered, torch.Tensor):
        return lowered.clamp(min=0.0)
    return lowered * (lowered > 0)


def sum_above(value: Any, terms: int) -> Any:
    """Upper bound on an exact sum of products of `terms` non-negative terms whose computed value is `value`."""
    return value * ((1 + 2 * gamma(terms + 2)) * (1 + _FOUR_UNITS)) + (terms + 2) * SMALLEST


def sum_below(value: Any, terms: int) -> Any:
    """Lower bound on an exact sum of products of `terms` non-negative terms whose computed value is `value`."""
    lowered = value * ((1 - 2 * gamma(terms + 2)) * (1 - _FOUR_UNITS)) - (terms + 2) * SMALLEST
    return lowered.clamp(min=0.0) if isinstance(lowered, torch.Tensor) else lowered * (lowered > 0)


def dot_error(absolute: Any, terms: int) -> Any:
    """Bound on the error of a computed sum of products of `terms` terms.

    `absolute` is the computed sum of the products' absolute values (any bound on it from above serves too).
    """
    return sum_above(absolute, terms) * (gamma(terms + 1) * (1 + _FOUR_UNITS)) + (terms + 1) * SMALLEST


def norm_above(rows: torch.Tensor, order: float) -> torch.Tensor:
    """Upper bound on the `order`-norm (1, 2 or inf) of each row, (..., n) -> (...).

    Rows are scaled by a power of two before they are squared, so that 1e-170 or 1e170 entries lose nothing.
    A row of zeros has norm exactly 0.
    """
    size = rows.abs()
    largest = size.amax(-1) if rows.shape[-1] else rows.new_zeros(rows.shape[:-1])
    if order == math.inf:
        return largest
    terms = rows.shape[-1]
    if order == 1:
        bound = sum_above(size.sum(-1), terms)
    else:
        scale = _power_of_two(largest)
        scaled = size / scale.unsqueeze(-1)
        root = torch.sqrt(sum_above((scaled * scaled).sum(-1), terms))
        bound = above(above(root) * scale)
    return torch.where(largest == 0, torch.zeros_like(bound), bound)


def norm_below(rows: torch.Tensor, order: float) -> torch.Tensor:
    """Lower bound on the `order`-norm (1, 2 or inf) of each row, (..., n) -> (...)."""
    size = rows.abs()
    largest = size.amax(-1) if rows.shape[-1] else rows.new_zeros(rows.shape[:-1])
    if order == math.inf:
        return largest
    terms = rows.shape[-1]
    if order == 1:
        return sum_below(size.sum(-1), terms)
    scale = _power_of_two(largest)
    scaled = size / scale.unsqueeze(-1)
    root = torch.sqrt(sum_below((scaled * scaled).sum(-1), terms))
    return below(below(root) * scale)


def _power_of_two(size: torch.Tensor) -> torch.Tensor:
    """A power of two near `size` >= 0, within the range whose reciprocal is normal; 1 for zero and for infinity.

    Division by it is exact but for entries that underflow, and those are below one unit of the result's bound.
    """
    _, exponent = torch.frexp(size)
    exponent = torch.where(torch.isfinite(size) & (size > 0), exponent, torch.zeros_like(exponent))
    return torch.ldexp(torch.ones_like(size), exponent.clamp(-1000, 1000))


def radius_below(numerator: Any, denominator: Any) -> Any:
    """A lower bound on numerator / denominator, given a lower bound >= 0 and an upper bound >= 0 of the two.

    0 / 0 counts as 0 here: callers decide first what a zero row means.
    """
    quotient = below(numerator / torch.where(denominator > 0, denominator, torch.ones_like(denominator)))
    quotient = torch.where(denominator > 0, quotient, torch.where(numerator > 0, math.inf, 0.0))
    return torch.where(torch.isnan(quotient), 0.0, quotient)


def distance_above(point: torch.Tensor, other: torch.Tensor, order: float) -> torch.Tensor:
    """Upper bound on the `order`-norm distance between two stored points, (..., D) and (..., D) -> (...)."""
    difference = (point - other).abs()
    return norm_above(difference * (1 + _FOUR_UNITS) + SMALLEST * (difference > 0), order)


def spectral_above(matrix: torch.Tensor) -> float:
    """A proven upper bound on the spectral norm ||W||_2, tight to about 1e-9 for ordinary matrices.

    Method: with G = W W^T (or W^T W, the smaller) and c a little above the largest computed eigenvalue, factor
    c I - G = R R^T + F. R R^T is positive semidefinite whatever R is, so G <= (c + ||F||_2) I; F is bounded entry by
    entry, the rounding of G and of R R^T counted. No eigenvalue and no factor is trusted. Falls back to the Frobenius
    norm, which is never smaller, when the numbers overflow or the factor fails.
    """
    frobenius = float(norm_above(norm_above(matrix, 2.0), 2.0))
    if frobenius == 0 or not math.isfinite(frobenius):
        return frobenius
    scale = float(_power_of_two(matrix.abs().amax()))
    scaled = matrix / scale
    scaled = scaled if scaled.shape[0] <= scaled.shape[1] else scaled.T
    try:
        square = _largest_eigenvalue_above(scaled)
    except torch.linalg.LinAlgError:
        return frobenius
    bound = above(above(math.sqrt(above(square))) * scale) if math.isfinite(square) else frobenius
    # Entries below 2^-1022 of the largest may have underflowed in the scaling; together they are below this term.
    return min(frobenius, above(bound + scale * matrix.numel() * SMALLEST))


def _largest_eigenvalue_above(matrix: torch.Tensor) -> float:
    """Upper bound on the largest eigenvalue of W W^T for a matrix (n, m) with n <= m and entries of at most 1."""
    count, terms = matrix.shape
    gram = matrix @ matrix.T
    sizes = sum_above((matrix * matrix).sum(1), terms)
    trace = above(float(sizes.sum()) * (1 + gamma(count)))
    # |fl(G) - G|_ij <= gamma sqrt(G_ii G_jj): a matrix whose spectral norm is at most gamma trace(G).
    gram_error = above(dot_error(trace, terms) * (1 + gamma(4))) + count * terms * SMALLEST
    shift = float(torch.linalg.eigvalsh(gram)[-1]) * (1 + 1e-11) + 64 * count * UNIT_ROUNDOFF * trace / count
    shifted = shift * torch.eye(count, dtype=matrix.dtype) - gram
    factor = torch.linalg.cholesky(shifted)
    residual = (shifted - factor @ factor.T).abs()
    row_sums = residual.sum(1) * (1 + 2 * gamma(count + 2)) + count * SMALLEST
    lengths = sum_above(float((factor * factor).sum()), count * count)
    factor_error = above(dot_error(lengths, count)) + count * count * SMALLEST
    # Forming c I - G rounds once on the diagonal, by at most u (c + G_ii); subtracting the product rounds once more.
    forming = 4 * UNIT_ROUNDOFF * (shift + 2 * float(sizes.max()) + float(row_sums.max()))
    return above(above(above(shift + gram_error) + above(float(row_sums.max()) + factor_error)) + forming)
