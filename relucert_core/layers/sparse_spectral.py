"""A proven upper bound on the spectral norm of a sparse matrix."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csr_array

from relucert_core.rounding import SMALLEST, above, dot_error, sum_above

_GRAM_PRODUCTS = 50_000_000  # a sparse W^T W is formed up to this many products


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
