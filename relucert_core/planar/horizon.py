"""The decision boundary outside a box, to infinity, by central projection: no box is ever too small.

In coordinates w that make the box [-1, 1]^2, every point outside it is w = d / s with d on the unit square's rim and
0 < s <= 1. A ReLU network whose biases are multiplied by s in every layer is positively homogeneous:
s f(d / s) = g(d, s). So each side of the box, with s from 0 to 1, is a rectangle whose subdivision by g is the
subdivision of everything beyond that side, and s = 0 is infinity: segments that end there are rays, and a region
where no class ties at s > 0 holds no boundary however far one goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relucert_core.planar.decision import decide
from relucert_core.planar.subdivide import Budget, subdivide

# Points with a smaller s are more than 10^12 boxes away and count as infinitely far.
FAR = 1e-12
_SIDES = (((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (-1.0, 0.0)), ((-1.0, 0.0), (0.0, -1.0)), ((0.0, -1.0), (1.0, 0.0)))


@dataclass(frozen=True, eq=False)
class Pieces:
    """Segments, rays and points: {start + t step}, t in [0, 1], or t >= 0 for `rays`; (S, 2), (S, 2), (S,)."""

    start: np.ndarray
    step: np.ndarray
    rays: np.ndarray

    def joined(self, other: Pieces) -> Pieces:
        """Both sets of pieces."""
        return Pieces(*(np.concatenate([getattr(self, k), getattr(other, k)]) for k in ("start", "step", "rays")))


def inner_pieces(segments: np.ndarray, tied_points: np.ndarray) -> Pieces:
    """Segments (S, 2, 2) and single points (T, 2) as pieces."""
    start = np.concatenate([segments[:, 0], tied_points])
    step = np.concatenate([segments[:, 1] - segments[:, 0], np.zeros_like(tied_points)])
    return Pieces(start, step, np.zeros(len(start), bool))


def outer_pieces(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...], box: np.ndarray, budget: Budget
) -> Pieces:
    """The decision boundary outside `box`, ((x0, x1), (y0, y1)); raises OverBudget past the budget of regions."""
    centre, half = box.mean(1), (box[:, 1] - box[:, 0]) / 2
    rectangle = np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 1.0]])
    found = inner_pieces(np.zeros((0, 2, 2)), np.zeros((0, 2)))
    for normal, along in np.array(_SIDES):
        lifted = _homogeneous(weights, biases, centre, half * normal, half * along)
        cut = subdivide(*lifted, rectangle, budget)
        decision = decide(cut, lifted[0][-1], lifted[1][-1])
        points = np.repeat(decision.tied_points[:, None], 2, axis=1)
        found = found.joined(_project(np.concatenate([decision.segments, points]), normal, along, centre, half))
        budget = budget.less(len(cut.sizes))
    return found


def _homogeneous(
    weights: tuple[np.ndarray, ...],
    biases: tuple[np.ndarray, ...],
    centre: np.ndarray,
    normal: np.ndarray,
    along: np.ndarray,
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """g as a network of (t, s), d = normal + t along: s goes through every layer as one more neuron."""
    first = np.stack([weights[0] @ along, weights[0] @ centre + biases[0]], axis=1)
    lifted, offsets = [np.vstack([first, [[0.0, 1.0]]])], [np.append(weights[0] @ normal, 0.0)]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        carry = np.append(np.zeros(weight.shape[1]), 1.0)
        lifted.append(np.vstack([np.column_stack([weight, bias]), carry]))
        offsets.append(np.zeros(len(bias) + 1))
    return (*lifted[:-1], lifted[-1][:-1]), (*offsets[:-1], offsets[-1][:-1])


def _project(ends: np.ndarray, normal: np.ndarray, along: np.ndarray, centre: np.ndarray, half: np.ndarray) -> Pieces:
    """Pairs of points (S, 2, 2) in (t, s) as pieces of the plane; those wholly at infinity go."""
    ends = ends[(ends[:, :, 1] > FAR).any(1)]
    swap = ends[:, 0, 1] < ends[:, 1, 1]
    ends = np.where(swap[:, None, None], ends[:, ::-1], ends)
    direction = half * (normal + ends[:, :, :1] * along)
    rays = ends[:, 1, 1] <= FAR
    start = direction[:, 0] / ends[:, 0, 1:]
    stop = direction[:, 1] / np.where(rays, 1.0, ends[:, 1, 1])[:, None]
    return Pieces(centre + start, np.where(rays[:, None], stop, stop - start), rays)
