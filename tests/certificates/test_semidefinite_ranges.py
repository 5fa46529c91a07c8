"""Ranges of functionals over balls: against attained values and a convex solver, with multipliers of every kind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from relucert_core.certificates.semidefinite.functionals import Functionals, functionals
from relucert_core.certificates.semidefinite.moments import worst_moments
from relucert_core.certificates.semidefinite.ranges import least_values
from relucert_core.certificates.semidefinite.substitution import Frame
from relucert_core.errors import InvalidInput
from tests.certificates.semidefinite_problems import WIDTHS, interval_bounds, network, values

RADIUS = 0.7


def ball_problem(widths, rng, scale=1.0):
    net = network(widths, rng)
    frame = Frame.around(net, torch.from_numpy(rng.standard_normal(widths[0])))
    bounds = interval_bounds(net, frame, RADIUS)
    layer = len(widths) - 1
    rows, constants = scale * rng.standard_normal((6, widths[-1])), scale * rng.standard_normal(6)
    return net, frame, functionals(frame, bounds, RADIUS, rows, constants, layer), rows, constants


def least_met(net, frame, rows, constants, rng):
    """(6,): the least values on many points, the best ones improved by steps along the gradient's estimate."""
    inputs = len(frame.point)
    d = rng.standard_normal((4000, inputs))
    d *= RADIUS * rng.random((4000, 1)) ** (1 / inputs) / np.linalg.norm(d, axis=1, keepdims=True)
    d[:2000] *= RADIUS / np.linalg.norm(d[:2000], axis=1, keepdims=True)

    def value(where):
        hidden = np.maximum(np.array([values(net, frame.point + one)[-2] for one in where]), 0)
        return hidden @ rows.T + constants

    found = value(d)
    for _ in range(3):
        near = d[found.argmin(0)][:, None] + 0.05 * RADIUS * rng.standard_normal((6, 60, inputs))
        near = near.reshape(-1, inputs)
        near *= np.minimum(1, RADIUS / np.linalg.norm(near, axis=1, keepdims=True))
        d, found = np.concatenate([d, near]), np.concatenate([found, value(near)])
    return found.min(0)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_proved_ranges_hold_and_are_close_to_the_relaxation(widths):
    rng = np.random.default_rng(0)
    for scale in (1.0, 1e-120, 1e60):
        net, frame, problem, rows, constants = ball_problem(widths, rng, scale)
        met = least_met(net, frame, rows, constants, rng)
        proposal = worst_moments(problem, 40)
        proved = least_values(problem, proposal)
        assert (proved <= met).all()
        size = np.abs(rows).sum(1) + np.abs(constants)
        if scale == 1:
            close = proved >= proposal.value - 0.1 * (size + np.abs(proposal.value))
            assert close.mean() > 0.5


def test_the_relaxation_is_solved_as_a_convex_solver_solves_it():
    cvxpy = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(3)
    for _ in range(2):
        *_, problem, _rows, _constants = ball_problem((3, 4, 4), rng)
        p, n = problem.inputs, problem.neurons
        moment = cvxpy.Variable((1 + p + n, 1 + p + n), PSD=True)
        zeta, a = moment[1 + p :, 0], problem.rho @ moment[:, 0]
        relations = cvxpy.diag(moment[1 + p :, 1 + p :]) == cvxpy.diag(problem.rho @ moment[:, 1 + p :])
        limits = [
            moment[0, 0] == 1,
            cvxpy.trace(moment[1 : 1 + p, 1 : 1 + p]) <= problem.reach**2,
            zeta >= 0,
            zeta >= a,
        ]
        asked = cvxpy.Problem(cvxpy.Minimize(problem.rows[0] @ moment[:, 0]), [*limits, relations])
        best = float(asked.solve(solver="CLARABEL"))
        proved = least_values(problem, worst_moments(problem, 60))[0]
        size = np.abs(problem.rows[0]).sum()
        assert best - 0.02 * size < proved < best + 1e-5 * size


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_no_multipliers_prove_too_much(widths):
    rng = np.random.default_rng(1)
    proved_any = False
    for _ in range(8):
        net, frame, problem, rows, constants = ball_problem(widths, rng)
        met = least_met(net, frame, rows, constants, rng)
        good = worst_moments(problem, 20)
        for spoiled in (
            replace(good, on=good.on * rng.uniform(0, 3, good.on.shape), off=good.off - rng.random(good.off.shape)),
            replace(good, relation=good.relation * rng.uniform(0.9, 3, good.relation.shape), ball=3 * good.ball),
            replace(good, relation=-good.relation),
            replace(good, ball=np.array([0, -1, np.nan, np.inf, 1e-300, 1e300])),
            replace(good, on=np.where(rng.random(good.on.shape) < 0.1, np.nan, good.on)),
        ):
            proved = least_values(problem, spoiled)
            assert not np.isnan(proved).any()
            assert (proved <= met).all()
            proved_any |= np.isfinite(proved).any()
    assert proved_any


def test_what_is_not_finite_proves_nothing():
    rng = np.random.default_rng(2)
    *_, problem, _rows, _constants = ball_problem((3, 4, 4), rng)
    good = worst_moments(problem, 20)
    for part in ("rho", "rows", "error", "row_error"):
        wrong = getattr(problem, part).copy()
        wrong[0] = np.nan
        found = least_values(replace(problem, **{part: wrong}), good)
        assert found[0] == -np.inf
    for reach in (np.nan, np.inf):
        assert (least_values(replace(problem, reach=reach), good) == -np.inf).all()


def test_errors_of_the_rows_lower_what_is_proved():
    rng = np.random.default_rng(4)
    *_, problem, _rows, _constants = ball_problem((3, 4, 4), rng)
    good = worst_moments(problem, 20)
    exact = least_values(problem, good)
    worse: Functionals = replace(problem, error=problem.error + 1e-3, row_error=problem.row_error + 0.5)
    assert (least_values(worse, good) <= exact - 0.5).all()


def test_bounds_of_something_else_are_refused():
    rng = np.random.default_rng(5)
    net = network((3, 4, 4), rng)
    frame = Frame.around(net, torch.from_numpy(rng.standard_normal(3)))
    bounds = interval_bounds(net, frame, RADIUS)
    other = Frame.around(net, torch.from_numpy(frame.point + 1e-3), frame.label)
    rival = replace(bounds, identity=replace(bounds.identity, rival=1))
    asked = [(other, bounds, RADIUS), (frame, bounds, 1.1 * RADIUS), (frame, rival, RADIUS)]
    for around, wrong, radius in [*asked, (frame, replace(bounds, slack=0.1), RADIUS)]:
        with pytest.raises(InvalidInput, match="belong to another"):
            functionals(around, wrong, radius, net.weights[1], net.biases[1], 1)
