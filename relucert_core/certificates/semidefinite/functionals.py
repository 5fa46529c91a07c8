"""Functionals of a hidden layer over a ball, as stored rows over (1, y, zeta): what `moments` and `ranges` work on.

With d = x - u, y = Q^T d and zeta_j = z_j / height_j for every open neuron of the layers below, height_j > 0 an upper
bound of z_j, every point of the ball has
    zeta_j = max(a_j, 0),   a_j = rho_j . (1, y, zeta) + e_j,   |e_j| <= error_j,     0 <= zeta_j <= 1,
and a functional is row . (1, y, zeta) + e likewise. Neurons that are proved on or off are substituted (`substitution`),
so rho_j has entries at the neurons of all layers below its own, and at none besides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import scipy.linalg

from relucert_core.certificates.semidefinite.forms import basis_norm_above, row_error
from relucert_core.certificates.semidefinite.relaxation import Bounds, Identity
from relucert_core.certificates.semidefinite.substitution import BELOW, DOUBT, Frame, Lifting, Rows, Substitution
from relucert_core.errors import InvalidInput
from relucert_core.rounding import UNIT_ROUNDOFF


@dataclass(frozen=True, eq=False)
class Functionals:
    """R functionals of hidden layer `layer`, and the n open neurons up to it, stored.

    reach: |y| is at most this. places: where the neurons of each layer stand. rho (n, 1 + p + n), error (n,); rows
    (R, 1 + p + n), row_error (R,).
    """

    reach: float
    inputs: int
    places: tuple[slice, ...]
    rho: np.ndarray
    error: np.ndarray
    rows: np.ndarray
    row_error: np.ndarray

    @property
    def neurons(self) -> int:
        """n, the number of open neurons."""
        return len(self.rho)

    def parts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The columns of rows over (1, y, zeta): (R,), (R, p), (R, n)."""
        return rows[:, 0], rows[:, 1 : 1 + self.inputs], rows[:, 1 + self.inputs :]


@np.errstate(all="ignore")  # what is not finite proves nothing
def functionals(
    frame: Frame, bounds: Bounds, radius: float, rows: np.ndarray, constants: np.ndarray, layer: int
) -> Functionals:
    """rows (R, N_layer) . h^(layer) + constants (R,) for a hidden layer, from 1, over the ball of `radius`.

    bounds: those of the whole ball, of a radius at least `radius`; only those of layers 1 to `layer` are used. Raises
    InvalidInput where they belong to something else.
    """
    asked = Identity(frame.net.digest, frame.point.tobytes(), frame.label, None, radius)
    if not (bounds.identity.covers(asked) and bounds.slack == np.inf):
        raise InvalidInput(
            "These bounds belong to another network, point, label or rival, or to a smaller ball: give those of the "
            f"whole ball of radius at least {radius!r} around the same point."
        )
    below = _up_to(bounds, layer)
    work = Substitution(frame, below, Lifting.every(below), radius)
    neurons = [work.neurons(q, np.full(int(work.lifted[q - 1].sum()), BELOW)) for q in range(1, layer + 1)]
    own = work.carry(rows, constants, layer, np.full(len(rows), BELOW))
    basis = _basis(work, neurons[0])
    reach = basis_norm_above(basis) * radius * (1 + 4 * UNIT_ROUNDOFF)
    heights = np.concatenate([high[kept] for high, kept in zip(work.upper, work.lifted, strict=True)])
    found = [_stored(work, part, basis, reach, heights) for part in [*neurons, own]]
    rho, error = (np.concatenate(parts) for parts in zip(*found[:-1], strict=True))
    # Division rounds once more: the bound of the error has room for sixteen.
    stops = np.cumsum([0, *(len(part.constants) for part in neurons)])
    places = tuple(slice(int(a), int(b)) for a, b in pairwise(stops))
    error = DOUBT * error / heights
    return Functionals(reach, basis.shape[1], places, rho / heights[:, None], error, *found[-1])


def _up_to(bounds: Bounds, layer: int) -> Bounds:
    """The bounds with every neuron above `layer` taken for one that is on: no functional meets it."""
    lower = tuple(low if q < layer else np.zeros_like(low) for q, low in enumerate(bounds.lower))
    upper = tuple(high if q < layer else np.zeros_like(high) for q, high in enumerate(bounds.upper))
    return replace(bounds, lower=lower, upper=upper)


def _basis(work: Substitution, first: Rows) -> np.ndarray:
    """Q (D, p), orthonormal up to rounding, whose span holds the first layer's rows that take part."""
    rows = np.concatenate([first.inputs, work.frame.weights[0][work.on[0]]])
    rows = rows[rows.any(1)]
    if not np.isfinite(rows).all():
        return np.full((rows.shape[1], 1), np.nan)
    if len(rows) < rows.shape[1]:
        return scipy.linalg.qr(rows.T, mode="economic", check_finite=False)[0]
    return np.eye(rows.shape[1])


def _stored(
    work: Substitution, rows: Rows, basis: np.ndarray, reach: float, heights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows over (1, y, zeta), and bounds of how far they are from the true functions."""
    direct = rows.inputs @ basis
    stored = np.concatenate([rows.constants[:, None], direct, rows.lifted * heights], axis=1)
    return stored, DOUBT * row_error(work, rows, direct, basis, reach, heights)
