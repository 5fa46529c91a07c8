"""A proposal for the parabolas: the worst random d in the ball, seen through means and variances alone.

Let d be random with E|d|^2 <= r^2. Of a neuron with mean m and variance v, E relu(a) <= (m + sqrt(m^2 + v)) / 2 and
E relu(a) >= max(0, m). The largest value that these allow for sum c_j relu(a_j) is the dual of the best quadratic
bound. With d = mean + sum of y * sign, fair signs and a few vectors y, m_j = A_j + w_j . mean and v_j = (w_j . y)^2;
one vector y was nearly enough on most digits, two on all, and with too few the bound only gets weaker. Mean and y are
moved to r times the gradient's direction, again and again; for a positive c_j the function is convex, so that no step
can lower it. The lines' slopes under negative c_j move by Newton's step for their own neuron. Within the ball a_j also
lies between two bounds, so that E relu(a_j) is at most the chord's value at m_j as well; where that is less, the chord
is used. All vectors are combinations of the rows of W^(1), so that a step is two products with the Gram matrix.

Nothing here is proved or needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.quadratic.first_layer import FirstLayer
from relucert_core.deadline import check_time

STEPS = 16
_SPREAD = 0.05  # the length of y at the start, in radii
_DAMPING = 0.5
_LARGE = 20_000  # from so many weights on, single precision does: twice as fast
_TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Moments:
    """For R sums over n neurons: where the ascent stands. slopes (R, n), of the lines; multiplier (R,), the ball's.

    means (R, n), spreads (q, R, n): w_j . mean and w_j . y of the random point.
    """

    slopes: torch.Tensor
    multiplier: torch.Tensor
    means: torch.Tensor
    spreads: torch.Tensor


@dataclass(frozen=True, eq=False)
class Proposal(Moments):
    """And what follows from it: half_widths (R, n), infinite where a line is better.

    outputs (R, n): the expected relu(a_j) that the moments allow. value (R,): the expected sum: what the proved bound
    should come close to.
    """

    half_widths: torch.Tensor
    outputs: torch.Tensor
    value: torch.Tensor


def worst_moments(
    first: FirstLayer, weights: torch.Tensor, steps: int = STEPS, *, vectors: int = 1, start: Moments | None = None
) -> Proposal:
    """The worst moments for R sums of weights c (R, n) over the neurons of `first`.

    vectors: how many y there are, without a start. start: the moments of R similar sums, to go on from; what is NaN
    there begins as without a start.
    """
    with np.errstate(all="ignore"):
        search = _Search(first, weights.numpy())
        state = search.begin(vectors) if start is None else search.go_on(start)
        for _ in range(steps):
            check_time()
            state = search.step(*state)
        return search.proposal(*state)


_State = tuple[np.ndarray, np.ndarray, np.ndarray]  # slopes (R, n), strays (1 + q, R, n), multiplier (R, 1)


class _Search:
    """The ascent for R sums; NumPy, because its arrays are small and its steps many."""

    def __init__(self, first: FirstLayer, weights: np.ndarray) -> None:
        kind = np.float32 if weights.size > _LARGE else np.float64
        self.radius = first.radius
        self.weights: np.ndarray = weights.astype(kind)
        self.gram: np.ndarray | None = None if first.gram is None else first.gram.numpy().astype(kind)
        self.rows: np.ndarray | None = first.rows.numpy().astype(kind) if first.gram is None else None
        self.values: np.ndarray = first.values.numpy().astype(kind)
        reach: np.ndarray = first.reach.numpy().astype(kind)
        norms: np.ndarray = first.norms.numpy().astype(kind)
        self.low = self.values - reach
        self.chord = (self.values + reach) / (2 * reach)
        open_ = first.open.numpy()
        self.curved = open_ & (weights > 0)
        self.straight = open_ & ~self.curved
        self.settled = ~open_
        self.begin_at = np.where(open_, np.maximum(self.values, 0), self.values)
        self.stiffness = 2 * _DAMPING / (np.abs(self.weights) * norms * norms + _TINY)

    def begin(self, vectors: int) -> _State:
        """A mean along the gradient at the centre, and small y in any direction."""
        kind = self.weights.dtype
        slopes = np.where(self.settled, 1, self.values > 0).astype(kind) + np.zeros_like(self.weights)
        push = np.random.default_rng(0).standard_normal((vectors, 1, self.weights.shape[1])).astype(kind) * self.curved
        strays, squares = self._along(np.concatenate([(self.weights * slopes)[None], push]))
        lengths = np.full(1 + vectors, _SPREAD, dtype=kind)
        lengths[0] = 1
        scale = lengths[:, None] * self.radius / np.sqrt(np.maximum(squares, _TINY))
        return slopes, strays * scale[..., None], np.zeros_like(self.weights[:, :1])

    def go_on(self, start: Moments) -> _State:
        """From moments that were found."""
        strays = torch.cat([start.means[None], start.spreads])
        parts = (start.slopes, strays, start.multiplier.unsqueeze(-1))
        found = tuple(np.asarray(part, dtype=self.weights.dtype) for part in parts)
        if not any(np.isnan(part).any() for part in found):
            return found[0], found[1], found[2]
        fresh = self.begin(len(start.spreads))
        slopes, moments, multiplier = (
            np.where(np.isnan(part), new, part) for part, new in zip(found, fresh, strict=True)
        )
        return slopes, moments, multiplier

    def _along(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors W'c for c (q, R, n): their products with the rows (q, R, n), and their squared lengths (q, R)."""
        flat = coefficients.reshape(-1, coefficients.shape[-1])
        found = flat @ self.gram if self.rows is None else (flat @ self.rows) @ self.rows.T
        strays = found.reshape(coefficients.shape)
        return strays, np.einsum("qij,qij->qi", coefficients, strays)

    def step(self, slopes: np.ndarray, strays: np.ndarray, multiplier: np.ndarray) -> _State:
        """The moments moved to the radius times the direction of the gradient."""
        middle, widths, bent, _, parabola = self._bent(strays)
        moved = np.clip(slopes + self.stiffness * multiplier * middle, 0, 1)
        slopes = np.where(parabola, bent / widths, np.where(self.straight, moved, np.where(self.curved, self.chord, 1)))
        push = np.where(parabola, self.weights / (2 * widths), 0) * strays[1:]
        strays, squares = self._along(np.concatenate([(self.weights * slopes)[None], push]))
        length = np.sqrt(np.maximum(squares.sum(0), _TINY))[:, None]
        return slopes, strays * (self.radius / length), length / (2 * self.radius)

    def _bent(self, strays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Means of the neurons, half-widths, Scarf's bound, the chord's, and where the former is the smaller one."""
        middle = self.values + strays[0]
        widths = np.maximum(np.sqrt(middle * middle + np.square(strays[1:]).sum(0)), _TINY)
        bent, lined = 0.5 * (middle + widths), self.chord * (middle - self.low)
        return middle, widths, bent, lined, self.curved & (bent < lined)

    def proposal(self, slopes: np.ndarray, strays: np.ndarray, multiplier: np.ndarray) -> Proposal:
        """The record of what was found."""
        middle, widths, bent, lined, parabola = self._bent(strays)
        straight = np.where(self.straight, np.maximum(middle, 0), middle)
        outputs = np.where(self.curved, np.minimum(bent, lined), straight)
        value = np.einsum("ij,ij->i", self.weights, outputs - self.begin_at)
        widths = np.where(self.curved & ~parabola, np.inf, widths)
        parts = (slopes, multiplier[:, 0], strays[0], strays[1:], widths, outputs, value)
        return Proposal(*(torch.from_numpy(np.array(part, dtype=np.float64)) for part in parts))
