"""From a network, bounds and a rival to a stored problem that is exact from then on; see `relaxation`.

**The surrogate network.** Each lifted neuron's pre-activation becomes a stored row rho_i over (1, y, zeta), scaled by
some beta_i > 0, and zeta_i the number with s_i zeta_i = max(rho_i . v, 0), s_i > 0 stored. Taken exactly, these rows
define a continuous function of d = x - u, and the margin's stored row defines another, m^. Every error made on the way
(rounding, rows outside the span of the basis, lines in place of neurons) is bounded over the ball by a number
`shift` for each row: |stored - true| <= shift (for rows with dropped neurons, on their unsafe side), errors of lower
neurons included, as relu is 1-Lipschitz and, for one-sided rows, monotone. The margin's row is lowered by its whole
shift, so m^ <= f_k - f_j on the ball (up to the positive factor of the pivot). Where the centre has m^ > 0, every
segment from u to an adversarial point x of the rival in the ball thus has a point with m^ = 0, no farther than x.
There, in real arithmetic and without any error,
    v_pivot = g . v',  zeta_i >= 0,  omega_i = s_i zeta_i - rho_i . v >= 0,  zeta_i omega_i = 0.
With l <= a_i <= c the bounds, widened by the shifts, beta_i |l| <= 1 and beta_i c <= s_i give zeta_i, omega_i <= 1.

**Bounds that hold only where f_k - f_j <= slack** (a ball cut by a half-space): then no neuron may be dropped, so that
f_k - f_j - 2 shift <= m^ <= f_k - f_j holds wherever the bounds do, 2 shift <= slack is required and f_k - f_j > slack
at u. Let x be the first point of the segment with f_k = f_j. Before it lies a last point with f_k - f_j = 2 shift; the
bounds hold between the two, m^ >= 0 at that point and m^ <= 0 at x, so m^ vanishes between them.

**The pivot** is an input, the first basis vector, along which alone the margin depends on the input directly, or the
neuron with the largest coefficient. Only putting g . v' in its place in the rows of omega rounds again: `omega_error`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from relucert_core.certificates.semidefinite.relaxation import Bounds, Identity, Relaxation
from relucert_core.certificates.semidefinite.substitution import BELOW, DOUBT, Frame, Lifting, Rows, Substitution
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma

_DIRECT_SHARE = 0.05  # the margin's direct part of the input, against its largest neuron, from which it is the pivot
_LEAST, _MOST = 1e-150, 1e150  # scales outside this range are refused: products of two could leave float64


@dataclass(frozen=True, eq=False)
class _Scaled:
    """The surrogate network over v = (1, y, zeta): rho (n, 1 + p + n), s (n,), and each row's `shift` (n,)."""

    rho: np.ndarray
    scale: np.ndarray
    units: np.ndarray  # what one unit of zeta_i is worth in the network's own units
    shift: np.ndarray


@np.errstate(all="ignore")  # numbers that are not finite end in a refusal
def relax(frame: Frame, rival: int, bounds: Bounds, radius: float, lifting: Lifting | None = None) -> Relaxation | None:
    """The relaxation of `rival` over the ball of `radius`, or None where rounding or overflow forbids one.

    bounds: of the same network, point and label and of a radius at least `radius`. lifting: which neurons are lifted
    (None: every open one); a choice that drops some needs bounds of the whole ball and drops them in the last two
    hidden layers only.
    """
    identity = Identity(frame.net.digest, frame.point.tobytes(), frame.label, rival, radius)
    if not bounds.identity.covers(identity):
        return None
    work = Substitution(frame, bounds, Lifting.every(bounds) if lifting is None else lifting, radius)
    whole = bounds.slack == np.inf
    if any(part.any() for part in (work.dropped if not whole else work.dropped[:-2])):
        return None
    margin, neurons = margin_rows(work, rival)
    basis = _basis(work, margin, neurons)
    norm = basis_norm_above(basis)
    reach = norm * radius * (1 + 4 * UNIT_ROUNDOFF)
    surrogate = _surrogate(work, neurons, basis, reach, bounds)
    solved = _solve_margin(work, margin, surrogate, basis, reach)
    if solved is None:
        return None
    g, omega, error, order = _eliminate(surrogate, solved, reach)
    centre = solved.value_below(*surrogate.at_centre(work.places))
    if not whole:
        near = 2 * DOUBT * solved.shift <= bounds.slack
        centre = float(frame.gaps[rival]) * (1 - 4 * UNIT_ROUNDOFF) - bounds.slack if near else 0.0
    empty, no_rows, no_cuts = np.zeros(0), np.zeros((0, len(g))), np.zeros((0, 2), dtype=np.int64)
    found = Relaxation(
        identity=identity, bounds=bounds.identity, basis=basis, basis_norm=norm, centre_margin=centre, g=g,
        pivot_is_neuron=solved.is_neuron, omega=omega, omega_error=error, extras=no_rows, extra_error=empty,
        extra_bound=empty, cuts=no_cuts, where=work.where[order], units=surrogate.units[order],
    )  # fmt: skip
    finite = all(np.isfinite(part).all() for part in (basis, g, omega, error)) and np.isfinite(found.size_above)
    return found if finite and centre > 0 else None


