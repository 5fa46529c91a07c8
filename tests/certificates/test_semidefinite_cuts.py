"""Cuts are valid at every point of the problem, raise the value, and go when they are idle."""

import dataclasses

import numpy as np

from relucert_core.certificates.semidefinite.cuts import Effort, tightened
from relucert_core.certificates.semidefinite.solver import GAP, solve
from tests.certificates.semidefinite_problems import (
    every_form,
    lifted_point,
    points_of_equality,
    random_case,
)

EFFORT = Effort(balls=30, products=30, directions=5)


def loose_problems(rng, count):
    """Problems whose relaxation is not tight, with their network, frame and rival."""
    while count:
        net, frame, rival, problem = random_case((4, 9, 9), 1.0, rng)
        if problem is None:
            continue
        solution = solve(problem, gap=1e-4)
        if solution.status == GAP and tightened(problem, solution, EFFORT) is not None:
            count -= 1
            yield net, frame, rival, problem, solution


def test_cuts_hold_at_every_point_and_raise_the_value():
    rng, met, raised = np.random.default_rng(0), 0, 0
    for net, frame, rival, problem, solution in loose_problems(rng, 6):
        cut = tightened(problem, solution, EFFORT)
        assert 0 < len(cut.cuts) <= 60
        assert len({tuple(pair) for pair in cut.cuts.tolist()}) == len(cut.cuts)
        for d in points_of_equality(net, frame, rival, 1.0, rng):
            met += 1
            values = every_form(cut) @ lifted_point(cut, net, d)[1]
            assert (values[cut.cuts[:, 0]] * values[cut.cuts[:, 1]]).min() > -1e-9
        again = solve(cut, gap=1e-4)
        assert again.value >= solution.value * (1 - 2e-4)
        raised += again.value > solution.value * 1.01
    assert met > 5
    assert raised > 2


def test_idle_cuts_go_and_none_comes_twice():
    rng = np.random.default_rng(1)
    _, _, _, problem, solution = next(loose_problems(rng, 1))
    cut = tightened(problem, solution, EFFORT)
    solved = solve(cut, gap=1e-4)
    weights = np.where(np.arange(len(cut.cuts)) < 3, 0.0, 1.0)  # as if the first three did nothing
    idle = dataclasses.replace(solved, multipliers=dataclasses.replace(solved.multipliers, cuts=weights))
    more = tightened(cut, idle, EFFORT) or cut
    assert len({tuple(pair) for pair in more.cuts.tolist()}) == len(more.cuts)
    kept = {tuple(pair) for pair in more.cuts.tolist()}
    assert {tuple(pair) for pair in cut.cuts[3:].tolist()} <= kept


def test_no_moment_no_cuts():
    rng = np.random.default_rng(2)
    _, _, _, problem, solution = next(loose_problems(rng, 1))
    assert tightened(problem, dataclasses.replace(solution, moment=None), EFFORT) is None
