"""The proved maximum over the ball of a quadratic in the first layer's pre-activations (the S-lemma's easy half).

For stored floats h_j >= 0, e_j and mu, with s_j = w_j . d, H = sum h_j w_j w_j', g = sum e_j w_j and B = mu I - H:
where B + delta I is positive semidefinite, delta >= 0, every d with ||d|| <= r and every proposal p satisfy

    d'Hd + g'd <= mu r^2 - d'Bd + g'd <= mu r^2 + (g'p - p'Bp) + ||g - 2Bp|| (r + ||p||) + delta (r + ||p||)^2,

since g'd - d'Bd is expanded around p and ||d - p|| <= r + ||p||. So all that has to be proved is delta. With V the
matrix of the columns sqrt(h_j) w_j over the p neurons with h_j > 0, VV' = H and V'V = K have the same non-zero
eigenvalues, so that a lower bound of the least eigenvalue of the small mu I - K serves for B (mu >= 0). Where there are
more such neurons than inputs, B itself is the smaller matrix, and (mu I - K)^-1 = (I + V' B^-1 V) / mu.

The proposal solves 2Bp = g with the factor of mu I - K: p = W'(e + k y) / 2mu, (mu I - K) y = k (W g), k = sqrt(h);
the multiplier is moved by Newton's step towards ||p|| = r, where the bound is least.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.over_balls.centre import norms_above
from relucert_core.certificates.quadratic.first_layer import FirstLayer
from relucert_core.certificates.quadratic.parabolas import Quadratic
from relucert_core.deadline import check_time
from relucert_core.definiteness import ProvedFactor, proved_factor
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above, gamma

TRIES = 8
_GROW = 1.02  # by how much a multiplier grows when its factor fails; the next time by the square
_CLOSE = 0.01
_LARGEST = 1e60  # larger numbers are refused: what underflows is multiplied by three of them at most
_UNDERFLOW = 64 * SMALLEST * _LARGEST**3


@dataclass(frozen=True, eq=False)
class Multipliers:
    """What is proposed for R quadratics and what is proved of it.

    multiplier (R,) >= 0. shortfall (R,) >= 0: multiplier I - H + shortfall I is proved positive semidefinite; infinite
    where nothing is. coefficients (R, n): the proposal p = sum over j of coefficients_j w_j.
    """

    multiplier: torch.Tensor
    shortfall: torch.Tensor
    coefficients: torch.Tensor


def maximum_above(
    first: FirstLayer, quadratic: Quadratic, multiplier: torch.Tensor, tries: int = TRIES
) -> torch.Tensor:
    """(R,): upper bounds on the maxima of R quadratics over the ball; infinite where nothing is proved.

    multiplier (R,): proposed, anything. tries: how many multipliers are tried at most. Cost: about one Cholesky factor
    and its residual, of the neurons with a parabola, for each.
    """
    if not len(first.kept):
        return quadratic.constant
    return evaluate(first, quadratic, propose(first, quadratic, multiplier, tries))


def propose(first: FirstLayer, quadratic: Quadratic, multiplier: torch.Tensor, tries: int = TRIES) -> Multipliers:
    """Multipliers near those of the least bounds, their proofs and their proposals; OutOfTime past a deadline."""
    slopes, along = quadratic.slope.numpy(), first.along(quadratic.slope).numpy()
    coefficients = np.zeros_like(slopes)
    found = []
    with np.errstate(all="ignore"):
        for i, (h, start) in enumerate(zip(quadratic.curvature.numpy(), multiplier.tolist(), strict=True)):
            check_time()
            mu, shortfall, coefficients[i] = _Row(first, h, slopes[i], along[i]).search(start, tries)
            found.append((mu, shortfall))
    mus, shortfalls = torch.tensor(found, dtype=torch.float64).reshape(-1, 2).unbind(1)
    return Multipliers(mus, shortfalls, torch.from_numpy(coefficients))


class _Row:
    """One quadratic: its small matrix K (or H, see the module), and the products of the proposal with it. NumPy."""

    def __init__(self, first: FirstLayer, curvature: np.ndarray, slope: np.ndarray, along: np.ndarray) -> None:
        self.radius, self.inputs, self.slope = first.radius, first.rows.shape[1], slope
        self.curved = curvature.nonzero()[0]
        self.root = above(np.sqrt(curvature[self.curved]))
        self.turned: np.ndarray | None = None  # V' (p, D), where H stands in the place of K
        if first.gram is None:
            scaled = first.rows.numpy()[self.curved] * self.root[:, None]
            wide = len(self.curved) > self.inputs
            self.matrix, self.turned = (scaled.T @ scaled, scaled) if wide else (scaled @ scaled.T, None)
        else:
            self.matrix = first.gram.numpy()[np.ix_(self.curved, self.curved)] * np.outer(self.root, self.root)
        self.size = float(np.square(self.root * first.norms.numpy()[self.curved]).sum())
        self.pull = self.root * along[self.curved]
        self.length = float(slope @ along)

    def search(self, multiplier: float, tries: int) -> tuple[float, float, np.ndarray]:
        """(multiplier, shortfall, coefficients) of the least bound met on the way; a shortfall of inf without one."""
        best: tuple[float, float, float, np.ndarray] | None = None
        grow, failed, good = _GROW, 0.0, math.inf
        for _ in range(tries):
            if not 1 / _LARGEST < multiplier < _LARGEST:
                break
            shortfall, solve = self._factor(multiplier)
            if not math.isfinite(shortfall):
                failed = max(failed, multiplier)
                multiplier, grow = min(multiplier * grow, 0.5 * (failed + good)), grow * grow
                continue
            value, newton, coefficients = self._solve(multiplier, solve)
            if best is None or value < best[0]:
                best = (value, multiplier, shortfall, coefficients)
            good = min(good, multiplier)
            following = newton if newton > failed else 0.5 * (failed + multiplier)
            if not abs(following - multiplier) > _CLOSE * multiplier:
                break
            multiplier = following
        return (0.0, math.inf, np.zeros_like(self.slope)) if best is None else best[1:]

    def _factor(self, multiplier: float) -> tuple[float, Callable[[np.ndarray], np.ndarray]]:
        """A proved upper bound on what mu I - H lacks to be semidefinite (or inf), and how to solve with mu I - K.

        An entry of K sums D products, one of H p of them: as matrices of absolute values either has at most the norm
        sum h_j |w_j|^2, so that the rounding of either is at most gamma times that.
        """
        terms = len(self.curved)
        if not terms:
            return 0.0, np.copy
        shifted = -self.matrix
        shifted.flat[:: len(shifted) + 1] += multiplier
        proof = proved_factor(shifted)
        if proof is None:
            return math.inf, np.copy
        summed = self.inputs if self.turned is None else terms
        error = 4 * gamma(summed + 8) * self.size + 4 * UNIT_ROUNDOFF * multiplier
        shortfall = above(above(error + terms * self.inputs * _UNDERFLOW) - proof.least)
        solve = proof.solve if self.turned is None else self._by_inputs(multiplier, self.turned, proof)
        return (shortfall if shortfall >= 0 else math.inf), solve

    @staticmethod
    def _by_inputs(multiplier: float, turned: np.ndarray, proof: ProvedFactor) -> Callable[[np.ndarray], np.ndarray]:
        """How to solve with mu I - K by the factor of B, nothing proved."""

        def solve(right: np.ndarray) -> np.ndarray:
            found: np.ndarray = (right + turned @ proof.solve(right @ turned)) / multiplier
            return found

        return solve

    def _solve(self, multiplier: float, solve: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float, np.ndarray]:
        """The value of the bound without its constant, Newton's next multiplier, and the proposal's coefficients."""
        radius = self.radius
        inner = solve(self.pull)
        image = multiplier * inner - self.pull
        bend = (self.pull + image) / (2 * multiplier)
        gain = float(self.pull @ inner)
        value = multiplier * radius * radius + (self.length + gain) / (4 * multiplier)
        square = (self.length + 2 * gain + float(inner @ image)) / (4 * multiplier * multiplier)
        length = math.sqrt(max(square, 0.0))
        slope = (square + float(bend @ solve(bend))) / multiplier
        newton = multiplier + (square / slope * (length - radius) / radius if slope > 0 else 0.0)
        coefficients = self.slope / (2 * multiplier)
        coefficients[self.curved] += self.root * inner / (2 * multiplier)
        return value, newton, coefficients


def evaluate(first: FirstLayer, quadratic: Quadratic, proposed: Multipliers) -> torch.Tensor:
    """The inequality of the module's docstring, (R,), every rounding counted; infinite where a number is not finite."""
    h, e, mu = quadratic.curvature, quadratic.slope, proposed.multiplier
    width, depth = first.rows.shape
    radius, norms = first.radius, first.norms
    point = proposed.coefficients @ first.rows
    length = norms_above(point, 2.0)
    strays = point @ first.rows.T
    stray_error = gamma(depth + 4) * norms * length.unsqueeze(-1)
    pull = e + 2 * h * strays
    pull_error = 4 * UNIT_ROUNDOFF * (e.abs() + 2 * h * strays.abs()) + 2 * h * stray_error
    missing = norms_above(pull @ first.rows - 2 * mu.unsqueeze(-1) * point, 2.0)
    missing = missing + ((gamma(width + 8) * pull.abs() + pull_error) * norms).sum(-1) + 8 * UNIT_ROUNDOFF * mu * length
    linear, curved = e * strays, h * strays.square()
    sizes = (linear.abs() + curved).sum(-1)
    errors = ((e.abs() + 2 * h * strays.abs() + h * stray_error) * stray_error).sum(-1)
    errors = errors + gamma(width + 8) * sizes + gamma(depth + 8) * mu * length.square()
    far = radius + length
    losses = quadratic.constant + missing * far + proposed.shortfall * far.square() + errors
    ball = mu * radius * radius
    inner = (linear + curved).sum(-1) - mu * point.square().sum(-1)
    scale = losses + ball + sizes + mu * length.square()
    bound = ball + inner + losses + (4 * gamma(width + depth + 16)) * scale + (width + 1) * (depth + 1) * _UNDERFLOW
    largest = torch.stack([h.amax(-1), e.abs().amax(-1), mu, length, torch.full_like(mu, radius)]).amax(0)
    safe = (largest < _LARGEST) & (norms.amax() < _LARGEST) & torch.isfinite(bound)
    return torch.where(safe, bound.clamp(min=0.0), torch.inf)
