"""The stored problem of the semidefinite certificate, against the network evaluated at points of equality."""

import dataclasses

import numpy as np
import pytest
import torch

from relucert_core.certificates.semidefinite.forms import ball_forms, basis_norm_above, relax
from relucert_core.certificates.semidefinite.relaxation import COMPLEMENT
from relucert_core.certificates.semidefinite.substitution import BELOW, Frame, Lifting, Substitution
from tests.certificates.semidefinite_problems import (
    WIDTHS,
    interval_bounds,
    lifted_point,
    network,
    points_of_equality,
    values,
)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_every_point_of_equality_satisfies_the_stored_problem(widths):
    rng, met = np.random.default_rng(sum(widths)), 0
    for _ in range(12):
        net, point = network(widths, rng), rng.standard_normal(widths[0])
        frame = Frame.around(net, torch.from_numpy(point))
        bounds = interval_bounds(net, frame, 1.5)
        for rival in {0, 1, 2} - {frame.label}:
            problem = relax(frame, rival, bounds, 1.5)
            assert problem is not None
            directions = rng.standard_normal((3, problem.basis.shape[1]))
            problem = problem.with_extras(*ball_forms(problem, directions))
            for d in points_of_equality(net, frame, rival, 1.5, rng):
                met += 1
                zeta, v = lifted_point(problem, net, d)
                pivot = zeta[-1] if problem.pivot_is_neuron else (problem.basis.T @ d)[0]
                assert problem.g @ v == pytest.approx(pivot, abs=1e-9)
                forms = problem.base_forms() @ v
                assert forms.min() > -1e-9
                assert (forms <= problem.base_bounds() + 1e-9).all()
                forms = np.concatenate([forms[: 2 * problem.neurons], 1 - zeta - forms[problem.neurons :][: len(zeta)]])
                assert forms.min() > -1e-9
                kinds = problem.constraints()
                products = forms[kinds[:, 0]] * forms[kinds[:, 1]]
                assert np.abs(products[kinds[:, 2] == COMPLEMENT]).max(initial=0) < 1e-9
                y = problem.basis.T @ d
                assert v @ problem.objective() @ v == pytest.approx(y @ y, abs=1e-9)
                assert y @ y <= d @ d * problem.basis_norm**2 + 1e-12
                assert v @ v <= problem.size_above
                assert problem.displacement(v) == pytest.approx(problem.basis @ y, abs=1e-8)
    assert met > 15


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_lines_for_neurons_that_are_not_lifted_only_lower_the_margin(widths):
    rng, strictly = np.random.default_rng(len(widths)), 0
    for _ in range(10):
        net, point = network(widths, rng), rng.standard_normal(widths[0])
        frame = Frame.around(net, torch.from_numpy(point))
        bounds = interval_bounds(net, frame, 1.0)
        lifted = [wide.copy() for wide in bounds.open]
        for part in lifted[-2:]:
            part &= rng.random(len(part)) < 0.5
        lifting = Lifting(tuple(lifted), tuple(rng.random(len(part)) for part in lifted))
        work = Substitution(frame, bounds, lifting, 1.0)
        depth, (k, j) = net.depth - 1, (frame.label, (frame.label + 1) % 3)
        margin = net.weights[-1][k] - net.weights[-1][j], net.biases[-1][k] - net.biases[-1][j]
        sides = np.where(margin[0][work.lifted[-1]] < 0, -BELOW, BELOW)
        last = work.neurons(depth, sides)
        row = work.carry(margin[0][None], np.array([margin[1]]), depth, np.array([BELOW]))
        for _ in range(40):
            d = rng.standard_normal(net.inputs)
            d *= rng.random() / np.linalg.norm(d)
            z = values(net, point + d)
            kept = np.concatenate([np.maximum(a[part], 0) for a, part in zip(z, work.lifted, strict=False)])
            value = (row.constants + row.inputs @ d + row.lifted @ kept)[0]
            true = z[-1][k] - z[-1][j]
            assert true - row.gap[0] - 1e-9 <= value <= true + 1e-9
            strictly += value < true - 1e-6
            off = (last.constants + last.inputs @ d + last.lifted @ kept - z[-2][work.lifted[-1]]) * sides
            assert (off <= 1e-9).all()
            assert (off >= -last.gap - 1e-9).all()
    assert strictly


def test_bounds_of_another_problem_are_refused():
    rng = np.random.default_rng(3)
    net = network((3, 6, 5), rng)
    frame = Frame.around(net, torch.from_numpy(rng.standard_normal(3)))
    rival = (frame.label + 1) % 3
    bounds = interval_bounds(net, frame, 1.0)
    assert relax(frame, rival, bounds, 0.5) is not None
    assert relax(frame, rival, bounds, 1.01) is None  # bounds of a smaller ball
    for changes in ({"digest": "another"}, {"point": b"another"}, {"label": rival}, {"rival": frame.label}):
        other = dataclasses.replace(bounds.identity, **changes)
        assert relax(frame, rival, dataclasses.replace(bounds, identity=other), 0.5) is None
    for bad in (np.nan, np.inf):
        broken = [part.copy() for part in bounds.upper]
        broken[0][:] = bad
        assert relax(frame, rival, dataclasses.replace(bounds, upper=tuple(broken)), 0.5) is None


def test_bounds_of_a_cut_ball_need_room_for_rounding_and_every_neuron():
    rng = np.random.default_rng(4)
    net = network((3, 6, 5), rng)
    frame = Frame.around(net, torch.from_numpy(rng.standard_normal(3)))
    rival = (frame.label + 1) % 3
    gap = frame.gaps[rival]
    for slack, good in ((1e-6 * gap, True), (1e-17, False), (2 * gap, False)):
        bounds = interval_bounds(net, frame, 1.0, slack)
        assert (relax(frame, rival, bounds, 1.0) is not None) is good
    bounds = interval_bounds(net, frame, 1.0, 1e-6 * gap)
    none = Lifting(tuple(np.zeros_like(part) for part in bounds.open), tuple(np.zeros(len(w)) for w in bounds.lower))
    assert relax(frame, rival, bounds, 1.0, none) is None


def test_the_norm_of_a_basis_is_bounded_from_above():
    rng = np.random.default_rng(5)
    for shape in ((30, 7), (9, 9), (3, 1)):
        basis = np.linalg.qr(rng.standard_normal(shape))[0]
        for stored in (basis, basis + 1e-3 * rng.standard_normal(shape)):
            true = np.linalg.norm(stored, 2)
            assert true <= basis_norm_above(stored) <= true * 1.01
