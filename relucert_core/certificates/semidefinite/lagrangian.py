"""The Lagrangian of a relaxation as one stored matrix, with a proved bound of everything that its rounding can change.

At every point of the problem (see `relaxation`), with a_k, b_k the true values of the forms of constraint k, all
a_k b_k >= 0 (= 0 for the complements), so for multipliers y_k >= 0 (of any sign for the complements)
    |y|^2 >= |y|^2 - sum_k y_k a_k b_k.
With F the stored rows of the base forms, a form's true value is its row's plus delta, |delta| <= its error; so
    a b <= (row_a v')(row_b v') + error_a bound_b + bound_a error_b + error_a error_b,
and every t_i is written out as one - zeta_i - omega_i. What remains is v' (C - F^T K F) v' with K sparse, of which the
stored matrix M is the rounded value: by the model of `rounding`, |M - (C - F^T K F)|_ij is at most u times the number
of terms times the same expression in absolute values. Over the points of the problem |y| <= |Q| r and 0 <= zeta <= 1,
hence sum_j |F_aj v'_j| <= h_a = |F_a0| + |F_a,y|_2 |Q| r + |F_a,zeta|_1, and the rounding changes v' M v' by at most
u sum_a terms_a h_a (|K| h)_a: a bound that costs no more than a few products with vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from relucert_core.certificates.semidefinite.relaxation import Multipliers, Relaxation
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF

_DOUBT = 1.01  # covers the rounding inside error bounds themselves: their own terms are far fewer than 0.01 / u


@dataclass(frozen=True, eq=False)
class Lagrangian:
    """|y|^2 >= v' M v' - error at every point of the problem, in real arithmetic; matrix: M (N, N), symmetric."""

    matrix: np.ndarray
    error: float


def lagrangian(relaxation: Relaxation, multipliers: Multipliers) -> Lagrangian:
    """The Lagrangian of multipliers of the right shapes, those of inequalities >= 0."""
    pairs, weights = _products(relaxation, multipliers)
    expansion = _expansion(relaxation)
    forms, sizes = relaxation.neurons * 3 + 1 + len(relaxation.extras), _form_sizes(relaxation)
    coupling, magnitude, counts = (
        _coupling(part, pairs, values, forms)
        for part, values in (
            (expansion, weights),
            (abs(expansion), np.abs(weights)),
            (abs(expansion), np.ones(len(weights))),
        )
    )
    product = _from_left(relaxation, coupling @ relaxation.base_forms())
    matrix = relaxation.objective() - (product + product.T) / 2
    terms = np.diff(coupling.indptr) + (counts.max() if counts.nnz else 0) + forms + 16
    reach = float(_sizes(relaxation, relaxation.g[None])[0])
    rounding = float((terms * sizes) @ (magnitude @ sizes)) + 16 * (reach**2 + relaxation.size_above)
    underflow = SMALLEST * float(terms.max()) ** 2 * float(sizes.sum() + relaxation.size_above + 1) ** 2
    error = _DOUBT * (UNIT_ROUNDOFF * rounding + underflow + _form_errors(relaxation, pairs, np.abs(weights)))
    return Lagrangian(matrix, error)


def _products(relaxation: Relaxation, multipliers: Multipliers) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of form indices (q, 2) and weights (q,): sum_k y_k a_k b_k as a sum of products of two forms."""
    neuron = np.arange(relaxation.neurons)
    omega, one = relaxation.neurons + neuron, np.full(relaxation.neurons, relaxation.one)
    box = ((neuron, one), (neuron, neuron), (omega, one), (omega, omega))
    pairs = [np.stack(pair, 1) for pair in ((neuron, omega), *box)]
    weights = [multipliers.complement]
    for side in (multipliers.zeta_box, multipliers.omega_box):
        weights += [side, -side]
    return np.concatenate([*pairs, relaxation.cuts]), np.concatenate([*weights, multipliers.cuts])


def _expansion(relaxation: Relaxation) -> scipy.sparse.csr_array:
    """(3 n + 1 + K, 2 n + 1 + K): every form as a sum of base forms, with the coefficients 1 and -1."""
    n, extras = relaxation.neurons, len(relaxation.extras)
    neuron, rest = np.arange(n), np.arange(1 + extras)
    t = 2 * n + neuron
    rows = np.concatenate([np.arange(2 * n), t, t, t, 3 * n + rest])
    columns = np.concatenate([np.arange(2 * n), np.full(n, 2 * n), neuron, n + neuron, 2 * n + rest])
    signs = np.concatenate([np.ones(3 * n), -np.ones(2 * n), np.ones(1 + extras)])
    return scipy.sparse.csr_array((signs, (rows, columns)), shape=(3 * n + 1 + extras, 2 * n + 1 + extras))


def _coupling(
    expansion: scipy.sparse.csr_array, pairs: np.ndarray, weights: np.ndarray, forms: int
) -> scipy.sparse.csr_array:
    """E^T P E with P the weights at the pairs: the sum of products over base forms, not symmetrised."""
    products = scipy.sparse.csr_array((weights, (pairs[:, 0], pairs[:, 1])), shape=(forms, forms))
    return (expansion.T @ products @ expansion).tocsr()


def _from_left(relaxation: Relaxation, rows: np.ndarray) -> np.ndarray:
    """F^T rows for rows (2 n + 1 + K, N), without multiplying by the rows of F that only pick a coordinate."""
    n = relaxation.neurons
    result = relaxation.omega.T @ rows[n : 2 * n]
    picked = relaxation.zetas.stop - relaxation.zetas.start
    result[relaxation.zetas] += rows[:picked]
    if relaxation.pivot_is_neuron:
        result += np.outer(relaxation.g, rows[n - 1])
    result[0] += rows[2 * n]
    if len(relaxation.extras):
        result += relaxation.extras.T @ rows[2 * n + 1 :]
    return result


def _sizes(relaxation: Relaxation, rows: np.ndarray) -> np.ndarray:
    """(R,): bounds of sum_j |rows_j v'_j| over the points of the problem."""
    direct = np.sqrt(np.square(rows[:, relaxation.inputs]).sum(1))
    reach = relaxation.basis_norm * relaxation.identity.radius
    others = np.abs(rows[:, 0]) + np.abs(rows[:, relaxation.zetas]).sum(1)
    # A square below 2^-1074 is lost from the root: at most 2^-500 of every entry.
    size: np.ndarray = _DOUBT * (direct * reach + others) + 2.0**-500 * rows.shape[1] * (1 + reach)
    return size


def _form_sizes(relaxation: Relaxation) -> np.ndarray:
    """(2 n + 1 + K,): h of the base forms."""
    n = relaxation.neurons
    zeta = np.ones(n)
    if relaxation.pivot_is_neuron:
        zeta[-1] = _sizes(relaxation, relaxation.g[None])[0]
    return np.concatenate([zeta, _sizes(relaxation, relaxation.omega), [1.0], _sizes(relaxation, relaxation.extras)])


def _form_errors(relaxation: Relaxation, pairs: np.ndarray, magnitudes: np.ndarray) -> float:
    """sum |y_k| (error_a bound_b + bound_a error_b + error_a error_b): what the forms' own errors can change."""
    n = relaxation.neurons
    omega = relaxation.omega_error
    errors = np.concatenate([np.zeros(n), omega, omega, [0.0], relaxation.extra_error])
    bounds = np.concatenate([np.ones(3 * n + 1), relaxation.extra_bound])
    first, second = pairs[:, 0], pairs[:, 1]
    each = errors[first] * bounds[second] + bounds[first] * errors[second] + errors[first] * errors[second]
    return float(magnitudes @ each)
