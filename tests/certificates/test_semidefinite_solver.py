"""The interior-point method, against Clarabel on small problems and on hard starts."""

import cvxpy as cp
import numpy as np
import pytest

from relucert_core.certificates.semidefinite.factors import longest_step, lower_product, mirror
from relucert_core.certificates.semidefinite.forms import ball_forms
from relucert_core.certificates.semidefinite.operator import Operator
from relucert_core.certificates.semidefinite.relaxation import COMPLEMENT, OMEGA_BOX, ZETA_BOX
from relucert_core.certificates.semidefinite.solver import EMPTY, GAP, STOP, TIME, solve
from tests.certificates.semidefinite_problems import WIDTHS, every_form, random_problem


def with_random_cuts(problem, count, rng, directions=2):
    """Products of forms of different neurons and of ball and form, drawn at random, each pair at most once."""
    n = problem.neurons
    problem = problem.with_extras(*ball_forms(problem, rng.standard_normal((directions, problem.basis.shape[1]))))
    forms = 3 * n + 1 + directions
    pairs = {tuple(sorted(pair)) for pair in rng.integers(0, forms, (8 * count, 2)).tolist()}
    good = [(a, b) for a, b in pairs if b >= 3 * n or a % n != b % n]
    return problem.with_cuts(np.array(good[:count]))


def matrices(problem):
    """sym(a b') of every constraint, by its definition."""
    forms, one = every_form(problem), np.eye(1, problem.size)[0]
    for a, b, kind in problem.constraints():
        other = one - forms[b] if kind in (ZETA_BOX, OMEGA_BOX) else forms[b]
        yield (np.outer(forms[a], other) + np.outer(other, forms[a])) / 2, kind


def by_clarabel(problem):
    matrix = cp.Variable((problem.size, problem.size), PSD=True)
    limits = [matrix[0, 0] == 1]
    for form, kind in matrices(problem):
        value = cp.sum(cp.multiply(form, matrix))
        limits.append(value == 0 if kind == COMPLEMENT else value >= 0)
    task = cp.Problem(cp.Minimize(cp.sum(cp.multiply(problem.objective(), matrix))), limits)
    return task.solve(solver=cp.CLARABEL)


def feasible_problem(widths, radius, rng):
    """A random problem that some point of the ball satisfies, as far as a first solve can tell."""
    while True:
        problem = random_problem(widths, radius, rng)
        if problem is not None and solve(problem, gap=1e-2).status == GAP:
            return problem


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_the_maps_are_those_of_their_definition(widths):
    rng = np.random.default_rng(1)
    problem = with_random_cuts(random_problem(widths, 1.5, rng), 12, rng)
    maps = Operator(problem)
    every = [matrix for matrix, _ in matrices(problem)] + [np.outer(*[np.eye(1, problem.size)[0]] * 2)]
    assert maps.count == len(every)
    y = rng.standard_normal(maps.count)
    assert maps.adjoint(y) == pytest.approx(sum(a * b for a, b in zip(y, every, strict=True)), abs=1e-12)
    x, z, p = rng.standard_normal((3, problem.size, problem.size))
    x, z = x @ x.T, z @ z.T
    in_x, in_z = maps.gram(x), maps.gram(z)
    assert maps.values(in_x) == pytest.approx([np.vdot(a, x) for a in every], abs=1e-9)
    assert maps.values_of_product(p, z, in_z) == pytest.approx([np.vdot(a, p @ z) for a in every], abs=1e-9)
    schur = maps.schur(in_x, in_z, np.zeros((maps.count,) * 2))
    expected = np.array([[np.vdot(a, x @ b @ z) for b in every] for a in every])
    expected = (expected + expected.T) / 2
    assert np.tril(schur) == pytest.approx(np.tril(expected), rel=1e-9, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # Clarabel's own doubt, below this test's tolerance
@pytest.mark.parametrize(("widths", "cuts"), [(w, c) for w in WIDTHS for c in (0, 25)], ids=str)
def test_small_problems_end_where_clarabel_does(widths, cuts):
    rng = np.random.default_rng(cuts + sum(widths))
    problem = feasible_problem(widths, 1.2, rng)
    if cuts:
        problem = with_random_cuts(problem, cuts, rng)
    found, value = solve(problem, gap=1e-6), by_clarabel(problem)
    assert found.status == GAP
    assert found.value == pytest.approx(value, rel=1e-5, abs=1e-6)
    assert found.primal == pytest.approx(value, rel=1e-5, abs=1e-6)
    weights = found.multipliers
    assert min(weights.zeta_box.min(), weights.omega_box.min(), weights.cuts.min(initial=0)) >= 0
    y = np.concatenate([weights.complement, weights.zeta_box, weights.omega_box, weights.cuts])
    matrix = problem.objective() - sum(a * form for a, (form, _) in zip(y, matrices(problem), strict=True))
    matrix[0, 0] -= found.value - 1e-6
    assert np.linalg.eigvalsh(matrix).min() > -1e-7
    assert found.moment[0, 0] == pytest.approx(1)


def test_random_cuts_never_end_it_by_a_failed_factor_nor_lower_the_value():
    rng, met = np.random.default_rng(9), 0
    for _ in range(5):
        widths = [int(n) for n in rng.integers(4, 12, rng.integers(2, 5))]
        problem = feasible_problem(widths, float(rng.uniform(0.3, 2.0)), rng)
        plain = solve(problem, gap=1e-3)
        cut = solve(with_random_cuts(problem, int(rng.integers(50, 150)), rng), gap=1e-3)
        met += cut.status == GAP
        assert plain.status == GAP
        assert cut.status in (GAP, EMPTY)
        assert cut.value >= plain.value * (1 - 2e-3) - 1e-9
    assert met > 2


def test_it_stops_when_told_and_in_time():
    rng = np.random.default_rng(2)
    problem = feasible_problem((10, 14, 14), 1.0, rng)
    whole = solve(problem)
    assert whole.status == GAP
    early = solve(problem, stop=lambda now: now.value > 0.5 * whole.value)
    assert early.status == STOP
    assert early.iterations < whole.iterations
    assert 0.5 * whole.value < early.value <= whole.value * 1.01
    none = solve(problem, max_seconds=0.0)
    assert none.status == TIME
    assert none.iterations == 0
    assert none.value == -np.inf


def test_numbers_that_are_not_finite_end_it():
    rng = np.random.default_rng(2)
    problem = random_problem((4, 6), 1.0, rng)
    problem.omega[0, 0] = np.nan
    assert solve(problem).status == "numbers"
    problem.omega[0, 0] = 1e300
    assert not solve(problem).value > 1e12


@pytest.mark.parametrize("size", [7, 60, 210])
def test_products_mirrors_and_steps(size):
    rng = np.random.default_rng(size)
    left = rng.standard_normal((size, 5))
    assert mirror(lower_product(left, left.T.copy())) == pytest.approx(left @ left.T)
    matrix, direction = rng.standard_normal((2, size, size))
    matrix, direction = matrix @ matrix.T / size + np.eye(size), direction + direction.T
    step = longest_step(np.linalg.cholesky(matrix), direction, 18)
    least = np.linalg.eigvals(np.linalg.solve(matrix, direction)).real.min()
    assert step == pytest.approx(-1 / least, rel=0.1)
    assert longest_step(np.linalg.cholesky(matrix), matrix, 18) == np.inf
