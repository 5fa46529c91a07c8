"""Directions from the moment matrix: the nearest point's where the matrix has rank one, none where it says nothing."""

import numpy as np
import pytest

from relucert_core.certificates.semidefinite.primal import directions, leading, rank_gap
from relucert_core.certificates.semidefinite.solver import solve
from tests.certificates.semidefinite_cases import against, cases
from tests.oracles import exact_forward


def test_the_first_direction_of_a_rank_one_matrix_leads_to_the_nearest_point():
    met = 0
    for case in cases(3, 14, neurons=6):
        answer = solve(case.relaxation, gap=1e-7)
        if answer.status != "gap" or rank_gap(answer.moment) > 1e-6:
            continue
        if not np.sqrt(answer.value) < case.distance * (1 + 1e-5):
            continue
        toward = directions(case.relaxation, answer.moment)[0]
        pair = against(case.net, case.relaxation.identity.label, case.relaxation.identity.rival)
        logits = exact_forward(pair, case.point + toward * (1 + 1e-3))[-1]
        met += logits[1] >= logits[0]
        assert np.linalg.norm(toward) == pytest.approx(case.distance, rel=1e-3)
    assert met >= 3


def test_a_moment_of_a_point_gives_that_point():
    case = next(iter(cases(4, 1)))
    rng = np.random.default_rng(0)
    lifted = np.append(1.0, rng.normal(size=case.relaxation.size - 1))
    moment = np.outer(lifted, lifted)
    found = directions(case.relaxation, moment, count=1)
    expected = case.relaxation.displacement(lifted)
    np.testing.assert_allclose(found[0], expected)
    assert len(found) == 3
    cosines = found @ expected / np.linalg.norm(found, axis=1) / np.linalg.norm(expected)
    np.testing.assert_allclose(np.abs(cosines), 1.0)
    assert rank_gap(moment) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("bad", [None, np.nan, np.inf, 0.0])
def test_a_matrix_that_says_nothing_gives_no_direction(bad):
    case = next(iter(cases(4, 1)))
    moment = None if bad is None else np.full((case.relaxation.size,) * 2, bad)
    found = directions(case.relaxation, moment)
    assert np.isfinite(found).all()
    assert len(found) == 0 or bad == 0.0


def test_large_matrices_take_the_iteration_and_agree():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(90, 5)) * np.array([9.0, 6.0, 4.0, 2.0, 1.0])
    matrix = root @ root.T
    values, vectors = leading(matrix, 2)
    true = np.linalg.eigvalsh(matrix)[::-1]
    np.testing.assert_allclose(values, true[:2], rtol=1e-3)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, rtol=0, atol=2e-2 * true[0])
    assert rank_gap(matrix) == pytest.approx(true[1] / true[0], rel=1e-3)
