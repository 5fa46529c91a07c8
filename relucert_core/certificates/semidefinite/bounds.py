"""Bounds of the neurons of one image over balls, and over balls cut by a half-space.

Over the whole ball they are those of `quadratic`; each radius also has those of every larger radius that was tried.

**The cut.** Where f_label - f_rival >= g . d + m is proved on the ball (CROWN's bound, d = x - u), every point with
f_label - f_rival <= slack lies in the cap {|d| <= r, g . d + m <= slack}. For any lambda >= 0
    a . d + c >= c + lambda (m - slack) - r |a + lambda g|      on it,
evaluated with outward rounding; the closed form, which cancels badly, only proposes lambda. Tighter bounds give a
deeper cut, and so on while it gains. A cap that is proved empty leaves no adversarial point of the rival.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from relucert_core.certificates.quadratic.bounds import Ball, BallBounds, ball_of, quadratic_bounds
from relucert_core.certificates.quadratic.memory import Memory
from relucert_core.certificates.semidefinite.functionals import functionals
from relucert_core.certificates.semidefinite.moments import worst_moments
from relucert_core.certificates.semidefinite.ranges import least_values, seconds_foreseen
from relucert_core.certificates.semidefinite.relaxation import Bounds, Identity
from relucert_core.certificates.semidefinite.substitution import ABOVE, BELOW, DOUBT, Frame, Lifting, Substitution
from relucert_core.deadline import OutOfTime, late
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma

SLACK = 1e-6  # of the margin at the centre: room for the rounding of the stored problem
_ROUNDS, _GAIN = 3, 1.001
_MOST_LIFTED = 2_500  # open neurons above which no functional is bounded by `ranges`: a matrix would not fit


@dataclass(frozen=True, eq=False)
class Bounded:
    """Bounds for every rival over one ball, and proved lower bounds (K,) of the margins there, inf at the label."""

    bounds: Bounds
    margins: np.ndarray


class Balls:
    """The bounds of one image at every radius that is asked for."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.ball: Ball = ball_of(frame.net, torch.from_numpy(frame.point), frame.label)
        self.found: list[BallBounds] = []
        self.memory = Memory()

    def at(self, radius: float) -> Bounded:
        """The bounds over the ball of `radius`."""
        frame = self.frame
        larger = [bounds for bounds in self.found if bounds.radius >= radius]
        known = min(larger, key=lambda bounds: bounds.radius, default=None)
        point = torch.from_numpy(frame.point)
        found = quadratic_bounds(
            frame.net, point, radius, label=frame.label, known=known, ball=self.ball, memory=self.memory
        )
        identity = Identity(frame.net.digest, frame.point.tobytes(), frame.label, None, radius)
        lower, upper = (tuple(part.numpy() for part in parts) for parts in (found.lower, found.upper))
        bounded = Bounded(Bounds(identity, lower, upper, np.inf, frame.carried), found.margins.numpy())
        bounded = tightened(frame, bounded, radius)
        least, most = (tuple(map(torch.from_numpy, parts)) for parts in (bounded.bounds.lower, bounded.bounds.upper))
        self.found.append(replace(found, lower=least, upper=most, margins=torch.from_numpy(bounded.margins)))
        return bounded


def tightened(frame: Frame, bounded: Bounded, radius: float) -> Bounded:
    """The bounds of hidden layers 3 and up, and the margins that are left, intersected with those of `ranges`.

    Layer by layer, each with the tighter bounds of those below; as far as there is time.
    """
    bounds, margins = bounded.bounds, bounded.margins.copy()
    rivals = np.flatnonzero(~(margins > 0))
    if not len(rivals):
        return bounded
    try:
        for q in range(2, len(bounds.lower)):
            bounds = _tightened_layer(frame, bounds, radius, q)
        if len(bounds.lower) > 1 and _liftable(bounds, len(bounds.lower)):
            weight, bias, label = frame.weights[-1], frame.biases[-1], frame.label
            rows, constants = weight[label] - weight[rivals], bias[label] - bias[rivals]
            proved = _proved(frame, bounds, radius, rows, constants, len(bounds.lower))
            margins[rivals] = np.fmax(margins[rivals], proved)
    except OutOfTime:
        pass
    return Bounded(bounds, margins)


