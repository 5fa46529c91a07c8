"""Branching: every point lies in a case, the least of the leaves is a bound, and a leaf alone is none."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

import relucert_core as rc
from relucert_core.certificates.semidefinite.branches import OFF, ON, Branches, Leaf, case, most_violated
from relucert_core.certificates.semidefinite.forms import relax
from relucert_core.certificates.semidefinite.proof import prove
from relucert_core.certificates.semidefinite.solver import solve
from relucert_core.certificates.semidefinite.substitution import Frame
from tests.certificates.semidefinite_problems import (
    every_form,
    interval_bounds,
    lifted_point,
    points_of_equality,
    random_case,
)
from tests.oracles_bruteforce import brute_force


def leaf_of(problem, known):
    solution = solve(problem, gap=1e-5)
    value = prove(problem, solution.multipliers, problem.identity, problem.cases)
    return Leaf(problem, max(known, value), most_violated(problem, solution.moment), False)


def two_class_problem(rng):
    """A problem of a network of two classes, whose only rival is the nearest one, with the distance's interval."""
    while True:
        sizes = (3, 5, 4, 2)
        weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
        net = rc.Network(weights, [0.5 * rng.standard_normal(b) for b in sizes[1:]])
        point = rng.standard_normal(3)
        frame = Frame.around(net, torch.from_numpy(point))
        truth = brute_force(net, point, frame.label)
        if not 0 < truth.high < 5:
            continue
        radius = 1.1 * truth.high
        problem = relax(frame, 1 - frame.label, interval_bounds(net, frame, radius), radius)
        if problem is not None and problem.neurons > 3:
            return problem, truth


def test_every_point_lies_in_one_of_both_cases_of_any_neuron():
    rng, met = np.random.default_rng(0), {OFF: 0, ON: 0}
    for _ in range(8):
        net, frame, rival, problem = random_case((4, 7, 6), 1.0, rng)
        if problem is None:
            continue
        for d in points_of_equality(net, frame, rival, 1.0, rng):
            lifted = lifted_point(problem, net, d)[1]
            for neuron in range(problem.neurons):
                values = [every_form(half)[-1] @ lifted for half in (case(problem, neuron, s) for s in (OFF, ON))]
                assert max(values) > -1e-9
                met[int(np.argmax(values))] += 1
    assert min(met.values()) > 20


def test_the_least_of_the_leaves_rises_to_the_distance_and_never_above():
    gained = []
    for seed in (1, 2):
        problem, truth = two_class_problem(np.random.default_rng(seed))
        branches = Branches(leaf_of(problem, 0.0))
        values = [branches.value]
        while not branches.final and len(branches) < 12:
            branches.improve(leaf_of)
            values.append(branches.value)
            assert branches.value <= truth.high**2
        assert values == sorted(values)
        assert values[-1] > 0.95 * truth.low**2
        gained.append(values[:8][-1] / values[0])  # of up to eight leaves
    assert max(gained) > 1.05, "the relaxation alone leaves nothing open"


def test_a_leaf_alone_is_refused():
    problem, _ = two_class_problem(np.random.default_rng(1))
    half = case(problem, 0, ON)
    multipliers = solve(half, gap=1e-4).multipliers
    assert prove(half, multipliers, half.identity) == 0.0
    assert prove(half, multipliers, half.identity, ((0, OFF),)) == 0.0
    assert prove(half, multipliers, half.identity, ((0, ON),)) > 0.0
    assert prove(problem, solve(problem).multipliers, problem.identity, ((0, ON),)) == 0.0


def test_an_error_between_the_halves_loses_nothing():
    problem, _ = two_class_problem(np.random.default_rng(1))
    root = dataclasses.replace(leaf_of(problem, 0.0), neuron=0)
    branches, asked = Branches(root), []

    def once(half, known):
        asked.append(half)
        if len(asked) == 2:
            raise RuntimeError
        return leaf_of(half, known)

    with pytest.raises(RuntimeError):
        branches.improve(once)
    assert branches.worst is root
    assert branches.value == root.value


def test_a_leaf_that_had_what_was_asked_for_is_solved_again_before_it_is_split():
    problem, _ = two_class_problem(np.random.default_rng(1))
    asked = []

    def again(half, known):
        asked.append(half)
        return Leaf(half, 2 * known, None, False)

    branches = Branches(Leaf(problem, 1.0, 0, True))
    branches.improve(again)
    assert asked == [problem]
    assert branches.value == 2.0
    assert branches.final


def test_nothing_is_violated_without_a_moment_or_at_a_point():
    problem, _ = two_class_problem(np.random.default_rng(1))
    assert most_violated(problem, None) is None
    at_centre = np.zeros((problem.size, problem.size))
    at_centre[0, 0] = 1.0
    at_centre[:, 0] = np.nan
    assert most_violated(problem, at_centre) is None
