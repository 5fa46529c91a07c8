"""Proved lower bounds of functionals over a ball, from any multipliers: one Cholesky factor for each functional.

With the stored problem of `functionals`, u = (1, zeta) and multipliers mu, off, on >= 0 and any lambda, let
    S = row . v - tau - mu (reach^2 - |y|^2)
        - off . zeta - on . (zeta - rho v) + sum_j lambda_j zeta_j (zeta_j - rho_j v),
as a quadratic form of v = (1, y, zeta). If S >= -loss |u|^2 for all v, then at every point of the ball, where
zeta_j (zeta_j - a_j) = 0, zeta_j >= 0, zeta_j >= a_j, zeta_j <= 1 and |y| <= reach,
    functional >= tau - loss (1 + n) - sum_j (on_j + |lambda_j|) error_j - row_error.
y is eliminated exactly, S being mu |y|^2 + 2 y . (B' u) + ...: S >= u' (S_uu - B B' / mu) u. That matrix, with 1 last,
is formed in floating point, every rounding counted (an error E changes u' S u by at most sum |E_ij|, as |u_j| <= 1),
and its factor is judged as in `proof`: tau is what leaves the last pivot at 0, the factor's residual is the loss.

The multipliers of `moments` are nearly optimal, where the matrix is nearly singular. Those of lower layers and of the
ball are raised by powers of a factor until it is positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.semidefinite.functionals import Functionals
from relucert_core.certificates.semidefinite.moments import Proposal
from relucert_core.certificates.semidefinite.substitution import DOUBT
from relucert_core.deadline import check_time
from relucert_core.definiteness import residual_norm_above
from relucert_core.rounding import SMALLEST, above, gamma

RAISES = (1e-2, 3e-2, 0.1, 0.3)
_OPERATIONS = 5e-10  # seconds for each neuron to the third: a factor or two, one multiplied out
_NUMBERS = 4_000_000  # in a batch of matrices


@np.errstate(all="ignore")  # what is not finite proves nothing
def least_values(problem: Functionals, proposal: Proposal) -> np.ndarray:
    """(R,): proved lower bounds of the functionals over the ball, -inf where nothing is proved."""
    found = np.full(len(problem.rows), -np.inf)
    forms = _Forms.of(problem)
    batch = max(1, _NUMBERS // (problem.neurons + 1) ** 2)
    for factor in RAISES:
        left = np.flatnonzero(found == -np.inf)
        for start in range(0, len(left), batch):
            check_time()
            chosen = left[start : start + batch]
            found[chosen] = _proved(forms, chosen, _raised(problem, proposal, chosen, 1 + factor))
    return found


@dataclass(frozen=True, eq=False)
class _Multipliers:
    """Of some of the functionals, all at least 0."""

    ball: np.ndarray
    relation: np.ndarray
    off: np.ndarray
    on: np.ndarray


def _raised(problem: Functionals, proposal: Proposal, chosen: np.ndarray, factor: float) -> _Multipliers:
    """The multipliers, clipped to their sign, those of lower layers raised."""
    height = np.zeros(problem.neurons)
    for q, place in enumerate(problem.places):
        height[place] = len(problem.places) - 1 - q
    parts = (proposal.relation[chosen] * factor**height, proposal.off[chosen], proposal.on[chosen])
    ball = proposal.ball[chosen] * factor ** len(problem.places)
    return _Multipliers(np.maximum(ball, 0.0), *(np.maximum(part, 0.0) for part in parts))


@dataclass(frozen=True, eq=False)
class _Forms:
    """The stored problem with what all functionals share: the products rho_y rho_y' (n, n)."""

    problem: Functionals
    constants: np.ndarray
    by_inputs: np.ndarray
    by_neurons: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, problem: Functionals) -> _Forms:
        """The forms of a problem."""
        constants, direct, lifted = problem.parts(problem.rho)
        products = direct @ direct.T
        return cls(problem, constants, direct, lifted, np.tril(products) + np.tril(products, -1).T)