def _tightened_layer(frame: Frame, bounds: Bounds, radius: float, q: int) -> Bounds:
    """The bounds of hidden layer q, from 0, intersected with those of its open neurons over the layers below."""
    open_ = np.flatnonzero(bounds.open[q])
    if not len(open_) or not _liftable(bounds, q):
        return bounds
    weight, bias = frame.weights[q][open_], frame.biases[q][open_]
    found = _proved(frame, bounds, radius, np.concatenate([weight, -weight]), np.concatenate([bias, -bias]), q)
    lower, upper = list(bounds.lower), list(bounds.upper)
    lower[q], upper[q] = lower[q].copy(), upper[q].copy()
    lower[q][open_] = np.fmax(lower[q][open_], found[: len(open_)])
    upper[q][open_] = np.fmin(upper[q][open_], -found[len(open_) :])
    return replace(bounds, lower=tuple(lower), upper=tuple(upper))


def _liftable(bounds: Bounds, layer: int) -> bool:
    """Are there open neurons up to `layer`, and not too many?"""
    return 0 < sum(int(wide.sum()) for wide in bounds.open[:layer]) <= _MOST_LIFTED


def _proved(
    frame: Frame, bounds: Bounds, radius: float, rows: np.ndarray, constants: np.ndarray, layer: int
) -> np.ndarray:
    """(R,): lower bounds of rows . h^(layer) + constants over the ball; -inf where nothing is proved."""
    neurons = sum(int(wide.sum()) for wide in bounds.open[:layer])
    if late(seconds_foreseen(len(rows), neurons)):
        raise OutOfTime
    problem = functionals(frame, bounds, radius, rows, constants, layer)
    return least_values(problem, worst_moments(problem))


def cut_bounds(frame: Frame, bounds: Bounds, rival: int, radius: float) -> Bounds | None:
    """The bounds where f_label - f_rival <= slack, a small positive number, can be; None where that is proved nowhere.

    The same bounds come back where the cut gains nothing.
    """
    slack = SLACK * float(frame.gaps[rival])
    if not 0 < slack < np.inf:
        return bounds
    deepest = 0.0
    identity = replace(bounds.identity, rival=rival, radius=radius)
    for _ in range(_ROUNDS):
        plane, level, least = _plane(frame, bounds, rival, radius, slack)
        length = float(np.sqrt(plane @ plane)) * (1 + 2 * gamma(len(plane) + 8)) + SMALLEST
        if least > slack or level / length > radius * (1 + 8 * UNIT_ROUNDOFF):
            return None
        if not level / length > max(deepest * _GAIN, 0.0):
            return bounds
        deepest = level / length
        bounds = _within_cap(frame, bounds, plane, level, radius, replace(bounds, identity=identity, slack=slack))
        if any((low > high).any() for low, high in zip(bounds.lower, bounds.upper, strict=True)):
            return None
    return bounds


def _plane(frame: Frame, bounds: Bounds, rival: int, radius: float, slack: float) -> tuple[np.ndarray, float, float]:
    """g (D,), m with f_label - f_rival >= g . d + m + slack where the bounds hold; the least value on the ball."""
    work = Substitution(frame, bounds, _crown(bounds), radius)
    label = frame.label
    weight, bias = frame.weights[-1], frame.biases[-1]
    row, constant = weight[label] - weight[rival], np.array([bias[label] - bias[rival]])
    found = work.carry(row[None], constant, frame.net.depth - 1, np.array([BELOW]))
    level = float(found.constants[0] - DOUBT * found.error[0] - slack) * 1.0
    level -= 4 * UNIT_ROUNDOFF * abs(level)
    least = float(cap_minimum(found.inputs, found.constants - DOUBT * found.error, radius, None)[0])
    return found.inputs[0], level, least


