"""A primal-dual interior-point method for the relaxation: it proposes multipliers, `proof` decides what they prove.

The dual: maximise gamma over y with S = C - A*(y) - gamma e0 e0' positive semidefinite, y_k >= 0 for the inequalities.
The primal: minimise <C, X> over positive semidefinite X with X_00 = 1 and A_k(X) = s_k, s_k >= 0 (0 for equalities).
Each iteration takes Newton's step towards the point of the central path X S = mu I, y_k s_k = mu, in the direction of
Helmberg, Rendl, Vanderbei and Wolkowicz, Kojima, Shindoh and Hara, and Monteiro (HKM), with Mehrotra's predictor and
corrector (Toh, Todd and Tutuncu, "SDPT3", 1999). The dual iterates are feasible from the start, so every one of them
is a bound, up to rounding; of these the best is returned, whatever ended the method. It never raises: a factor that
fails or a number that is not finite ends it with the status "numbers".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrf, dpotrs

from relucert_core.certificates.semidefinite.factors import cholesky, inverse, longest_step
from relucert_core.certificates.semidefinite.operator import Gram, Operator
from relucert_core.certificates.semidefinite.relaxation import Multipliers, Relaxation
from relucert_core.deadline import now

GAP, STOP, EMPTY, TIME, ITERATIONS, NUMBERS = "gap", "stop", "empty", "time", "iterations", "numbers"
_MOST_ITERATIONS = 80
_SHORTENINGS = 30
# The start: mu, what it is divided by for the neurons' multipliers and for the cuts', and the share of the dual matrix
# without cuts that the one with cuts has to keep. These never failed on hundreds of problems with cuts; asking only
# that the matrix be positive definite did.
_START, _NEURON_SLACK, _CUT_SLACK, _KEPT = 1e-2, 0.3, 3.0, 0.5


@dataclass(frozen=True, eq=False)
class Progress:
    """What a `stop` callback sees after an iteration: best dual value, primal value, infeasibility, seconds, count."""

    value: float
    primal: float
    infeasibility: float
    seconds: float
    iterations: int


@dataclass(frozen=True, eq=False)
class Solution:
    """What the method found; nothing in it is proved.

    status: "gap", "stop", "empty", "time", "iterations" or "numbers". value: the best dual value in units of |y|^2,
    -inf without one; multipliers: its multipliers. moment: (N, N), the last primal matrix over its corner, None without
    one; primal: its value; infeasibility: its largest violation of a constraint.
    """

    status: str
    value: float
    multipliers: Multipliers
    moment: np.ndarray | None
    primal: float
    infeasibility: float
    iterations: int
    seconds: float


@dataclass(eq=False)
class _State:
    """An iterate: multipliers y (m,), slacks s (m,), X and S (N, N) and the lower factors of both."""

    y: np.ndarray
    s: np.ndarray
    x: np.ndarray
    dual: np.ndarray
    x_factor: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True, eq=False)
class _Direction:
    """A direction of multipliers, slacks, X and S, and how far it may be followed in X, s and in S, y."""

    y: np.ndarray
    s: np.ndarray
    x: np.ndarray
    dual: np.ndarray
    primal_step: float
    dual_step: float


def solve(
    problem: Relaxation,
    *,
    gap: float = 5e-3,
    max_seconds: float = np.inf,
    stop: Callable[[Progress], bool] | None = None,
    clock: Callable[[], float] = now,
) -> Solution:
    """Multipliers for the relaxation.

    Ends when the primal and the dual value are within a share `gap` of the latter and the primal is feasible to 1e-5,
    when `stop` says so, when the dual value shows that no point of the ball can satisfy the problem ("empty"), or when
    another iteration would not fit into `max_seconds` of `clock`.
    """
    run = _Run(problem, clock)
    with np.errstate(all="ignore"):  # numbers that are not finite end the method
        try:
            run.go(gap, max_seconds, stop)
        except (np.linalg.LinAlgError, scipy.linalg.LinAlgError, ValueError, FloatingPointError):
            run.status = NUMBERS
    return run.solution()


class _Run:
    """One run of the method."""

    def __init__(self, problem: Relaxation, clock: Callable[[], float]) -> None:
        self.clock, self.began = clock, clock()
        self.maps = Operator(problem)
        maps = self.maps
        self.signed = np.flatnonzero(maps.signed)
        self.target = np.zeros(maps.count)
        self.target[-1] = 1.0
        self.status, self.best, self.best_y = NUMBERS, -np.inf, np.zeros(maps.count)
        self.primal = self.infeasibility = np.inf
        self.iterations = 0
        self.ceiling = 4 * (problem.basis_norm * problem.identity.radius) ** 2
        self.state: _State | None = None
        self.buffers = (np.zeros((maps.count,) * 2), np.zeros((maps.count,) * 2))

    @property
    def seconds(self) -> float:
        """The time spent."""
        return self.clock() - self.began

    def solution(self) -> Solution:
        """What was found so far."""
        n, y = self.maps.neurons, self.best_y
        found = Multipliers(y[:n], y[n : 2 * n], y[2 * n : 3 * n], y[3 * n : -1])
        moment = None
        if self.state is not None and np.isfinite(self.state.x).all() and self.state.x[0, 0] > 0:
            moment = self.state.x / self.state.x[0, 0]
        return Solution(
            self.status, self.best, found, moment, self.primal, self.infeasibility, self.iterations, self.seconds
        )

    def go(self, gap: float, max_seconds: float, stop: Callable[[Progress], bool] | None) -> None:
        """Iterate until something ends it."""
        self.state = cold_start(self.maps)
        if self.state is None:
            return
        longest = self.seconds
        for _ in range(_MOST_ITERATIONS):
            begun = self.seconds
            if begun + longest > max_seconds:
                self.status = TIME
                return
            if not self._iterate():
                self.status = NUMBERS
                return
            self.iterations += 1
            longest = max(0.5 * longest, self.seconds - begun)
            if stop is not None and stop(
                Progress(self.best, self.primal, self.infeasibility, self.seconds, self.iterations)
            ):
                self.status = STOP
                return
            if self.best > self.ceiling:
                self.status = EMPTY
                return
            if self.infeasibility < 1e-5 and abs(self.primal - self.best) < gap * max(self.best, 1e-12):
                self.status = GAP
                return
        self.status = ITERATIONS

    def _iterate(self) -> bool:
        """One iteration: predictor, corrector, step. False where a factor failed."""
        maps, state = self.maps, self.state
        assert state is not None
        z = inverse(state.factor)
        in_x, in_z = maps.gram(state.x), maps.gram(z)
        mu = self._mu(state)
        residual = self.target - maps.values(in_x) + state.s
        factor = self._schur_factor(state, in_x, in_z)
        if factor is None or not np.isfinite(mu):
            return False
        predicted = self._direction(factor, z, self.target, 0.0, None, np.zeros(maps.count), 9)
        sigma = self._centring(predicted, mu)
        product = predicted.x @ predicted.dual
        bent = predicted.s * predicted.y
        inverse_y = self._inverse_y(state)
        right = self.target - sigma * mu * (maps.values(in_z) - inverse_y)
        right += maps.values_of_product(product, z, in_z) - bent * inverse_y
        final = self._direction(factor, z, right, sigma * mu, product, bent, 18)
        return self._advance(final, residual)

    def _mu(self, state: _State) -> float:
        """The mean complementarity."""
        signed = self.signed
        return float((np.vdot(state.x, state.dual) + state.s[signed] @ state.y[signed]) / self._order)

    @property
    def _order(self) -> int:
        return self.maps.size + len(self.signed)

    def _inverse_y(self, state: _State) -> np.ndarray:
        found = np.zeros(self.maps.count)
        found[self.signed] = 1 / state.y[self.signed]
        return found

    def _schur_factor(self, state: _State, in_x: Gram, in_z: Gram) -> np.ndarray | None:
        """The factor of Schur's matrix, its diagonal raised by the least share that lets it be factored."""
        matrix, work = self.buffers
        self.maps.schur(in_x, in_z, matrix)
        every = np.arange(self.maps.count)
        diagonal = matrix[every, every].copy()
        diagonal[self.signed] += state.s[self.signed] / state.y[self.signed]
        raised = 1e-14
        while raised < 1e-4:
            matrix[every, every] = diagonal * (1 + raised)
            np.copyto(work, matrix)
            factor, failed = dpotrf(work.T, lower=0, overwrite_a=1, clean=0)
            if failed == 0:
                return factor
            raised *= 100
        return None

    def _direction(
        self, factor: np.ndarray, z: np.ndarray, right: np.ndarray, level: float,
        product: np.ndarray | None, bent: np.ndarray, accuracy: int,
    ) -> _Direction:  # fmt: skip
        """The direction for a right-hand side; level: sigma mu; product, bent: the corrector's second-order terms."""
        state = self.state
        assert state is not None
        y = dpotrs(factor, right, lower=0)[0]
        dual = -self.maps.adjoint(y)
        moved = state.x @ dual
        if product is not None:
            moved += product
        moved = moved @ z
        x = (moved + moved.T) * -0.5
        x -= state.x
        if level:
            x += level * z
        inverse_y = self._inverse_y(state)
        s = level * inverse_y - state.s - (state.s * y + bent) * inverse_y
        s[~self.maps.signed] = 0.0
        primal_step = min(longest_step(state.x_factor, x, accuracy), self._to_zero(state.s, s))
        dual_step = min(longest_step(state.factor, dual, accuracy), self._to_zero(state.y, y))
        return _Direction(y, s, x, dual, primal_step, dual_step)

    def _to_zero(self, values: np.ndarray, direction: np.ndarray) -> float:
        """How far the signed entries may go before one vanishes."""
        value, step = values[self.signed], direction[self.signed]
        falling = step < 0
        return float(np.min(-value[falling] / step[falling])) if falling.any() else np.inf

    def _centring(self, predicted: _Direction, mu: float) -> float:
        """Mehrotra's sigma: how much of mu the predictor could not remove, to a power."""
        state, signed = self.state, self.signed
        assert state is not None
        a, b = min(1.0, 0.95 * predicted.primal_step), min(1.0, 0.95 * predicted.dual_step)
        left = np.vdot(state.x, state.dual) + a * np.vdot(predicted.x, state.dual)
        left += b * np.vdot(state.x, predicted.dual) + a * b * np.vdot(predicted.x, predicted.dual)
        left += (state.s + a * predicted.s)[signed] @ (state.y + b * predicted.y)[signed]
        sigma = min(1.0, max(1e-6, (max(left / self._order, 0.0) / mu) ** (2 if min(a, b) < 0.5 else 3)))
        return max(sigma, 0.3) if min(a, b) < 0.1 else sigma

    def _advance(self, step: _Direction, residual: np.ndarray) -> bool:
        """Go most of the way to the boundary, and take in the new dual value; False where no step is left."""
        state, maps = self.state, self.maps
        assert state is not None
        share = 0.9 + 0.08 * min(step.primal_step, step.dual_step, 1.0)
        primal = _shortened(state.x, step.x, min(1.0, share * step.primal_step))
        dual = _shortened(state.dual, step.dual, min(1.0, share * step.dual_step))
        if primal is None or dual is None:
            return False
        state.x, state.x_factor = primal[0], primal[1]
        state.dual, state.factor = dual[0], dual[1]
        state.s = state.s + primal[2] * step.s
        state.y = state.y + dual[2] * step.y
        if self.iterations % 8 == 7:  # S is summed up from steps; now and then it is formed afresh
            fresh = maps.objective - maps.adjoint(state.y)
            factor = cholesky(fresh)
            if factor is not None:
                state.dual, state.factor = fresh, factor
        corner = np.zeros(maps.size)
        corner[0] = 1.0
        value = float(state.y[-1] + 1 / np.sum(dtrsv(state.factor, corner, lower=1) ** 2))
        if value > self.best:
            self.best, self.best_y = value, state.y.copy()
        self.primal = float(np.vdot(maps.objective, state.x))
        self.infeasibility = float(np.abs(residual).max() * (1 - primal[2]))
        return bool(np.isfinite(self.primal) and np.isfinite(value))


