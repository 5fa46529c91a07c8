"""Half-space geometry without networks.

Nothing here is certified: a point comes back that the caller must check, and "infeasible" is the solver's word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relucert_core.norms import dual
from relucert_core.solvers import FAILED, INFEASIBLE, nonnegative_least_squares, smallest_step
from relucert_core.tolerances import ADDED_ROWS, FIRST_ROWS, SOLVER_FEASIBILITY

FOUND = "found"
FARTHER = "farther than the bound"


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

    rows (N, D), slacks (N,) >= 0: a polyhedron around the origin; target (D,), gap > 0. Constraint generation: a
    program over few rows is solved again with the rows that its answer violates, until none is; every program is a
    relaxation, so one that is infeasible or farther than `bound` settles the matter. The least-squares form of the
    L2 program (non-negative least squares, milliseconds) runs first: it finds out whether there is a point at all, in
    any norm, and which rows matter; cvxpy then solves the program in the norm asked.
    """
    sizes = np.linalg.norm(rows, axis=1)
    usable = np.flatnonzero(sizes > 0)
    rows, slacks = rows[usable] / sizes[usable, None], slacks[usable] / sizes[usable]
    scale = float(np.linalg.norm(target))
    if scale == 0:
        return NearestStep(None, INFEASIBLE, 0)
    target, gap = target / scale, gap / scale
    first = np.argsort(slacks)[:FIRST_ROWS]
    screened = _generate(rows, slacks, target, gap, 2.0, math.inf, first, _solve_by_least_squares)
    if screened.status == INFEASIBLE or _smallest_norm(screened, norm) >= bound:
        return NearestStep(None, INFEASIBLE if screened.step is None else FARTHER, screened.rows)
    working = first
    if screened.step is not None:  # other norms end on other rows, mostly among those nearest to the L2 answer
        spare = 0 if norm == 2 else ADDED_ROWS
        working = np.argsort(rows @ screened.step + slacks)[: len(screened.tight) + spare]
    answer = _generate(rows, slacks, target, gap, norm, bound, working, _solve)
    return NearestStep(answer.step, answer.status, answer.rows, tuple(int(usable[i]) for i in answer.tight))


def _smallest_norm(screened: NearestStep, norm: float) -> float:
    """What the shortest step s in L2 says of any feasible x: s . x >= s . s, so ||x|| >= s . s / ||s||_dual."""
    if screened.step is None:
        return 0.0
    square = float(screened.step @ screened.step)
    return square / float(np.linalg.norm(screened.step, ord=dual(norm))) * (1 - 1e-6)


Solver = Callable[[np.ndarray, np.ndarray, np.ndarray, float, float], "tuple[np.ndarray | None, str]"]


def _generate(
    rows: np.ndarray,
    slacks: np.ndarray,
    target: np.ndarray,
    gap: float,
    norm: float,
    bound: float,
    working: np.ndarray,
    solve: Solver,
) -> NearestStep:
    """Constraint generation over rows of L2 norm 1, from the `working` ones on, with the given solver."""
    while True:
        step, status = solve(rows[working], slacks[working], target, gap, norm)
        if step is None:
            return NearestStep(None, status, len(working))
        size = float(np.linalg.norm(step, ord=norm))
        if size >= bound:
            return NearestStep(None, FARTHER, len(working))
        values, allowed = rows @ step + slacks, SOLVER_FEASIBILITY * float(np.linalg.norm(step))
        violated = np.setdiff1d(np.flatnonzero(values < -allowed), working)
        if not len(violated):
            tight = np.flatnonzero(values < 10 * allowed)
            return NearestStep(step, FOUND, len(working), tuple(int(i) for i in tight))
        idle = np.setdiff1d(np.arange(len(rows)), working)  # the nearly violated rows come along: fewer rounds
        working = np.concatenate([working, idle[np.argsort(values[idle])[:ADDED_ROWS]]])


def _solve_by_least_squares(
    rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float, _norm: float
) -> tuple[np.ndarray | None, str]:
    """The L2 program as non-negative least squares (least distance programming, Lawson and Hanson, chapter 23).

    With G s >= h, the residual r of min ||[G^T; h^T] v - e|| over v >= 0, e the last unit vector, gives the shortest
    step -r / r_last, and r = 0 shows that there is none.
    """
    matrix, limits, basis = _in_the_span(rows, slacks, target, gap)
    system = np.vstack([matrix.T, limits])
    goal = np.append(np.zeros(matrix.shape[1]), 1.0)
    answer = nonnegative_least_squares(system, goal, 20 * len(limits))
    if answer is None:
        return None, FAILED
    weights, size = answer
    residual = system @ weights - goal
    if size < 1e-7 or residual[-1] > -1e-14:
        return None, INFEASIBLE
    step = -residual[:-1] / residual[-1]
    return (step if basis is None else basis @ step) * gap, FOUND


def _in_the_span(
    rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The constraints as G s >= h with lengths scaled so that gap is 1, in a basis of the rows' span when it is small.

    The shortest step in L2 lies in that span.
    """
    matrix = np.vstack([rows, target])
    limits = np.append(-slacks / gap, 1.0)
    if len(matrix) >= matrix.shape[1]:
        return matrix, limits, None
    basis = np.linalg.qr(matrix.T)[0]
    return matrix @ basis, limits, basis


def _solve(
    rows: np.ndarray, slacks: np.ndarray, target: np.ndarray, gap: float, norm: float
) -> tuple[np.ndarray | None, str]:
    """One program over the given rows: a QP for norm 2, an LP for 1 and inf; see `solvers.smallest_step`."""
    if norm == 2:
        matrix, limits, basis = _in_the_span(rows, slacks, target, gap)
    else:
        matrix, limits, basis = np.vstack([rows, target]), np.append(-slacks / gap, 1.0), None
    step, status = smallest_step(matrix, limits, norm)
    if step is None:
        return None, status
    return (step if basis is None else basis @ step) * gap, FOUND
