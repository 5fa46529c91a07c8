"""Any multipliers, turned into a proved lower bound on the squared distance to a rival's adversarial points.

**What is proved.** Let x be a point with f_rival(x) >= f_label(x) and |x - u| <= r. By `forms`, a point d no longer
than x - u satisfies the conditions of the relaxation; with y = Q^T d, |x - u|^2 >= |d|^2 >= |y|^2 / ||Q||^2. By
`lagrangian`, |y|^2 >= v' M v' - error there, for any multipliers whose inequalities' are not negative (they are clipped
to that). So if M - gamma e0 e0^T >= -loss I, then, v'_0 being 1 and |v'|^2 <= size,
    |y|^2 >= gamma - loss size - error.
gamma is chosen, not computed: v'_0 is put last, the rest of M (plus a shift, if it must be) is factored, and gamma is
what leaves the last pivot at 0. Then L L^T is multiplied out and compared with what it should be (`definiteness`): it
is positive semidefinite whatever L is, so the residual's norm plus the shift is the loss. Neither the solver nor the
factor is trusted; a number that is not finite anywhere refuses the proof, and so does a relaxation of another network,
point, label, rival or radius.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from relucert_core.certificates.semidefinite.lagrangian import lagrangian
from relucert_core.certificates.semidefinite.relaxation import Identity, Multipliers, Relaxation
from relucert_core.definiteness import residual_norm_above
from relucert_core.rounding import above, below

REFUSED = 0.0
_SHIFTS = (0.0, 1e-13, 1e-10, 1e-7)  # of the largest diagonal entry; interior multipliers need none


@np.errstate(all="ignore")  # numbers that are not finite end in a refusal
def prove(
    relaxation: Relaxation, multipliers: Multipliers, identity: Identity, cases: tuple[tuple[int, int], ...] = ()
) -> float:
    """A proved lower bound on |x - u|^2 over the x with f_rival(x) >= f_label(x) and |x - u| <= identity.radius.

    With `cases`, which must be those of the problem, only over the x whose point d is in them (see `branches`).

    0 where nothing is proved; never an exception. It says nothing about points farther away, so the certified radius
    against this rival is min(identity.radius, sqrt of it). Cost: a few products of (n, N) matrices and one Cholesky
    factor of N rows.
    """
    if not (_belongs(relaxation, identity, cases) and _well_formed(relaxation, multipliers)):
        return REFUSED
    problem = lagrangian(relaxation, clipped(multipliers))
    if not (np.isfinite(problem.matrix).all() and math.isfinite(problem.error)):
        return REFUSED
    matrix = torch.from_numpy(np.roll(problem.matrix, -1, (0, 1)))
    largest = float(matrix.diagonal().abs().max())
    for shift in _SHIFTS:
        gamma, loss = _claim(matrix, shift * largest)
        value = gamma - above(above(loss * relaxation.size_above) + problem.error)
        if math.isfinite(value) and value > 0:
            return float(below(below(value) / above(relaxation.basis_norm**2)))
    return REFUSED


def clipped(multipliers: Multipliers) -> Multipliers:
    """The multipliers with those of inequalities raised to 0 where they are negative."""
    boxes = (np.maximum(part, 0.0) for part in (multipliers.zeta_box, multipliers.omega_box, multipliers.cuts))
    return Multipliers(multipliers.complement, *boxes)


def _claim(matrix: torch.Tensor, shift: float) -> tuple[float, float]:
    """(gamma, loss) such that matrix - gamma e e^T >= -loss I, e the last unit vector; NaN where there is no factor.

    matrix: (N, N), symmetric. The shift is added to all diagonal entries but the last one, which becomes the square of
    the factor's last row: gamma is the difference, rounded down.
    """
    rest, last = slice(None, -1), matrix[:-1, -1]
    target = matrix.clone()
    target[rest, rest].diagonal().add_(shift)
    corner, failed = torch.linalg.cholesky_ex(target[rest, rest])
    if int(failed) != 0:
        return math.nan, math.nan
    factor = torch.zeros_like(matrix)
    factor[rest, rest] = corner
    factor[-1, rest] = torch.linalg.solve_triangular(corner, last.unsqueeze(1), upper=False).squeeze(1)
    target[-1, -1] = factor[-1] @ factor[-1]
    gamma = math.nextafter(float(matrix[-1, -1] - target[-1, -1]), -math.inf)
    # Adding the shift rounds by u of the sum.
    added = above(shift) + 2.0**-52 * float(target.diagonal().abs().max()) if shift else 0.0
    return gamma, float(above(added + float(residual_norm_above(target, factor))))


def _belongs(relaxation: Relaxation, identity: Identity, cases: tuple[tuple[int, int], ...]) -> bool:
    """Is this the problem asked for, made from bounds that hold for it, and does it say anything?"""
    same = relaxation.identity == identity and relaxation.cases == cases and relaxation.bounds.covers(identity)
    return same and identity.radius > 0 and relaxation.centre_margin > 0 and relaxation.basis_norm > 0


def _well_formed(relaxation: Relaxation, multipliers: Multipliers) -> bool:
    """Are all numbers finite, all errors and bounds not negative, all shapes and indices what they should be?"""
    n, extras = relaxation.neurons, len(relaxation.extras)
    shapes = [part.shape for part in (multipliers.complement, multipliers.zeta_box, multipliers.omega_box)]
    if shapes != [(n,)] * 3 or multipliers.cuts.shape != (len(relaxation.cuts),):
        return False
    cuts = relaxation.cuts
    if len(cuts) and not (cuts.min() >= 0 and cuts.max() < 3 * n + 1 + extras):
        return False
    slack = (relaxation.omega_error, relaxation.extra_error, relaxation.extra_bound)
    rows = (relaxation.g, relaxation.omega, relaxation.extras)
    numbers = (*vars(multipliers).values(), *rows, *slack, np.array([relaxation.basis_norm, relaxation.size_above]))
    return all(bool(np.isfinite(part).all()) for part in numbers) and all(bool((part >= 0).all()) for part in slack)
