"""The other side: the solver's moment matrix as directions in which the nearest adversarial point may lie.

The moment matrix X stands for E[v' v'^T] over the points of the problem. Its first column is E[v'], whose inputs are
the mean displacement; where X has rank one it is v' v'^T, and the direction is that of the nearest point itself. Its
leading eigenvectors are other candidates, with both signs. All of it is a hint: the search follows each direction to
the boundary and proves what it finds (see `search.improve`).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse.linalg

from relucert_core.certificates.semidefinite.relaxation import Relaxation

_DENSE = 64  # rows up to which all eigenvectors cost less than an iteration for some
_TOLERANCE = 1e-3


@np.errstate(all="ignore")  # numbers that are not finite end in no direction
def directions(problem: Relaxation, moment: np.ndarray | None, count: int = 2) -> np.ndarray:
    """Displacements (S, D) along which to look, the first column's first, then those of `count` eigenvectors.

    moment: (N, N), or None where the solver has none. S is at most 1 + 2 count; it is 0 where nothing is finite.
    """
    if moment is None or not np.isfinite(moment).all():
        return np.zeros((0, len(problem.basis)))
    _, vectors = leading(moment, count)
    lifted = [moment[:, 0], *(sign * vector for vector in vectors.T for sign in (1.0, -1.0))]
    found = np.array([problem.displacement(v) for v in lifted])
    sizes = np.sqrt((found * found).sum(1))
    return found[np.isfinite(sizes) & (sizes > 0)]


@np.errstate(all="ignore")
def rank_gap(moment: np.ndarray) -> float:
    """The second eigenvalue over the first, about 0 for a matrix of rank one: a hint that the answer is exact."""
    if moment.shape[0] < 2 or not np.isfinite(moment).all():
        return np.nan
    values, _ = leading(moment, 2)
    return float(values[1] / values[0])


def leading(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues (count,) of a symmetric matrix and their vectors (N, count), largest first."""
    size = len(matrix)
    if size <= _DENSE or count >= size - 1:
        values, vectors = np.linalg.eigh(matrix)
        return values[::-1][:count], vectors[:, ::-1][:, :count]
    try:
        values, vectors = scipy.sparse.linalg.eigsh(matrix, k=count, v0=matrix[:, 0], tol=_TOLERANCE)
    except scipy.sparse.linalg.ArpackError:
        return np.full(count, np.nan), np.zeros((size, 0))
    order = np.argsort(-values)
    return values[order], vectors[:, order]
