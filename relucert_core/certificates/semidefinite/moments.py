"""The worst second moments of a ball, of low rank: multipliers for the largest values of functionals, all at once.

The relaxation of max row . (1, y, zeta) over |y| <= r with zeta_j (zeta_j - a_j) = 0, zeta_j >= 0, zeta_j >= a_j lifts
every variable to a vector of k numbers, the first of them its mean: a moment matrix of rank k. A neuron's relation puts
zeta on the sphere that has 0 and a as its poles: zeta = a / 2 + |a| s / 2 with |s| = 1, and its two inequalities say
s_1 |a| >= |a_1|. Given p, the derivative of the functional by zeta, the best s is along p, or, where p points down too
steeply, on the edge of that cap. So forwards zeta follows from y and the last s, backwards s and p follow from zeta,
and y goes to r times the direction of its derivative, again and again: a power iteration through the network, for
many functionals at once. Ten steps are enough. (For one hidden layer: `quadratic.moments`.)

Where it stands still it solves the relaxation, if k was large enough, and the multipliers can be read off: lambda_j of
the relation is |p| / |a|, that of the ball |dF/dy| / (2 r), and those of the two inequalities balance the first entry.

Nothing here is proved or needs to be: `ranges` does that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.certificates.semidefinite.functionals import Functionals
from relucert_core.deadline import check_time

_STEPS, _VECTORS = 10, 8  # with four vectors one functional in ten has multipliers that prove much less
_SPREAD = 0.05  # the size of all but the mean at the start
_TINY = 1e-30
_FLAT = 1e-9  # of a neuron's length: what is shorter across has no direction
# The least multiplier of a relation, in units of the largest that the ball's allows, and what the layers above need at
# least for a definite matrix.
_LIGHT, _FIRM = 1e-8, 1.1


@dataclass(frozen=True, eq=False)
class Proposal:
    """For R functionals: ball (R,); relation, off, on (R, n), the multipliers of zeta (zeta - a), zeta and zeta - a.

    value (R,): the least value of each functional that the moments allow, about what can be proved.
    """

    ball: np.ndarray
    relation: np.ndarray
    off: np.ndarray
    on: np.ndarray
    value: np.ndarray


@np.errstate(all="ignore")  # a proposal may be anything
def worst_moments(problem: Functionals, steps: int = _STEPS) -> Proposal:
    """Multipliers for the least values of the functionals of `problem`."""
    search = _Search(problem)
    for _ in range(steps):
        check_time()
        search.step()
    return search.proposal()


class _Search:
    """The iteration for the largest values of minus the rows."""

    def __init__(self, problem: Functionals) -> None:
        self.problem, count = problem, len(problem.rows)
        single = np.float32  # twice as fast, and near enough: the multipliers are raised a little anyway
        self.constants, self.by_inputs, self.by_neurons = (part.astype(single) for part in problem.parts(problem.rho))
        self.norms = (self.by_inputs**2).sum(1) + (self.by_neurons**2).sum(1)
        self.coupling = 0.25 * self.by_neurons**2
        _, direct, lifted = problem.parts(problem.rows)
        self.scale = np.maximum(np.abs(problem.rows[:, 1:]).max(1, initial=0.0), 1e-290)[:, None]
        shape = (count, _VECTORS)
        self.goal = np.zeros((*shape, problem.inputs), single), np.zeros((*shape, problem.neurons), single)
        self.goal[0][:, 0], self.goal[1][:, 0] = -direct / self.scale, -lifted / self.scale
        self.y = _SPREAD * np.random.default_rng(0).standard_normal((*shape, problem.inputs)).astype(single)
        self.y *= problem.reach / np.sqrt((self.y**2).sum((1, 2), keepdims=True))
        self.y[:, 0] = 0.0
        self.sphere = np.zeros((*shape, problem.neurons), single)
        self.sphere[:, 0] = 1.0
        self.slope = np.ones((count, 1), single) * (self.constants > 0)
        self.ball = np.zeros(count, single)
        self.zeta, self.a = np.zeros_like(self.sphere), np.zeros_like(self.sphere)
        self.relation, self.off, self.on = (np.zeros_like(self.slope) for _ in range(3))

    def step(self) -> None:
        """Forwards, then backwards."""
        self._forwards()
        slope = self._backwards()
        size = np.sqrt((slope**2).sum((1, 2)))
        self.ball = size / (2 * self.problem.reach)
        self.y = slope * (self.problem.reach / np.maximum(size, _TINY))[:, None, None]

    def proposal(self) -> Proposal:
        """What was found."""
        self._forwards()
        gained = np.einsum("rp,rp->r", self.goal[0][:, 0], self.y[:, 0])
        gained += np.einsum("rn,rn->r", self.goal[1][:, 0], self.zeta[:, 0])
        relation, off, on = (part * self.scale for part in (self.relation, self.off, self.on))
        value = self.problem.rows[:, 0] - gained * self.scale[:, 0]
        return Proposal(self.ball * self.scale[:, 0], relation, off, on, value)

    def _forwards(self) -> None:
        """a and zeta of all neurons from y and the spheres' points."""
        for place in self.problem.places:
            before = slice(0, place.start)
            a = self.y @ self.by_inputs[place].T + self.zeta[:, :, before] @ self.by_neurons[place, before].T
            a[:, 0] += self.constants[place]
            length, s = np.sqrt((a**2).sum(1)) + _TINY, self.sphere[:, :, place]
            least = np.abs(a[:, 0]) / length
            across = np.sqrt(np.maximum(1 - least**2, 0) / np.maximum((s[:, 1:] ** 2).sum(1), _TINY))
            low = s[:, 0] < least
            point = s * np.where(low, across, 1.0)[:, None]
            point[:, 0] = np.maximum(s[:, 0], least)
            self.a[:, :, place] = a
            self.zeta[:, :, place] = 0.5 * (a + length[:, None] * point)

    def _backwards(self) -> np.ndarray:
        """The derivative by y (R, k, p); the spheres' points and the multipliers on the way."""
        by_y, by_zeta = self.goal[0].copy(), self.goal[1].copy()
        for place in reversed(self.problem.places):
            before = slice(0, place.start)
            onward = self._through(place, by_zeta[:, :, place])
            by_y += onward @ self.by_inputs[place]
            by_zeta[:, :, before] += onward @ self.by_neurons[place, before]
        return by_y

    def _through(self, place: slice, p: np.ndarray) -> np.ndarray:
        """The derivative by a from that by zeta, p (R, k, n), for the neurons of one layer."""
        a, mean, first = self.a[:, :, place], self.a[:, 0, place], p[:, 0]
        length, size = (np.sqrt((part**2).sum(1)) + _TINY for part in (a, p))
        across, push = (np.sqrt((part[:, 1:] ** 2).sum(1)) for part in (a, p))
        free = first * length >= np.abs(mean) * size
        self.sphere[:, :, place] = p / size[:, None]
        self.sphere[:, 0, place] = np.where(free, self.sphere[:, 0, place], -1.0)
        stiffness = self.ball[:, None] / (np.abs(first) * self.norms[place] + _TINY)
        slope = np.clip(self.slope[:, place] + stiffness * mean, 0, 1)
        self.slope[:, place] = slope
        relation = np.where(free, size / length, self._steep(place, push, across, length))
        total = np.where(free, 0.0, np.maximum(relation * np.abs(mean) - first, 0.0))
        on = np.clip(relation * np.maximum(mean, 0.0) - slope * first, 0.0, total)
        self.relation[:, place], self.on[:, place], self.off[:, place] = relation, on, total - on
        onward = 0.5 * (p + (np.where(free, size / length, push / (across + _TINY)))[:, None] * a)
        onward[:, 0] = np.where(free, onward[:, 0], slope * first)
        return onward

    def _steep(self, place: slice, push: np.ndarray, across: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The relation's multipliers of neurons on the edge of the cap."""
        most = 4 * self.ball[:, None] / (self.norms[place] + _TINY)
        found = np.clip(push / (across + _FLAT * length), _LIGHT * most, most)
        above = slice(place.stop, None)
        return np.maximum(found, _FIRM * (self.relation[:, above] @ self.coupling[above, place]))
