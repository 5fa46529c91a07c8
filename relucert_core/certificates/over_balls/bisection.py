"""The search for a radius at which a bound proves the prediction, close to one at which it fails.

A bound over a ball gives lower bounds on the margins f_k - f_j for a trial radius. The search keeps for each point a
radius where all of them are positive and a larger one where one is not, and narrows the two to a relative 1e-3. It
interpolates by cubics, since the margins bend gently, and halves geometrically when that gains too little. Any choice
of trial radii is sound: only radii that were proved themselves are returned. (CROWN-Ada is not monotone in the
radius, so there may be further radii, larger ones, at which it proves the prediction too.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from relucert_core.deadline import OutOfTime, late, now

TOLERANCE = 1e-3
MOST_STEPS = 400
LARGEST, SMALLEST_TRIAL = 2.0**1000, 2.0**-1060
MarginsAt = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, eq=False)
class Found:
    """What the search found, each (B,).

    proved: the radius, proved; 0 when no trial was. fails_at: a radius at which the bound fails, at most (1 +
    tolerance) times `proved`; infinite when it failed nowhere. rival: the class whose margin fails there, -1 without
    one. trials: how many radii were tried.
    """

    proved: torch.Tensor
    fails_at: torch.Tensor
    rival: torch.Tensor
    trials: torch.Tensor


class _Brackets:
    """The state of the search for B points; `margin` is the smallest of a point's margins at a radius."""

    def __init__(self, gap: torch.Tensor, guess: torch.Tensor, slope_distance: torch.Tensor) -> None:
        self.gap, self.guess, self.straight = gap, guess, slope_distance
        self.low, self.at_low = torch.zeros_like(gap), gap.clone()
        self.high, self.at_high = torch.full_like(gap, torch.inf), torch.full_like(gap, -torch.inf)
        self.third, self.at_third = torch.zeros_like(gap), gap.clone()
        self.rival = torch.full_like(gap, -1, dtype=torch.int64)
        self.trials = torch.zeros_like(self.rival)
        self.slow = torch.zeros_like(self.rival)

    def open(self, tolerance: float) -> torch.Tensor:
        """(B,) bool: where the search goes on."""
        ended = (self.high <= self.low * (1 + tolerance)) | (self.low >= LARGEST) | (self.high <= SMALLEST_TRIAL)
        return ~ended & (self.trials < MOST_STEPS)

    def propose(self, tolerance: float) -> torch.Tensor:
        """(B,): the next trial radius of each point."""
        low, high = self.low, self.high
        tries = self.trials.clamp(max=6).to(low.dtype)
        farthest, nearest = 2.0 ** (2.0**tries), 1 + 0.9 * tolerance * 8.0 ** (tries - 2).clamp(min=0.0)
        estimate = self._estimate()
        rising = torch.minimum(
            torch.where(estimate > low, torch.maximum(estimate, low * nearest), torch.inf), low * farthest
        )
        falling = torch.maximum(torch.minimum(estimate * (1 - 0.45 * tolerance), high / nearest), high / farthest)
        inner = self._inside(estimate, tolerance)
        trial = torch.where(torch.isinf(high), rising, torch.where(low == 0, falling, inner))
        return torch.where(self.trials == 0, self.guess, trial).clamp(SMALLEST_TRIAL, LARGEST)

    def _inside(self, estimate: torch.Tensor, tolerance: float) -> torch.Tensor:
        """A trial within the bracket: near an end it aims to close the bracket, else a little below the estimate."""
        low, high, near = self.low, self.high, 1 + 0.9 * tolerance
        middle = torch.sqrt(low) * torch.sqrt(high)
        usable = (estimate > low) & (estimate < high) & (self.slow < 3)
        trial = torch.where(usable, estimate * (1 - 0.45 * tolerance), middle)
        trial = torch.where(usable & (estimate < low * near), low * near, trial)
        trial = torch.where(usable & (estimate > high / near), high / near, trial)
        return torch.where((trial > low) & (trial < high), trial, middle)

    def _estimate(self) -> torch.Tensor:
        """Where the margin is expected to vanish, 0 when unknown: by a cubic with the centre's value and slope.

        The cubic also passes through the nearest trials: both ends of the bracket, or the one end that there is.
        """
        ended = torch.isfinite(self.high)
        outer = torch.where(ended, self.high, self.low)
        second = torch.where(ended & (self.low > 0), self.low, self.third)
        value = torch.where(ended, self.at_high, self.at_low)
        other = torch.where(ended & (self.low > 0), self.at_low, self.at_third)
        slope = outer / self.straight
        ratio = second / outer
        excess = 1 - slope - value / self.gap
        excess_second = (1 - slope * ratio - other / self.gap) / (ratio * ratio)
        two = (ratio > 0) & (ratio != 1) & torch.isfinite(excess_second)
        cubic = torch.where(two, (excess - excess_second) / (1 - ratio), excess)
        return outer * _cubic_root(slope, excess - cubic, cubic)

    def record(self, index: torch.Tensor, radii: torch.Tensor, margins: torch.Tensor) -> None:
        """Take in the margins (T, K) found at `radii` (T,) for the points `index` (T,)."""
        smallest, rival = torch.nan_to_num(margins, nan=-torch.inf).min(-1)
        proved = smallest > 0
        width = torch.log2(self.high[index]) - torch.log2(self.low[index])
        good, bad = index[proved], index[~proved]
        self.third[good], self.at_third[good] = self.low[good], self.at_low[good]
        self.low[good], self.at_low[good] = radii[proved], smallest[proved]
        finite = bad[torch.isfinite(self.high[bad])]
        self.third[finite], self.at_third[finite] = self.high[finite], self.at_high[finite]
        self.high[bad], self.at_high[bad], self.rival[bad] = radii[~proved], smallest[~proved], rival[~proved]
        narrower = torch.log2(self.high[index]) - torch.log2(self.low[index])
        self.slow[index] = torch.where(torch.isfinite(width) & (narrower > 0.5 * width), self.slow[index] + 1, 0)
        self.trials[index] += 1


