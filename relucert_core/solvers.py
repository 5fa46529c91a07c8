"""The only calls of foreign solvers: least squares, linear and quadratic programs, behind one guard.

**Contract.** A solver proposes; whoever asks checks the answer. Whatever comes in (empty, NaN, infinite, tiny, huge or
rank-deficient arrays), a call returns finite numbers of the promised shapes, or None; it neither raises nor prints nor
takes the process down. Arrays that are not in the solvers' range are not passed on: SciPy's non-negative least squares
frees memory twice for a matrix without columns, and reads what it never wrote for one without rows.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

_RANGE = (1e-300, 1e300)  # of the largest absolute value of a matrix
Answer = TypeVar("Answer")

INFEASIBLE = "infeasible"
FAILED = "solver failed"


def load_solvers() -> None:
    """Load SciPy's solvers, which takes some 0.3 s once in a process: before a clock is started, not under a budget."""
    import scipy.optimize  # noqa: F401


def nonnegative_least_squares(
    matrix: np.ndarray, target: np.ndarray, most_steps: int | None = None
) -> tuple[np.ndarray, float] | None:
    """v (n,) >= 0 that makes ||matrix v - target|| small, and that length; matrix (m, n), target (m,).

    Method: Lawson and Hanson's active sets (SciPy's nnls), `most_steps` of them at most (3 n by default).
    """
    from scipy.optimize import nnls

    return _attempt(lambda: nnls(matrix, target, maxiter=most_steps), matrix, target)


def linear_program(
    cost: np.ndarray, matrix: np.ndarray, limits: np.ndarray, upper: np.ndarray, seconds: float = math.inf
) -> tuple[np.ndarray, np.ndarray] | None:
    """x (n,) and the multipliers (m,) >= 0 of: minimise cost . x with matrix x <= limits and 0 <= x <= upper.

    matrix (m, n); upper (n,), infinite where there is none. Method: HiGHS, for `seconds` at most.
    """
    from scipy.optimize import linprog

    def solve() -> tuple[np.ndarray, np.ndarray] | None:
        options = {} if seconds == math.inf else {"time_limit": max(seconds, 0.0)}
        bounds = np.stack([np.zeros(len(upper)), upper], axis=1)
        found = linprog(cost, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs", options=options)
        return None if found.x is None else (found.x, -found.ineqlin.marginals)

    return _attempt(solve, matrix, cost, limits)


def smallest_step(matrix: np.ndarray, limits: np.ndarray, norm: float) -> tuple[np.ndarray | None, str]:
    """The s (m,) with matrix s >= limits that is smallest in `norm` (1, 2 or inf), or None and why; matrix (q, m).

    A quadratic program (Clarabel) for norm 2. The linear programs go to HiGHS, two to seven times faster here than
    Clarabel: for norm inf to its interior-point method without crossover, for norm 1, which has few rows, to its
    simplex method. "infeasible" is the solver's word.
    """
    answer = _attempt(lambda: _by_cvxpy(matrix, limits, norm), matrix, limits)
    if answer is None:
        return None, FAILED
    return answer


def _by_cvxpy(matrix: np.ndarray, limits: np.ndarray, norm: float) -> tuple[np.ndarray | None, str]:
    import cvxpy as cp

    if norm == 2:
        options: dict[str, Any] = {"solver": cp.CLARABEL}
    else:
        _silence_highs()
        method = {"solver": "simplex"} if norm == 1 else {"solver": "ipm", "run_crossover": "off"}
        options = {"solver": cp.HIGHS, "highs_options": method}
    goal, step, conditions = _program(matrix, limits, norm)
    problem = cp.Problem(cp.Minimize(goal), conditions)
    problem.solve(**options)
    if problem.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
        return None, INFEASIBLE
    return (None, FAILED) if step.value is None else (np.asarray(step.value), "")


def _program(matrix: np.ndarray, limits: np.ndarray, norm: float) -> tuple[Any, Any, list[Any]]:
    """min ||s|| with matrix s >= limits, as (goal, s, conditions) of cvxpy.

    For norm inf s = 2 y - t with 0 <= y <= t: half the rows of -t <= s <= t. For norm 1 s = y - z with y, z >= 0, which
    needs no rows but the given ones.
    """
    import cvxpy as cp

    if norm == math.inf:
        height, share = cp.Variable(), cp.Variable(matrix.shape[1], nonneg=True)
        reached = 2 * matrix @ share - matrix.sum(1) * height
        return height, 2 * share - height, [reached >= limits, share <= height]
    if norm == 1:
        both = cp.Variable(2 * matrix.shape[1], nonneg=True)
        step = both[: matrix.shape[1]] - both[matrix.shape[1] :]
        return cp.sum(both), step, [np.hstack([matrix, -matrix]) @ both >= limits]
    step = cp.Variable(matrix.shape[1])
    return cp.sum_squares(step), step, [matrix @ step >= limits]


def _attempt(solve: Callable[[], Answer | None], *arrays: np.ndarray) -> Answer | None:
    """`solve()`, unless the arrays (the matrix first) are out of range; None when it fails or is not finite."""
    if not all(array.size and np.isfinite(array).all() for array in arrays):
        return None
    if not _RANGE[0] < np.abs(arrays[0]).max() < _RANGE[1] or max(np.abs(a).max() for a in arrays) > _RANGE[1]:
        return None
    try:
        with np.errstate(all="ignore"):
            answer = solve()
    except Exception:  # iterations used up, a singular matrix, a status that a library turns into its own error
        return None
    parts = answer if isinstance(answer, tuple) else (answer,)
    numbers = [part for part in parts if isinstance(part, (np.ndarray, float))]
    return answer if all(np.isfinite(part).all() for part in numbers) else None


@functools.cache
def _silence_highs() -> None:
    """Make the first HiGHS object of the process, which announces itself on file descriptor 1, with that on stderr."""
    try:
        import highspy

        sys.stdout.flush()
        kept = os.dup(1)
    except (ImportError, OSError, ValueError):
        return
    try:
        os.dup2(2, 1)
        highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