def _crown(bounds: Bounds) -> Lifting:
    """Nothing is lifted; the lower slopes are CROWN-Ada's."""
    slopes = tuple((high > -low).astype(np.float64) for low, high in zip(bounds.lower, bounds.upper, strict=True))
    return Lifting(tuple(np.zeros(len(low), dtype=bool) for low in bounds.lower), slopes)


def _within_cap(frame: Frame, bounds: Bounds, plane: np.ndarray, level: float, radius: float, named: Bounds) -> Bounds:
    """The bounds, intersected layer by layer with CROWN's over the cap {|d| <= radius, plane . d + level <= 0}."""
    lower, upper = list(bounds.lower), list(bounds.upper)
    cut = (plane, level)
    for q in range(len(lower)):
        now = replace(named, lower=tuple(lower), upper=tuple(upper))
        work = Substitution(frame, now, _crown(now), radius)
        open_ = now.open[q]
        weight, bias = frame.weights[q][open_], frame.biases[q][open_]
        count = int(open_.sum())
        if q == 0:
            rows, constants, errors = weight, frame.values[open_], frame.value_errors[open_]
            low = cap_minimum(rows, constants - DOUBT * errors, radius, cut)
            high = -cap_minimum(-rows, -constants - DOUBT * errors, radius, cut)
        else:
            below = work.carry(weight, bias, q, np.full(count, BELOW))
            over = work.carry(weight, bias, q, np.full(count, ABOVE))
            low = cap_minimum(below.inputs, below.constants - DOUBT * below.error, radius, cut)
            high = -cap_minimum(-over.inputs, -over.constants - DOUBT * over.error, radius, cut)
        lower[q], upper[q] = lower[q].copy(), upper[q].copy()
        lower[q][open_], upper[q][open_] = np.fmax(lower[q][open_], low), np.fmin(upper[q][open_], high)
    return replace(named, lower=tuple(lower), upper=tuple(upper))


@np.errstate(all="ignore")  # what is not finite proves nothing
def cap_minimum(
    rows: np.ndarray, constants: np.ndarray, radius: float, cut: tuple[np.ndarray, float] | None
) -> np.ndarray:
    """(R,): proved lower bounds of rows . d + constants over |d| <= radius and, with cut = (g, m), g . d + m <= 0.

    For any lambda >= 0 and any float vector near a + lambda g: the difference between the two is an error of the form.
    """
    weights = np.zeros(len(rows))
    plane, level = (np.zeros(rows.shape[1]), 0.0) if cut is None else cut
    length = float(np.sqrt(plane @ plane))
    if length > 0 and level > 0 and level < radius * length:
        along = rows @ plane / length
        across = np.sqrt(np.maximum((rows * rows).sum(1) - along * along, 0.0))
        depth = level / length
        weights = (across * depth / np.sqrt(max(radius * radius - depth * depth, 0.0)) - along) / length
        weights = np.where(np.isfinite(weights), np.maximum(weights, 0.0), 0.0)
    combined = rows + weights[:, None] * plane
    terms = rows.shape[1] + 8
    sizes = np.sqrt((combined * combined).sum(1)) * (1 + 2 * gamma(terms)) + 1e-150
    own = np.sqrt((rows * rows).sum(1)) + weights * length * DOUBT
    lost = 4 * UNIT_ROUNDOFF * DOUBT * own * radius
    raised = weights * level
    value = constants + raised - radius * sizes
    doubt = 8 * UNIT_ROUNDOFF * (np.abs(constants) + np.abs(raised) + radius * sizes) + lost + terms * SMALLEST
    found: np.ndarray = value - DOUBT * doubt
    return np.where(np.isnan(found), -np.inf, found)