def _shortened(matrix: np.ndarray, direction: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, float] | None:
    """matrix + step direction with its factor, the step shortened until there is one."""
    for _ in range(_SHORTENINGS):
        found = matrix + step * direction
        factor = cholesky(found)
        if factor is not None:
            return found, factor, step
        step *= 0.8
    return None


def cold_start(maps: Operator) -> _State | None:
    """The start: mu over a slack for every inequality, no multiplier for an equality, X = mu S^-1.

    The cuts' multipliers are halved until the dual matrix keeps half of the one without cuts; then gamma is set mu
    below the largest value that keeps S positive semidefinite.
    """
    n = maps.neurons
    y = np.zeros(maps.count)
    y[n : 3 * n] = _START / _NEURON_SLACK
    alone = matrix = maps.objective - maps.adjoint(y)
    share = 1.0 if maps.cuts else 0.0
    while share > 1e-12:
        y[3 * n : -1] = share * _START / _CUT_SLACK
        matrix = maps.objective - maps.adjoint(y)
        if cholesky(np.ascontiguousarray((matrix - _KEPT * alone)[1:, 1:])) is not None:
            break
        share *= 0.5
    factor = cholesky(np.ascontiguousarray(matrix[1:, 1:]))
    if factor is None:
        return None
    half = scipy.linalg.solve_triangular(factor, matrix[1:, 0], lower=True, check_finite=False)
    y[-1] = matrix[0, 0] - half @ half - _START
    matrix[0, 0] -= y[-1]
    factor = cholesky(matrix)
    if factor is None:
        return None
    x = _START * inverse(factor)
    x_factor = cholesky(x)
    if x_factor is None:
        return None
    s = np.where(maps.signed, _START / np.where(y > 0, y, 1.0), 0.0)
    return _State(y, s, x, matrix, x_factor, factor)
