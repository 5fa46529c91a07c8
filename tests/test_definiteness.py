import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relucert_core.definiteness import eigenvalue_guess, least_eigenvalue_below, proved_factor, symmetric_norm_above
from tests.oracles import exact
from tests.oracles_definite import positive_semidefinite

entries = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1.0, -1.0, 1e-160, 1e-308, 5e-324, 1e150])


@st.composite
def symmetric(draw):
    size = draw(st.integers(1, 4))
    lower = np.tril(np.array(draw(st.lists(entries, min_size=size**2, max_size=size**2))).reshape(size, size))
    return lower + np.tril(lower, -1).T


def holds(matrix: np.ndarray, bound: float) -> bool:
    """Is bound <= the least eigenvalue, in rational arithmetic?"""
    rows = [exact(row) for row in matrix]
    for i, row in enumerate(rows):
        row[i] -= Fraction(bound)
    return positive_semidefinite(rows)


@settings(max_examples=150)
@given(symmetric(), st.floats(-1e3, 1e3))
def test_the_bound_is_rationally_below_the_least_eigenvalue(matrix, guess):
    stored = torch.from_numpy(matrix)
    for proposal in (float(eigenvalue_guess(stored)), guess, float(torch.linalg.eigvalsh(stored)[0])):
        bound = float(least_eigenvalue_below(stored, proposal))
        assert bound == -math.inf or (bound < proposal and holds(matrix, bound))


def test_it_loses_little_and_takes_batches():
    rng = np.random.default_rng(3)
    roots = torch.from_numpy(rng.normal(size=(7, 40, 25)))
    grams = roots.mT @ roots
    grams = (grams + grams.mT) / 2
    bounds = least_eigenvalue_below(grams, eigenvalue_guess(grams))
    true = torch.linalg.eigvalsh(grams)
    assert bool((bounds <= true[:, 0]).all())
    assert bool((bounds >= true[:, 0] - 1e-10 * true[:, -1]).all())
    alone = [float(least_eigenvalue_below(g, eigenvalue_guess(g))) for g in grams]
    assert bounds.tolist() == pytest.approx(alone, rel=1e-9)


def test_nothing_is_proved_of_a_matrix_that_is_not_so():
    flat = torch.diag(torch.tensor([1.0, 1.0, -1e-9], dtype=torch.float64))
    assert float(least_eigenvalue_below(flat, 0.0)) == -math.inf
    assert -2e-9 < float(least_eigenvalue_below(flat, -1.1e-9)) < -1e-9
    lopsided = torch.eye(2, dtype=torch.float64)
    lopsided[0, 1] = 5.0
    assert float(least_eigenvalue_below(lopsided, 0.0)) == -math.inf


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308])
@pytest.mark.parametrize("place", [(0, 0), (2, 1), (2, 2)])
def test_a_number_that_is_not_finite_refuses_the_proof(bad, place):
    matrix = torch.eye(3, dtype=torch.float64) * 4
    matrix[place] = matrix[place[::-1]] = bad
    for guess in (0.0, -1e300, float(eigenvalue_guess(matrix)), math.nan, math.inf, -math.inf):
        bound = float(least_eigenvalue_below(matrix, guess))
        assert bound == -math.inf or (bad == 1e308 and holds(matrix.numpy(), bound))


def test_a_factor_that_lies_is_caught_by_its_residual(monkeypatch):
    indefinite = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))
    monkeypatch.setattr(torch.linalg, "cholesky_ex", lambda s: (torch.eye(2, dtype=torch.float64), torch.tensor(0)))
    assert float(least_eigenvalue_below(indefinite, 0.0)) <= -1.0


@given(symmetric())
def test_the_norm_of_an_error_matrix_is_bounded_from_above(matrix):
    bound = float(symmetric_norm_above(torch.from_numpy(np.abs(matrix))))
    if math.isfinite(bound):
        assert holds(matrix, -bound)
        assert holds(-matrix, -bound)


def test_an_empty_matrix_has_no_eigenvalue():
    assert float(least_eigenvalue_below(torch.zeros(0, 0, dtype=torch.float64), 1.0)) == math.inf


@given(symmetric())
def test_the_oracle_agrees_with_floating_point_where_that_is_clear(matrix):
    values = np.linalg.eigvalsh(matrix)
    if abs(values[0]) > 1e-9 * abs(values).max():
        assert positive_semidefinite([exact(row) for row in matrix]) == (values[0] > 0)


@settings(max_examples=100)
@given(symmetric(), st.floats(0, 1e7))
def test_one_proved_factor_is_rationally_right(matrix, shift):
    shifted = matrix + shift * np.eye(len(matrix))
    found = proved_factor(shifted)
    assert found is None or (found.least <= 0 and holds(shifted, found.least))


def test_one_proved_factor_solves_reads_the_upper_triangle_and_refuses_what_is_not_finite():
    rng = np.random.default_rng(4)
    root = rng.normal(size=(60, 40))
    matrix, right = root.T @ root, rng.normal(size=40)
    found = proved_factor(matrix)
    np.testing.assert_allclose(matrix @ found.solve(right), right, rtol=1e-9, atol=1e-9)
    assert -1e-9 < found.least <= 0
    garbage = np.triu(matrix) + np.tril(np.full_like(matrix, np.nan), -1)
    assert proved_factor(garbage).least == found.least
    assert proved_factor(-matrix) is None
    for wrong in (np.nan, np.inf):
        spoiled = matrix.copy()
        spoiled[3, 5] = wrong
        assert proved_factor(spoiled) is None