def margin_rows(work: Substitution, rival: int) -> tuple[Rows, list[Rows]]:
    """The rows of the margin f_label - f_rival and of each hidden layer's lifted neurons, over d and z.

    A neuron of the last hidden layer may be lowered where the margin takes it with a positive sign, and raised where it
    takes it with a negative one.
    """
    frame, label = work.frame, work.frame.label
    depth, weight, bias = frame.net.depth - 1, frame.weights[-1], frame.biases[-1]
    row, constant = weight[label] - weight[rival], bias[label] - bias[rival]
    neurons = []
    for layer in range(1, depth + 1):
        kept = work.lifted[layer - 1]
        sides = np.where(row[kept] < 0, -BELOW, BELOW) if layer == depth else np.full(int(kept.sum()), BELOW)
        neurons.append(work.neurons(layer, sides))
    return work.carry(row[None], np.array([constant]), depth, np.array([BELOW])), neurons


def _basis(work: Substitution, margin: Rows, neurons: list[Rows]) -> np.ndarray:
    """Q (D, p), orthonormal up to rounding, whose span holds all rows; its first vector is the margin's row, if any."""
    above = (
        np.concatenate([rows.inputs for rows in neurons[1:]])
        if len(neurons) > 1
        else np.zeros((0, len(work.frame.point)))
    )
    others = work.frame.weights[0][work.on[0] | work.dropped[0]]
    fewer = above if len(above) <= len(others) else others
    direct = margin.inputs[:1] if margin.inputs.any() else margin.inputs[:0]
    rows = np.concatenate([direct, neurons[0].inputs, fewer])
    rows = rows[rows.any(1)]
    if not np.isfinite(rows).all():
        return np.full((rows.shape[1], 1), np.nan)
    if len(rows) < rows.shape[1]:
        return scipy.linalg.qr(rows.T, mode="economic", check_finite=False)[0]
    return scipy.linalg.qr(direct.T, check_finite=False)[0] if len(direct) else np.eye(rows.shape[1])


def basis_norm_above(basis: np.ndarray) -> float:
    """A proved upper bound of the spectral norm of Q (D, p), from ||Q||^2 <= 1 + ||Q^T Q - I||_F.

    The product's rounding is counted: entry by entry it is at most gamma_D |q_i| |q_j|, together a matrix whose norm is
    at most gamma_D ||Q||_F^2.
    """
    count = basis.shape[1]
    gram = basis.T @ basis
    trace = DOUBT * float(np.trace(gram)) + 1e-290
    gram[np.arange(count), np.arange(count)] -= 1.0
    excess = DOUBT * float(np.sqrt((gram * gram).sum())) + DOUBT * 2 * gamma(len(basis) + 8) * trace
    return float(np.sqrt(1 + excess * (1 + 8 * UNIT_ROUNDOFF))) * (1 + 8 * UNIT_ROUNDOFF)


