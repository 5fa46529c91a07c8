"""Valid products that a relaxation's solution violates: of two neurons' forms, and of the ball with a form.

Each form is non-negative at every point of the problem, so every product of two is; the relaxation does not know it.
**Two forms** of different neurons among zeta, omega, 1 - zeta - omega: those whose expected product is most negative.
**Ball and form**: |y| <= reach implies |E[y f]| <= reach E[f] for every form f >= 0, infinitely many products
(1 - tau . y) f >= 0, |tau| reach <= 1, of which the one along E[y f] is violated most. A few directions are shared: a
form takes one that is there already where that cuts off most of its violation. On wide networks these matter most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.certificates.semidefinite.forms import ball_forms
from relucert_core.certificates.semidefinite.operator import Operator
from relucert_core.certificates.semidefinite.relaxation import Relaxation
from relucert_core.certificates.semidefinite.solver import Solution

_BALL_VIOLATION, _PRODUCT_VIOLATION = 2e-4, 1e-4  # of forms that lie in [0, 1]
_SHARE = 0.8  # of a form's violation that a shared direction has to cut off
_SLACK, _IDLE = (
    0.05,
    1e-3,
)  # a cut is dropped when its product is above the one and its multiplier below the other, relatively


@dataclass(frozen=True)
class Effort:
    """How many products of each kind a round adds at most, and how many new directions."""

    balls: int = 300
    products: int = 300
    directions: int = 20


def tightened(problem: Relaxation, solution: Solution, effort: Effort) -> Relaxation | None:
    """The problem without its idle cuts and with those that the solution violates most; None where it violates none."""
    if solution.moment is None:
        return None
    kept = problem.with_cuts(problem.cuts[~_idle(problem, solution)])
    with_balls, found = _ball_products(kept, solution.moment, effort)
    pairs = np.concatenate([found, _form_products(kept, solution.moment, effort.products)])
    known = {tuple(pair) for pair in kept.cuts.tolist()}
    new = [pair for pair in pairs.tolist() if tuple(pair) not in known]
    if not new:
        return None
    return with_balls.with_cuts(np.concatenate([kept.cuts, np.array(new)]))


def _idle(problem: Relaxation, solution: Solution) -> np.ndarray:
    """(c,) bool: the cuts that are far from active and whose multipliers are small."""
    if not len(problem.cuts):
        return np.zeros(0, dtype=bool)
    maps, moment = Operator(problem), solution.moment
    assert moment is not None
    products = maps.gram(moment).table[problem.cuts[:, 0], problem.cuts[:, 1]]
    weights = solution.multipliers.cuts
    idle: np.ndarray = (products > _SLACK) & (weights < _IDLE * weights.max(initial=0.0))
    return idle


def _ball_products(problem: Relaxation, moment: np.ndarray, effort: Effort) -> tuple[Relaxation, np.ndarray]:
    """The problem with new directions among its extras, and the pairs (form, direction) (c, 2)."""
    reach = problem.basis_norm * problem.identity.radius
    images = problem.base_forms()[: 2 * problem.neurons] @ moment
    direct = images[:, problem.inputs]
    if not problem.pivot_is_neuron:
        direct = np.concatenate([(images @ problem.g)[:, None], direct], axis=1)
    lengths = np.sqrt((direct * direct).sum(1)) / reach
    violation = lengths - images[:, 0]
    order = np.argsort(-violation)[: effort.balls]
    directions: list[np.ndarray] = []
    pairs: list[tuple[int, int]] = []
    first = problem.one + 1 + len(problem.extras)
    for form in order[violation[order] > _BALL_VIOLATION]:
        if directions:
            cut_off = np.array(directions) @ direct[form] / reach - images[form, 0]
            best = int(np.argmax(cut_off))
            if cut_off[best] >= _SHARE * violation[form] or len(directions) >= effort.directions:
                if cut_off[best] > _BALL_VIOLATION:
                    pairs.append((int(form), first + best))
                continue
        directions.append(direct[form] / (lengths[form] * reach))
        pairs.append((int(form), first + len(directions) - 1))
    if directions:
        problem = problem.with_extras(*ball_forms(problem, np.array(directions)))
    return problem, np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _form_products(problem: Relaxation, moment: np.ndarray, count: int) -> np.ndarray:
    """The pairs (c, 2) of forms of different neurons whose expected products are most negative."""
    n = problem.neurons
    maps = Operator(problem)
    table = maps.table(maps.gram(moment))[: 3 * n, : 3 * n]
    table[np.tril_indices(3 * n)] = 0.0
    for i in range(3):
        for j in range(i, 3):
            np.fill_diagonal(table[i * n : (i + 1) * n, j * n : (j + 1) * n], 0.0)
    flat = table.ravel()
    taken = min(len(flat) - 1, count + len(problem.cuts))
    if taken <= 0 or count <= 0:
        return np.zeros((0, 2), dtype=np.int64)
    order = np.argpartition(flat, taken)[:taken]
    order = order[np.argsort(flat[order])]
    pairs = np.stack(np.divmod(order[flat[order] < -_PRODUCT_VIOLATION], 3 * n), axis=1)
    known = {tuple(pair) for pair in problem.cuts.tolist()}
    new = [pair for pair in pairs.tolist() if tuple(pair) not in known]
    return np.array(new[:count], dtype=np.int64).reshape(-1, 2)
