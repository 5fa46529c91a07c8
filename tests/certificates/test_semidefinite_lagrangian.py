"""The stored Lagrangian and its error bound, at random points in rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from relucert_core.certificates.semidefinite.lagrangian import lagrangian
from relucert_core.certificates.semidefinite.proof import clipped
from relucert_core.certificates.semidefinite.relaxation import Identity, Relaxation
from tests.certificates.semidefinite_cases import random_multipliers
from tests.oracles import dot, exact
from tests.oracles_semidefinite import dual_matrix, form_rows, objective_rows, terms

REACH, INPUTS, NEURONS, EXTRAS = 0.75, 3, 4, 2


def synthetic(rng: np.random.Generator, *, neuron: bool, error: float) -> Relaxation:
    """Stored rows of no network: every form lies well inside [0, 1] (extras: [0, 2]) on the whole box of points."""
    size = INPUTS + NEURONS

    def rows(count: int) -> np.ndarray:
        found = rng.uniform(-0.04, 0.04, size=(count, size))
        found[:, 0] = rng.uniform(0.4, 0.6, size=count)
        return found

    identity = Identity("digest", b"point", 0, 1, REACH)
    g = rows(1)[0] * (1.0 if neuron else 0.1)
    base = {"basis": np.eye(INPUTS), "basis_norm": 1.0, "centre_margin": 1.0, "pivot_is_neuron": neuron, "g": g}
    forms = {"omega": rows(NEURONS), "extras": rows(EXTRAS)}
    errors = {"omega_error": np.full(NEURONS, error), "extra_error": np.full(EXTRAS, error)}
    cuts = rng.integers(0, 3 * NEURONS + 1 + EXTRAS, size=(12, 2))
    more = {"where": np.zeros((NEURONS, 2), dtype=int), "units": np.ones(NEURONS)}
    bounds = {"extra_bound": np.full(EXTRAS, 2.0), "cuts": cuts}
    return Relaxation(identity=identity, bounds=identity, **base, **forms, **errors, **bounds, **more)


def points(rng: np.random.Generator, relaxation: Relaxation) -> np.ndarray:
    """v' with |y| <= REACH and zeta in [0, 1], often at the ends."""
    v = np.ones(relaxation.size)
    inputs = rng.normal(size=INPUTS)
    v[relaxation.inputs] = (0.9 * REACH * inputs / np.linalg.norm(inputs))[: v[relaxation.inputs].size]
    v[relaxation.zetas] = np.clip(rng.uniform(-0.5, 1.5, size=v[relaxation.zetas].size), 0, 1)
    return v


@pytest.mark.parametrize("neuron", [True, False])
@pytest.mark.parametrize("error", [0.0, 1e-12, 1e-2])
def test_the_lagrangian_bounds_the_objective_rationally(neuron, error):
    rng = np.random.default_rng(7)
    for scale in (1e-3, 1.0, 1e6):
        relaxation = synthetic(rng, neuron=neuron, error=error)
        multipliers = clipped(random_multipliers(rng, relaxation, scale))
        problem = lagrangian(relaxation, multipliers)
        np.testing.assert_array_equal(problem.matrix, problem.matrix.T)
        rows = form_rows(relaxation)
        doubt = dict.fromkeys(range(len(rows)), Fraction(0))
        doubt |= dict.fromkeys(range(NEURONS, 2 * NEURONS), Fraction(error))
        doubt |= dict.fromkeys(range(3 * NEURONS + 1, len(rows)), Fraction(error))
        for _ in range(4):
            v = exact(points(rng, relaxation))
            left = sum(dot(row, v) ** 2 for row in objective_rows(relaxation)) + Fraction(problem.error)
            signs = rng.choice([-1, 1], size=len(rows))
            values = [dot(row, v) + int(sign) * doubt[i] for i, (row, sign) in enumerate(zip(rows, signs, strict=True))]
            for i in range(NEURONS):
                values[2 * NEURONS + i] = 1 - values[i] - values[NEURONS + i]
            products = _true_products(relaxation, multipliers, values)
            right = sum(
                v[i] * Fraction(float(problem.matrix[i, j])) * v[j] for i in range(len(v)) for j in range(len(v))
            )
            assert left - products >= right


def _true_products(relaxation, multipliers, values):
    """sum y_k a_k b_k with the true values of the forms."""
    one = values[relaxation.one]
    total = Fraction(0)
    for (a, b, kind), (weight, _, _) in zip(relaxation.constraints(), terms(relaxation, multipliers), strict=True):
        total += weight * values[a] * (one - values[a] if kind in (1, 2) else values[b])
    return total


@pytest.mark.parametrize("neuron", [True, False])
def test_without_errors_it_is_the_exact_matrix_up_to_rounding(neuron):
    rng = np.random.default_rng(11)
    relaxation = synthetic(rng, neuron=neuron, error=0.0)
    multipliers = clipped(random_multipliers(rng, relaxation))
    problem = lagrangian(relaxation, multipliers)
    matrix = np.array([[float(v) for v in row] for row in dual_matrix(relaxation, multipliers)])
    np.testing.assert_allclose(problem.matrix, matrix, atol=1e-14)
    assert problem.error < 1e-12