def _missed(rows: np.ndarray, found: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """(R,): bounds of |rows - found Q^T|_2, the rounding of the product counted."""
    rest = rows - found @ basis.T
    columns = float(np.sqrt((basis * basis).sum(0).max(initial=0.0))) * DOUBT
    sizes = np.sqrt((rows * rows).sum(1)) + np.abs(found).sum(1) * columns
    return DOUBT * (np.sqrt((rest * rest).sum(1)) + 2 * gamma(basis.shape[1] + 8) * sizes) + 1e-150


@dataclass(frozen=True, eq=False)
class _Surrogate:
    """The surrogate network over v = (1, y, zeta): rho (n, 1 + p + n) and s (n,).

    units (n,): what one unit of zeta_i is worth in the network's own units; shift (n,): those of the rows.
    """

    rho: np.ndarray
    scale: np.ndarray
    units: np.ndarray
    shift: np.ndarray

    def at_centre(self, places: tuple[slice, ...]) -> tuple[np.ndarray, np.ndarray]:
        """zeta (n,) at y = 0, and how far each may be from its exact value."""
        count = len(self.scale)
        zeta, error, weights = np.zeros(count), np.zeros(count), self.rho[:, self.rho.shape[1] - count :]
        for place in places:
            value = self.rho[place, 0] + weights[place] @ zeta
            size = np.abs(self.rho[place, 0]) + np.abs(weights[place]) @ zeta
            doubt = gamma(count + 8) * size + np.abs(weights[place]) @ error
            zeta[place] = np.maximum(value, 0.0) / self.scale[place]
            error[place] = DOUBT * (doubt / self.scale[place] + 4 * UNIT_ROUNDOFF * zeta[place]) + SMALLEST
        return zeta, error


def _surrogate(work: Substitution, neurons: list[Rows], basis: np.ndarray, reach: float, bounds: Bounds) -> _Surrogate:
    """Layer by layer: the rows over y, their shifts, the widened bounds, the scales."""
    count, inputs = work.count, basis.shape[1]
    rho, scale, units, shift = np.zeros((count, 1 + inputs + count)), np.ones(count), np.ones(count), np.zeros(count)
    for q, rows in enumerate(neurons):
        place, kept = work.places[q], work.lifted[q]
        direct = rows.inputs @ basis
        own = row_error(work, rows, direct, basis, reach, units)
        shift[place] = DOUBT * (own + np.abs(rows.lifted) @ shift) + SMALLEST
        low = -(bounds.lower[q][kept] - shift[place] - np.where(rows.sides > 0, rows.gap, 0.0)) * (
            1 + 8 * UNIT_ROUNDOFF
        )
        high = (bounds.upper[q][kept] + shift[place] + np.where(rows.sides < 0, rows.gap, 0.0)) * (
            1 + 8 * UNIT_ROUNDOFF
        )
        beta = (1 / low) * (1 - 8 * UNIT_ROUNDOFF)
        rho[place, 0], rho[place, 1 : 1 + inputs] = beta * rows.constants, beta[:, None] * direct
        rho[place, 1 + inputs :] = beta[:, None] * (rows.lifted * units)
        scale[place] = beta * high * (1 + 8 * UNIT_ROUNDOFF)
        units[place] = scale[place] / beta
    return _Surrogate(rho, scale, units, shift)


def row_error(
    work: Substitution, rows: Rows, direct: np.ndarray, basis: np.ndarray, reach: float, units: np.ndarray
) -> np.ndarray:
    """(R,): how far rows, stored with `direct` (R, p) in place of their inputs, may be from the true functions of z."""
    size = np.abs(rows.constants) + np.sqrt((direct * direct).sum(1)) * reach + np.abs(rows.lifted) @ units
    missed = _missed(rows.inputs, direct, basis)
    error: np.ndarray = rows.error + missed * work.radius + 16 * UNIT_ROUNDOFF * DOUBT * size + work.tiny
    return error


@dataclass(frozen=True, eq=False)
class _Solved:
    """The margin's row solved for its pivot: m^ = sign (v_pivot - g . v), g (1 + p + n,) with a 0 at the pivot.

    shift: a bound, in the network's own units, of how far m^ was lowered or may be off.
    """

    g: np.ndarray
    pivot: int
    inputs: int
    sign: float
    shift: float

    @property
    def is_neuron(self) -> bool:
        """Is the pivot a neuron? Otherwise it is the first input."""
        return self.pivot > self.inputs

    def value_below(self, zeta: np.ndarray, doubt: np.ndarray) -> float:
        """A lower bound of m^ at the centre, from zeta (n,) there and its errors."""
        v, error = (
            np.concatenate([[first], np.zeros(self.inputs), part]) for first, part in ((1.0, zeta), (0.0, doubt))
        )
        value = self.sign * (v[self.pivot] - self.g @ v)
        loss = gamma(len(v) + 8) * (v[self.pivot] + np.abs(self.g) @ v) + error[self.pivot] + np.abs(self.g) @ error
        return float(value - DOUBT * loss - SMALLEST)


def _solve_margin(
    work: Substitution, margin: Rows, surrogate: _Surrogate, basis: np.ndarray, reach: float
) -> _Solved | None:
    """The margin's stored row, lowered by all its errors and solved for its pivot; None where it has none."""
    inputs = basis.shape[1]
    direct = margin.inputs @ basis
    direct[:, 1:] = 0.0
    error = row_error(work, margin, direct, basis, reach, surrogate.units)
    shift = float(DOUBT * (error + np.abs(margin.lifted) @ surrogate.shift)[0])
    row = np.concatenate([margin.constants, direct[0], margin.lifted[0] * surrogate.units])
    if row.size == 1:  # the margin is the same everywhere
        return None
    largest = 1 + inputs + int(np.argmax(np.abs(row[1 + inputs :]))) if work.count else 1
    pivot = largest if abs(row[1]) < _DIRECT_SHARE * abs(row[largest]) else 1
    if not _LEAST < abs(row[pivot]) < _MOST:
        return None
    g = -row / row[pivot]
    g[pivot] = 0.0
    lost = 8 * UNIT_ROUNDOFF * (abs(g[0]) + abs(g[1]) * reach + np.abs(g[1 + inputs :]).sum()) + SMALLEST
    sign = 1.0 if row[pivot] > 0 else -1.0
    g[0] += sign * DOUBT * (shift / abs(row[pivot]) + lost)
    return _Solved(g, pivot, inputs, sign, DOUBT * (2 * shift + 2 * lost * abs(row[pivot])))


def _eliminate(surrogate: _Surrogate, solved: _Solved, reach: float) -> tuple[np.ndarray, ...]:
    """g (N,), the rows of omega (n, N) over v', their errors (n,), and the order (n,): the pivot comes last.

    Each entry of a row is the sum of its own and of the pivot's times g: two roundings.
    """
    count, inputs, pivot = len(surrogate.scale), solved.inputs, solved.pivot
    rows = -surrogate.rho
    rows[np.arange(count), 1 + inputs + np.arange(count)] = surrogate.scale
    order, places = np.arange(count), np.delete(np.arange(1 + inputs + count), pivot)
    if solved.is_neuron:
        order = np.append(np.delete(order, pivot - 1 - inputs), pivot - 1 - inputs)
    column, rest, g = rows[order, pivot], rows[np.ix_(order, places)], solved.g[places]
    left = inputs - (not solved.is_neuron)
    size = _size(rest, left, reach) + np.abs(column) * _size(g[None], left, reach)
    rest += column[:, None] * g
    return g, rest, np.where(column == 0, 0.0, 4 * UNIT_ROUNDOFF * DOUBT * size + len(g) * SMALLEST), order


def _size(rows: np.ndarray, inputs: int, reach: float) -> np.ndarray:
    """(R,): bounds of sum_j |row_j v'_j| over the points of the problem."""
    direct, zeta = rows[:, 1 : 1 + inputs], rows[:, 1 + inputs :]
    size: np.ndarray = np.abs(rows[:, 0]) + np.sqrt((direct * direct).sum(1)) * reach + np.abs(zeta).sum(1)
    return size


def ball_forms(relaxation: Relaxation, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (K, N), errors and bounds (K,) of the forms 1 - tau . y >= 0, tau along `directions` (K, p) over y.

    |tau| basis_norm r <= 1 is made true by rounding tau's length down, so the form is non-negative on the whole ball.
    """
    reach = relaxation.basis_norm * relaxation.identity.radius
    lengths = np.sqrt((directions * directions).sum(1)) * (1 + 2 * gamma(directions.shape[1] + 8)) + 1e-150
    tau = directions / lengths[:, None] * ((1 - 16 * UNIT_ROUNDOFF) / reach)
    rows = np.zeros((len(tau), relaxation.size))
    rows[:, 0] = 1.0
    errors = np.zeros(len(tau))
    if relaxation.pivot_is_neuron:
        rows[:, relaxation.inputs] = -tau
    else:
        rows[:, relaxation.inputs] = -tau[:, 1:]
        rows -= tau[:, :1] * relaxation.g
        left = tau.shape[1] - 1
        size = _size(rows, left, reach) + np.abs(tau[:, 0]) * _size(relaxation.g[None], left, reach) + 1
        errors = 4 * UNIT_ROUNDOFF * DOUBT * size + relaxation.size * SMALLEST
    return rows, errors, np.full(len(tau), 2.0)
