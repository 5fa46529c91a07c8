import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from relucert_core.rounding import (
    above,
    below,
    distance_above,
    dot_error,
    gamma,
    norm_above,
    norm_below,
    radius_below,
    spectral_above,
    sum_above,
    sum_below,
)
from tests.oracles import _root, exact, spectral_square_at_most

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
sizes = st.floats(min_value=0, max_value=1e150, allow_nan=False)
rows = st.lists(st.floats(-1e100, 1e100, allow_nan=False), min_size=1, max_size=8)


@given(st.integers(1, 10**9))
def test_gamma_is_above_its_definition(n):
    product = n * Fraction(1, 2**53)
    assert Fraction(gamma(n)) >= product / (1 - product)
    assert gamma(n) <= float(product / (1 - product)) * (1 + 1e-6)


@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False))
def test_above_and_below_enclose_two_roundings(x):
    unit = Fraction(1, 2**53)
    if math.isfinite(above(x)):
        assert Fraction(above(x)) * (1 - unit) ** 2 >= Fraction(x)
    assert Fraction(below(x)) <= Fraction(x) * (1 - unit) ** 2 or below(x) == 0
    assert below(-x) == 0


@given(rows, rows)
def test_dot_error_bounds_the_error_of_any_order(a, b):
    n = min(len(a), len(b))
    x, y = np.array(a[:n]), np.array(b[:n])
    true = sum((p * q for p, q in zip(exact(x), exact(y))), Fraction(0))
    bound = Fraction(float(dot_error(float(np.abs(x) @ np.abs(y)), n)))
    for computed in (float(x @ y), float(x[::-1] @ y[::-1]), float(sum(x * y))):
        assert abs(Fraction(computed) - true) <= bound


@given(rows)
def test_sums_of_squares_are_enclosed(a):
    x = np.array(a)
    true = sum((v * v for v in exact(x)), Fraction(0))
    computed = float(x @ x)
    assert Fraction(float(sum_below(computed, len(a)))) <= true
    if math.isfinite(sum_above(computed, len(a))):
        assert Fraction(float(sum_above(computed, len(a)))) >= true


@given(st.lists(finite, min_size=1, max_size=6), st.sampled_from([1.0, 2.0, math.inf]))
def test_norms_are_enclosed(a, order):
    row = torch.tensor(a, dtype=torch.float64)
    values = [abs(v) for v in exact(row.numpy())]
    high, low = float(norm_above(row, order)), float(norm_below(row, order))
    true = {1.0: lambda: sum(values), math.inf: lambda: max(values)}.get(order)
    if true is not None:
        assert math.isinf(high) or Fraction(high) >= true()
        assert math.isinf(low) or Fraction(low) <= true()
    else:
        square = sum(v * v for v in values)
        assert math.isinf(high) or Fraction(high) ** 2 >= square
        assert not math.isfinite(low) or Fraction(low) ** 2 <= square
    if order == 2 and any(a) and math.isfinite(high) and high < 1e300:
        assert high <= _root(sum(v * v for v in values)) * (1 + 1e-13) + 1e-322


def test_tiny_and_huge_rows_keep_their_norm_and_zero_is_zero():
    for scale in (1e-170, 1e-300, 1e170, 1.0):
        row = torch.full((4,), scale, dtype=torch.float64)
        assert float(norm_above(row, 2.0)) == pytest.approx(2 * scale, rel=1e-14)
        assert float(norm_below(row, 2.0)) == pytest.approx(2 * scale, rel=1e-14)
    assert float(norm_above(torch.zeros(3, dtype=torch.float64), 2.0)) == 0.0


def test_radius_of_zero_rows_and_of_overflow():
    numerator = torch.tensor([1.0, 0.0, 1.0, math.nan], dtype=torch.float64)
    denominator = torch.tensor([0.0, 0.0, math.inf, 1.0], dtype=torch.float64)
    assert radius_below(numerator, denominator).tolist() == [math.inf, 0.0, 0.0, 0.0]


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=4))
def test_distance_is_rounded_up(pairs):
    a, b = (np.array(v) for v in zip(*pairs))
    bound = float(distance_above(torch.from_numpy(a), torch.from_numpy(b), 2.0))
    square = sum(((p - q) ** 2 for p, q in zip(exact(a), exact(b))), Fraction(0))
    assert math.isinf(bound) or Fraction(bound) ** 2 >= square


def test_spectral_norm_is_proven_rationally_and_tight():
    rng = np.random.default_rng(0)
    for trial in range(60):
        n, m = rng.integers(1, 6, 2)
        matrix = rng.normal(size=(n, m)) * 10.0 ** rng.integers(-20, 20)
        if trial % 4 == 0:
            matrix[rng.integers(n)] = matrix[0] * 2
        bound = spectral_above(torch.from_numpy(matrix))
        assert spectral_square_at_most([exact(row) for row in matrix], Fraction(bound) ** 2)
        assert bound <= np.linalg.norm(matrix, 2) * (1 + 1e-9)
    large = torch.from_numpy(rng.normal(size=(120, 80)))
    assert np.linalg.norm(large.numpy(), 2) <= spectral_above(large) <= np.linalg.norm(large.numpy(), 2) * (1 + 1e-9)


def test_spectral_norm_of_extreme_matrices():
    assert spectral_above(torch.zeros(3, 2, dtype=torch.float64)) == 0.0
    assert spectral_above(torch.full((1, 2), 1e-170, dtype=torch.float64)) == pytest.approx(math.sqrt(2) * 1e-170)
    assert spectral_above(torch.full((2, 2), 1e200, dtype=torch.float64)) == pytest.approx(2e200)