def _proved(forms: _Forms, chosen: np.ndarray, by: _Multipliers) -> np.ndarray:
    """(R,): the bounds of the functionals `chosen` that these multipliers prove."""
    problem, n = forms.problem, forms.problem.neurons
    every = torch.from_numpy(_matrices(forms, chosen, by))
    corners, failed = torch.linalg.cholesky_ex(every[:, :n, :n])
    good = (failed == 0) & torch.from_numpy(by.ball > 0)
    matrices, corner = every[good], corners[good]
    factors = torch.zeros_like(matrices)
    factors[:, :n, :n] = corner
    factors[:, n:, :n] = torch.linalg.solve_triangular(corner, matrices[:, :n, n:], upper=False).mT
    pivot = factors[:, n, :].square().sum(-1)
    tau = torch.nextafter(matrices[:, n, n] - pivot, pivot.new_tensor(-torch.inf)).numpy()
    target = matrices.clone()
    target[:, n, n] = pivot
    loss = residual_norm_above(target, factors).numpy() * (1 + n)
    lost = (
        above(DOUBT * ((by.on + by.relation) @ problem.error))
        + _rounding(forms, chosen, by)
        + problem.row_error[chosen]
    )
    found = np.full(len(chosen), -np.inf)
    value = np.nextafter(tau - above(above(lost[good.numpy()]) + above(loss)), -np.inf)
    found[good.numpy()] = np.where(np.isfinite(value), value, -np.inf)
    return found


def _matrices(forms: _Forms, chosen: np.ndarray, by: _Multipliers) -> np.ndarray:
    """(R, n + 1, n + 1): S_uu - B B' / mu for tau = 0, exactly symmetric, 1 last."""
    problem, n, half = forms.problem, forms.problem.neurons, 0.5 * by.relation
    constants, direct, lifted = problem.parts(problem.rows[chosen])
    along = 0.5 * (direct + by.on @ forms.by_inputs)  # B's row of 1
    found = np.empty((len(chosen), n + 1, n + 1))
    scaled = half[:, :, None] * forms.by_neurons
    found[:, :n, :n] = -(scaled + scaled.mT)
    found[:, :n, :n] -= (half[:, :, None] * half[:, None, :]) * (forms.products / by.ball[:, None, None])
    every = np.arange(n)
    found[:, every, every] += by.relation
    linear = 0.5 * (lifted - by.off - by.on + by.on @ forms.by_neurons) - half * forms.constants
    linear += half * (along @ forms.by_inputs.T) / by.ball[:, None]
    found[:, n, :n] = found[:, :n, n] = linear
    corner = constants + by.on @ forms.constants - by.ball * problem.reach**2
    found[:, n, n] = corner - (along * along).sum(1) / by.ball
    return found


def _rounding(forms: _Forms, chosen: np.ndarray, by: _Multipliers) -> np.ndarray:
    """(R,): how much the roundings of `_matrices` can change u' S u: gamma times the sum of all terms' sizes."""
    problem = forms.problem
    constants, direct, lifted = (np.abs(part) for part in problem.parts(problem.rows[chosen]))
    absolute = np.abs(forms.by_inputs)
    columns = 0.5 * (by.relation @ absolute + direct + by.on @ absolute)  # of |B|, summed over u
    inner = by.relation.sum(1) + (by.relation @ np.abs(forms.by_neurons)).sum(1)
    beside = (lifted + by.off + by.on + by.on @ np.abs(forms.by_neurons) + by.relation * np.abs(forms.constants)).sum(1)
    corner = constants + by.on @ np.abs(forms.constants) + by.ball * problem.reach**2
    size = inner + beside + corner + (columns * columns).sum(1) / by.ball
    terms = problem.neurons + problem.inputs + 32
    tiny = SMALLEST * terms**2 * (1 + 1 / by.ball) * (1 + size) ** 2
    error: np.ndarray = DOUBT * (4 * gamma(terms) * size + tiny)
    return error


def seconds_foreseen(functionals: int, neurons: int) -> float:
    """About how long `least_values` takes."""
    return functionals * (1e-4 + (neurons + 1) ** 3 * _OPERATIONS)
