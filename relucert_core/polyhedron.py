"""Half-space geometry without networks; the only caller of the LP and QP solvers.

Nothing here is certified: a point comes back that the caller must check, and "infeasible" is the solver's word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from relucert_core.tolerances import ADDED_ROWS, FIRST_ROWS, SOLVER_FEASIBILITY

FOUND = "found"
INFEASIBLE = "infeasible"
FARTHER = "farther than the bound"
FAILED = "solver failed"


@dataclass(frozen=True, eq=False)
class NearestStep:
    """The answer of `nearest_step`.

    step: (D,) or None. status: "found", "infeasible", "farther than the bound" or "solver failed". rows: how many of
    the half-spaces the last program held. tight: the indices of those that hold with equality, to solver accuracy.
    """

    step: np.ndarray | None
    status: str
    rows: int
    tight: tuple[int, ...] = ()


def nearest_step(
    rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float, norm: float, bound: float = math.inf
) -> NearestStep:
    """The smallest step s in `norm` (1, 2 or inf) with rows s + slacks >= 0 and target . s >= gap.

    rows (N, D), slacks (N,) >= 0: a polyhedron around the origin; target (D,), gap > 0. Constraint generation: the
    program starts with the rows nearest to the origin and is solved again with the rows that its answer violates, until
    none is; every program is a relaxation, so one that is infeasible or farther than `bound` settles the matter.
    """
    sizes = np.linalg.norm(rows, axis=1)
    usable = np.flatnonzero(sizes > 0)
    rows, slacks = rows[usable] / sizes[usable, None], slacks[usable] / sizes[usable]
    scale = np.linalg.norm(target)
    if scale == 0:
        return NearestStep(None, INFEASIBLE, 0)
    target, gap = target / scale, gap / scale
    working = _first_rows(rows, slacks, target, gap)
    while True:
        step, status = _solve(rows[working], slacks[working], target, gap, norm)
        if step is None:
            return NearestStep(None, status, len(working))
        size = float(np.linalg.norm(step, ord=norm))
        if size >= bound:
            return NearestStep(None, FARTHER, len(working))
        values = rows @ step + slacks
        violated = np.setdiff1d(np.flatnonzero(values < -SOLVER_FEASIBILITY * size), working)
        if not len(violated):
            tight = np.flatnonzero(values < 10 * SOLVER_FEASIBILITY * size)
            return NearestStep(step, FOUND, len(working), tuple(int(i) for i in usable[tight]))
        worst = violated[np.argsort(values[violated])[:ADDED_ROWS]]
        working = np.concatenate([working, worst])


def _first_rows(rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float) -> np.ndarray:
    """The nearest rows, and those that the step straight to the target violates most."""
    straight = rows @ (target * gap) + slacks
    return np.union1d(np.argsort(slacks)[:FIRST_ROWS], np.argsort(straight)[:FIRST_ROWS])


def _solve(
    rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float, norm: float
) -> tuple[np.ndarray | None, str]:
    """One program over the given rows: a QP for norm 2, an LP for 1 and inf. Lengths are scaled so that gap is 1."""
    import cvxpy as cp

    matrix = np.vstack([rows, target])
    limits = np.append(-slacks / gap, 1.0)
    basis = None
    if norm == 2 and len(matrix) < matrix.shape[1]:  # the shortest step lies in the span of the rows
        basis = np.linalg.qr(matrix.T)[0]
        matrix = matrix @ basis
    variable = cp.Variable(matrix.shape[1])
    goal = cp.sum_squares(variable) if norm == 2 else cp.norm(variable, "inf" if norm == math.inf else 1)
    problem = cp.Problem(cp.Minimize(goal), [matrix @ variable >= limits])
    try:
        problem.solve(solver=cp.CLARABEL if norm == 2 else cp.HIGHS)
    except (cp.SolverError, ValueError):
        return None, FAILED
    if problem.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
        return None, INFEASIBLE
    if variable.value is None or not np.isfinite(variable.value).all():
        return None, FAILED
    step = variable.value if basis is None else basis @ variable.value
    return step * gap, FOUND
