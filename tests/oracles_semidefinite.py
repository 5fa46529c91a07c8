"""Independent oracles of the semidefinite certificate: a relaxation's claims in rational arithmetic, and by cvxpy.

The Lagrangian is written out from the forms one by one, t_i with its own row, without the expansion, the blocks and
the error bounds of the engine.
"""

from __future__ import annotations

from fractions import Fraction

import cvxpy
import numpy as np

from relucert_core.certificates.semidefinite.relaxation import CUT, OMEGA_BOX, ZETA_BOX, Multipliers, Relaxation
from tests.oracles import exact
from tests.oracles_definite import positive_semidefinite

Row = list[Fraction]
SLACKS = (0, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)


def form_rows(relaxation: Relaxation) -> list[Row]:
    """The rows of zeta, omega, t, one and the extras over v', as fractions."""
    n, size = relaxation.neurons, relaxation.size
    unit = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    zeta = [unit[i] for i in range(size)[relaxation.zetas]]
    if relaxation.pivot_is_neuron:
        zeta.append(exact(relaxation.g))
    omega = [exact(row) for row in relaxation.omega]
    t = [[a - b - c for a, b, c in zip(unit[0], zeta[i], omega[i], strict=True)] for i in range(n)]
    return [*zeta, *omega, *t, unit[0], *(exact(row) for row in relaxation.extras)]


def terms(relaxation: Relaxation, multipliers: Multipliers) -> list[tuple[Fraction, Row, Row]]:
    """(y_k, a_k, b_k) of every constraint, the multipliers of inequalities raised to 0 where they are negative."""
    rows = form_rows(relaxation)
    one = rows[relaxation.one]
    everything = np.concatenate(list(vars(multipliers).values()))
    listed = []
    for (a, b, kind), value in zip(relaxation.constraints(), everything, strict=True):
        second = [p - q for p, q in zip(one, rows[a], strict=True)] if kind in (ZETA_BOX, OMEGA_BOX) else rows[b]
        weight = Fraction(float(value)) if kind == 0 else max(Fraction(float(value)), Fraction(0))
        listed.append((weight, rows[a], second))
    return listed


def objective_rows(relaxation: Relaxation) -> list[Row]:
    """The coordinates of y over v': |y|^2 is the sum of their squares."""
    size = relaxation.size
    rows = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)[relaxation.inputs]]
    return rows if relaxation.pivot_is_neuron else [exact(relaxation.g), *rows]


def dual_matrix(relaxation: Relaxation, multipliers: Multipliers) -> list[Row]:
    """C - sum_k y_k sym(a_k b_k^T) without rounding, (N, N)."""
    size = relaxation.size
    products = [(Fraction(1), row, row) for row in objective_rows(relaxation)]
    products += [(-y, a, b) for y, a, b in terms(relaxation, multipliers)]
    matrix = [[Fraction(0)] * size for _ in range(size)]
    for y, a, b in products:
        for i in range(size):
            for j in range(size):
                matrix[i][j] += y * (a[i] * b[j] + a[j] * b[i]) / 2
    return matrix


def supports(relaxation: Relaxation, multipliers: Multipliers, value: float) -> bool:
    """Do the multipliers prove |y|^2 >= value, in rational arithmetic?

    With some slack sigma, the dual matrix less value + sigma size of its corner, plus sigma I, is semidefinite.
    """
    size = Fraction(relaxation.size_above)
    matrix = dual_matrix(relaxation, multipliers)
    for slack in map(Fraction, SLACKS):
        shifted = [[entry + slack * (i == j) for j, entry in enumerate(row)] for i, row in enumerate(matrix)]
        shifted[0][0] -= Fraction(value) + slack * size
        if positive_semidefinite(shifted):
            return True
    return False


def solved_by_cvxpy(relaxation: Relaxation) -> tuple[float, Multipliers, np.ndarray]:
    """The optimal value |y|^2, the multipliers and the moment matrix of the relaxation, by an independent solver."""
    rows = np.array([[float(v) for v in row] for row in form_rows(relaxation)])
    one, n = rows[relaxation.one], relaxation.neurons
    moment = cvxpy.Variable((relaxation.size, relaxation.size), PSD=True)
    equal, unequal = [], []
    for a, b, kind in relaxation.constraints():
        product = rows[a] @ moment @ (rows[b] if kind in (0, CUT) else one - rows[a])
        (unequal if kind else equal).append(product >= 0 if kind else product == 0)
    pivot = np.array([[float(v) for v in row] for row in objective_rows(relaxation)])
    goal = sum(row @ moment @ row for row in pivot)
    problem = cvxpy.Problem(cvxpy.Minimize(goal), [moment[0, 0] == 1, *equal, *unequal])
    problem.solve(solver=cvxpy.CLARABEL)
    complement = np.array([-float(c.dual_value) for c in equal])
    others = np.array([float(c.dual_value) for c in unequal])
    return float(problem.value), Multipliers(complement, others[:n], others[n : 2 * n], others[2 * n :]), moment.value