def _on_grid(radii: torch.Tensor) -> torch.Tensor:
    """The radii with 20 bits each: what rounding changes in the margins, it then seldom changes in the trials."""
    mantissa, exponent = torch.frexp(radii)
    return torch.ldexp((mantissa * 2.0**20).round() * 2.0**-20, exponent)


def _cubic_root(linear: torch.Tensor, square: torch.Tensor, cubic: torch.Tensor) -> torch.Tensor:
    """A root t > 0 of 1 - linear t - square t^2 - cubic t^3 near 1, by Newton's steps; 0 where they lead nowhere."""
    t = torch.ones_like(linear)
    for _ in range(8):
        value = 1 - t * (linear + t * (square + t * cubic))
        t = t + value / (linear + t * (2 * square + 3 * t * cubic))
    return torch.where(torch.isfinite(t) & (t > 0), t, 0.0)


def search_radius(
    margins_at: MarginsAt, gap: torch.Tensor, guess: torch.Tensor, straight: torch.Tensor, tolerance: float = TOLERANCE
) -> Found:
    """Search for B points at once.

    margins_at(index (T,), radii (T,)) -> (T, K): lower bounds on the margins over the balls; a NaN proves nothing.
    gap (B,) > 0: the margin at the centre. guess (B,): the first trial radii. straight (B,): the radius at which the
    margin would vanish if it went on straight as it starts (infinite: it starts flat). A point's trials depend on that
    point alone. A deadline (`relucert_core.deadline`) ends the search between two trials, or in a trial, which then
    counts for nothing.
    """
    state = _Brackets(gap, guess.clamp(SMALLEST_TRIAL, LARGEST), straight)
    last = 0.0
    while len(index := state.open(tolerance).nonzero().squeeze(1)) and not late(last):
        begun = now()
        radii = _on_grid(state.propose(tolerance)[index])
        try:
            margins = margins_at(index, radii)
        except OutOfTime:
            break
        state.record(index, radii, margins)
        last = now() - begun
    return Found(state.low, state.high, state.rival, state.trials)
