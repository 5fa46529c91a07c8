"""The prover of the semidefinite certificate: what it claims holds rationally, whatever multipliers it is given."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from relucert_core.certificates.semidefinite.forms import ball_forms
from relucert_core.certificates.semidefinite.proof import prove
from relucert_core.certificates.semidefinite.relaxation import Identity, Multipliers
from relucert_core.certificates.semidefinite.solver import solve
from tests.certificates.semidefinite_cases import Case, cases, random_multipliers
from tests.oracles_semidefinite import solved_by_cvxpy, supports

pytestmark = pytest.mark.filterwarnings("ignore:Solution may be inaccurate")


@pytest.fixture(scope="module")
def solved() -> list[tuple[Case, float, Multipliers]]:
    """Problems with the value and the multipliers that an independent solver found."""
    answers = ((case, *solved_by_cvxpy(case.relaxation)[:2]) for case in cases(5, 40, neurons=6))
    return list(islice((answer for answer in answers if math.isfinite(answer[1]) and answer[1] > 0), 12))


def proved(case: Case, multipliers: Multipliers) -> float:
    """prove(), after the checks that hold whatever the multipliers are."""
    value = prove(case.relaxation, multipliers, case.relaxation.identity)
    assert math.isfinite(value)
    assert value >= 0
    assert min(case.radius, math.sqrt(value)) <= case.distance, "the claimed radius is above the exact distance"
    return value


def with_cuts(case: Case, rng: np.random.Generator) -> Case:
    """The same problem with random products of forms and with ball directions."""
    relaxation = case.relaxation
    inputs = relaxation.basis.shape[1]
    relaxation = relaxation.with_extras(*ball_forms(relaxation, rng.normal(size=(2, inputs))))
    cuts = rng.integers(0, relaxation.one + 3, size=(6, 2))
    return replace(case, relaxation=relaxation.with_cuts(cuts))


def test_good_multipliers_are_proved_nearly_without_loss(solved):
    assert len(solved) == 12
    for case, value, multipliers in solved:
        bound = proved(case, multipliers) * case.relaxation.basis_norm**2
        assert bound >= value * (1 - 1e-5) - 1e-9  # cvxpy's own multipliers are that far from the best
        assert supports(case.relaxation, multipliers, bound * (1 - 1e-15))


def test_the_solver_s_multipliers_are_proved_nearly_without_loss():
    met = 0
    for case in cases(9, 8, neurons=6):
        answer = solve(case.relaxation, gap=1e-7)
        bound = proved(case, answer.multipliers) * case.relaxation.basis_norm**2
        assert bound >= min(answer.value, 0.0) + max(answer.value, 0.0) * (1 - 1e-7) - 1e-9
        met += answer.status == "gap" and bound > 0
    assert met >= 3


def test_cuts_are_multiplied_like_any_constraint(solved):
    rng = np.random.default_rng(2)
    gains = 0
    for case, value, _ in islice(solved, 6):
        cut = with_cuts(case, rng)
        better, multipliers, _ = solved_by_cvxpy(cut.relaxation)
        if not (math.isfinite(better) and len(multipliers.cuts)):
            continue  # the cuts exclude every point
        bound = proved(cut, multipliers) * cut.relaxation.basis_norm**2
        assert bound >= better * (1 - 1e-4) - 1e-8
        assert supports(cut.relaxation, multipliers, bound * (1 - 1e-15))
        gains += better > value * (1 + 1e-3)
    assert gains >= 1


def test_random_multipliers_never_claim_too_much(solved):
    rng = np.random.default_rng(0)
    positive = 0
    for case, _, multipliers in solved:
        parts = vars(multipliers)
        wild = [random_multipliers(rng, case.relaxation, scale) for scale in (1e-3, 1.0, 1e150, 1e300)]
        wild += [Multipliers(**{name: -part for name, part in parts.items()})]
        wild += [Multipliers(**{name: part * (1 + 1e-3 * rng.normal(size=part.shape)) for name, part in parts.items()})]
        wild += [Multipliers(**{name: part[::-1].copy() for name, part in parts.items()})]
        for given in wild:
            value = proved(case, given)
            if value > 0:
                positive += 1
                assert supports(case.relaxation, given, value * (1 - 1e-12))
    assert positive > 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["complement", "zeta_box", "omega_box"])
def test_numbers_that_are_not_finite_refuse(solved, name, bad):
    for case, _, multipliers in islice(solved, 3):
        part = vars(multipliers)[name].copy()
        part[0] = bad
        assert prove(case.relaxation, replace(multipliers, **{name: part}), case.relaxation.identity) == 0


@pytest.mark.parametrize("name", ["g", "omega", "omega_error", "basis_norm", "centre_margin"])
def test_a_relaxation_that_is_not_finite_refuses(solved, name):
    for case, _, multipliers in islice(solved, 3):
        spoilt = replace(case.relaxation, **{name: np.full_like(getattr(case.relaxation, name), math.nan)})
        assert prove(spoilt, multipliers, spoilt.identity) == 0


def test_multipliers_of_another_shape_refuse(solved):
    case, _, multipliers = solved[0]
    longer = np.zeros(case.relaxation.neurons + 1)
    for name in vars(multipliers):
        assert prove(case.relaxation, replace(multipliers, **{name: longer}), case.relaxation.identity) == 0
    stray = case.relaxation.with_cuts(np.array([[0, case.relaxation.one + 1]]))  # there is no such form
    assert prove(stray, replace(multipliers, cuts=np.zeros(1)), stray.identity) == 0


def others(identity: Identity) -> list[Identity]:
    """Identities of another network, image, label, rival, and of a larger and a smaller ball."""
    return [
        replace(identity, digest="another"),
        replace(identity, point=bytes(len(identity.point))),
        replace(identity, label=identity.label + 1),
        replace(identity, rival=(identity.rival or 0) + 1),
        replace(identity, radius=identity.radius * 2),
        replace(identity, radius=identity.radius / 2),
        replace(identity, radius=math.nan),
    ]


def test_a_problem_or_bounds_of_something_else_refuse(solved):
    for case, _, multipliers in islice(solved, 3):
        identity = case.relaxation.identity
        assert proved(case, multipliers) > 0
        for other in others(identity):
            assert prove(case.relaxation, multipliers, other) == 0
            foreign = replace(case.relaxation, bounds=replace(other, radius=min(other.radius, identity.radius)))
            if foreign.bounds != identity:
                assert prove(foreign, multipliers, identity) == 0


def test_multipliers_of_another_problem_do_no_harm(solved):
    by_size: dict[int, list[tuple[Case, Multipliers]]] = {}
    for case, _, multipliers in solved:
        by_size.setdefault(case.relaxation.neurons, []).append((case, multipliers))
    swaps = [(a, m) for group in by_size.values() for a, _ in group for _, m in group]
    assert len(swaps) > len(solved)
    for case, multipliers in swaps:
        proved(case, multipliers)


def test_errors_of_the_forms_cost_what_they_can_change(solved):
    for case, value, multipliers in islice(solved, 4):
        error = np.full(case.relaxation.neurons, 1e-3)
        doubtful = replace(case, relaxation=replace(case.relaxation, omega_error=error))
        loss = proved(case, multipliers) - proved(doubtful, multipliers)
        at_least = 1e-3 * float(np.abs(multipliers.complement).sum())  # zeta reaches 1, so that much may be lost
        assert loss * case.relaxation.basis_norm**2 >= min(at_least, value * (1 - 1e-5)) * (1 - 1e-9)


def test_a_centre_without_a_positive_margin_says_nothing(solved):
    case, _, multipliers = solved[0]
    for margin in (0.0, -1.0, math.nan):
        flat = replace(case.relaxation, centre_margin=margin)
        assert prove(flat, multipliers, flat.identity) == 0
