"""Numbers, times and norms in words: rounded to the safe side, read back, one spelling each."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relucert_core.norms import NORMS, check_norm
from relucert_core.words import (
    NORM_CHOICES,
    NORM_NAMES,
    bound,
    bound_in_tex,
    down,
    duration,
    norm_in_code,
    norm_name,
    number,
    up,
)

POSITIVE = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)


@given(POSITIVE, st.integers(1, 8))
def test_a_guarantee_is_never_printed_larger_than_it_is(value, digits):
    """The printed decimal itself, not the float next to it, lies on the safe side of the exact value."""
    low, high = (Fraction(Decimal(text)) for text in (down(value, digits, power="e"), up(value, digits, power="e")))
    assert low <= Fraction(value) <= high
    assert high - low <= Fraction(value) / 10 ** (digits - 1)
    assert bound(value, "exact", digits) == bound(value, "lower bound", digits) == down(value, digits)
    assert bound(value, "upper bound", digits) == up(value, digits)


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_number_is_the_nearest_one_with_its_digits(value):
    assert abs(Fraction(Decimal(number(value, 3, power="e"))) / Fraction(value) - 1) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "?"),
        (0.10049, "0.10"),
        (12345.0, "12000"),
        (123456.0, "1.2 × 10^5"),
        (1.26e-9, "1.3 × 10^-9"),
    ],
)
def test_numbers(value, words):
    assert number(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.1 ms"),
        (0.0004, "0.4 ms"),
        (0.025, "25 ms"),
        (2.5, "2.5 s"),
        (45.4, "45 s"),
        (300, "300 s"),
        (720, "12 min"),
    ],
)
def test_times(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_has_one_name_that_is_read_back(norm):
    assert NORM_CHOICES[NORM_NAMES[norm]] == norm == check_norm(norm_name(norm))
    assert check_norm(norm_in_code(norm).strip('"')) == norm


def test_a_bound_in_a_latex_table():
    assert bound_in_tex(0.12349, "lower bound") == "0.123"
    assert bound_in_tex(0.12341, "upper bound") == "0.124"
    assert bound_in_tex(1.239e-9, "lower bound") == r"$1.23 \cdot 10^{-9}$"
    assert bound_in_tex(math.inf) == r"$\infty$"
    assert bound_in_tex(math.nan) == "--"
