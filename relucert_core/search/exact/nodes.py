"""One step of the branch and bound: tighten the facts of a batch of nodes, bound their distance, choose a branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from relucert_core.deadline import check_time
from relucert_core.rounding import SMALLEST
from relucert_core.search.exact.facts import Facts
from relucert_core.search.exact.relax import Ball, Lines, linear_bounds, lines
from relucert_core.search.exact.tighten import tighten
from relucert_core.search.half_spaces import Proposer, farthest_aggregate

_DEPTH_DISCOUNT = 0.5  # a neuron of the next layer must cost twice as much to be branched on first
_NOTHING = 1e-12  # of the largest |z| in the ball: what is no more than rounding


@dataclass(frozen=True, eq=False)
class Bounded:
    """A batch of nodes after a step.

    facts: tightened. distance: (B,), proven lower bounds on ||y|| over the target sets; inf where a set is proved
    empty. nearest: (B, m), where the bound is attained (advice). branch: (B,), the neuron (flat) whose sign to fix
    next, -1 where none is open.
    """

    facts: Facts
    distance: np.ndarray
    nearest: np.ndarray
    branch: np.ndarray


@dataclass(frozen=True, eq=False)
class HalfSpaces:
    """Half-spaces row . y >= level, (P, m) and (P,), each proved for the target set of its node (P,)."""

    node: np.ndarray
    row: np.ndarray
    level: np.ndarray


def bound_nodes(ball: Ball, facts: Facts, proposer: Proposer, layers_first: bool = False) -> Bounded:
    """Tighten and bound a batch of nodes; see `Bounded`. `proposer` is not trusted."""
    return bound_tightened(ball, tighten(ball, facts), proposer, layers_first)


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def bound_tightened(ball: Ball, facts: Facts, proposer: Proposer, layers_first: bool = False) -> Bounded:
    """`bound_nodes` for facts that are tightened already."""
    relaxed = lines(facts.lower, facts.upper, ball.local.carried)
    halves, coefficients = half_spaces(ball, facts, relaxed)
    distance, direction = _aggregate(ball, len(facts), halves, proposer)
    better = distance > facts.level
    distance = np.where(better, distance, facts.level)
    facts = replace(facts, level=distance, direction=np.where(better[:, None], direction, facts.direction))
    nearest = facts.direction * distance[:, None]
    empty = (facts.lower > facts.upper).any(1) | (distance > ball.radius)
    values = np.concatenate(ball.local.values(nearest)[:-1], axis=1)
    branch = _choose_branch(ball, facts, relaxed, values, coefficients, layers_first)
    return Bounded(facts, np.where(empty, np.inf, distance), nearest, branch)


def half_spaces(ball: Ball, facts: Facts, relaxed: Lines) -> tuple[HalfSpaces, np.ndarray]:
    """What confines the target sets: f_rival >= f_label, the fixed signs, and the half-space known from the parents.

    Also the coefficients (B, N) of the activations in the margins' bounds (advice for branching).
    """
    local, own = ball.local, np.arange(len(facts))
    weight, bias = local.weights[-1], local.biases[-1]
    margins = weight[local.label] - weight[facts.rival], bias[local.label] - bias[facts.rival]
    row, level, met = linear_bounds(ball, relaxed, *margins, own, len(local.slices))
    parts = [(own, -row, level), (own, facts.direction, facts.level)]
    for layer in range(1, len(local.slices) + 1):
        parts.append(_fixed_signs(ball, facts, relaxed, layer))
    return HalfSpaces(*(np.concatenate(part) for part in zip(*parts, strict=True))), np.concatenate(met[::-1], axis=1)


def _fixed_signs(ball: Ball, facts: Facts, relaxed: Lines, layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(node, row, level) of the half-spaces that follow from -s z <= 0 for the neurons of a layer with fixed sign s."""
    local = ball.local
    node, neuron = np.nonzero(facts.sign[:, local.slices[layer - 1]])
    side = -facts.sign[:, local.slices[layer - 1]][node, neuron].astype(np.float64)
    first = layer == 1
    weight, bias = (local.first, local.offset) if first else (local.weights[layer - 2], local.biases[layer - 2])
    rows, constants = side[:, None] * weight[neuron], side * bias[neuron]
    if first:
        return node, -rows, constants - 1.01 * local.offset_error[neuron] - SMALLEST
    row, level, _ = linear_bounds(ball, relaxed, rows, constants, node, layer - 1)
    return node, -row, level


def _aggregate(ball: Ball, count: int, halves: HalfSpaces, proposer: Proposer) -> tuple[np.ndarray, np.ndarray]:
    """Proven distances (B,) and directions (B, m) of `count` nodes."""
    order = np.argsort(halves.node, kind="stable")
    node, rows, levels = halves.node[order], halves.row[order], halves.level[order]
    counts = np.bincount(node, minlength=count)
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(len(node)) - starts[node]
    # Rows of length 1 and levels in units of the radius keep the least-squares problem well scaled.
    lengths = np.sqrt(np.einsum("pm,pm->p", rows, rows)) + 1e-150
    scaled = np.nan_to_num(rows / lengths[:, None], nan=0.0, posinf=0.0, neginf=0.0)
    heights = np.nan_to_num(levels / (lengths * ball.radius), nan=0.0, posinf=1e9, neginf=-1e9)
    found = np.zeros(len(node))
    for i in range(count):
        check_time()
        part = slice(starts[i], starts[i + 1])
        proposed = np.asarray(proposer(scaled[part], heights[part]), dtype=np.float64)
        if proposed.shape == (counts[i],):
            found[part] = proposed
    grid = np.zeros((count, counts.max(), rows.shape[1]))
    height, weights = np.zeros(grid.shape[:2]), np.zeros(grid.shape[:2])
    grid[node, place], height[node, place], weights[node, place] = rows, levels, found / lengths
    return farthest_aggregate(grid, height, weights, ball.radius)


def _choose_branch(
    ball: Ball, facts: Facts, relaxed: Lines, values: np.ndarray, coefficients: np.ndarray, layers_first: bool
) -> np.ndarray:
    """The neuron (B,) whose relaxation costs the margin most at the nearest point, or -1.

    values: (B, N), the pre-activations there; coefficients: (B, N), those of the activations in the margin. Earlier
    layers come first, by a factor a layer, since their neurons loosen the bounds of all that follow, and narrow ones,
    which are soon settled; with `layers_first`, of the first layer that is not settled only the widest open ones count,
    as their order doesn't matter then. A neuron that rounding alone leaves open is not worth a branch. Where no neuron
    is open, one is taken that has the wrong sign at the nearest point: fixing its sign cuts that point off. -1: the
    nearest point has all its signs and so attains the distance, up to rounding.
    """
    free, sizes = (facts.sign == 0) & ~ball.local.carried, np.concatenate(ball.sizes[:-1])
    spread = np.minimum(facts.upper, -facts.lower)
    open_ = free & (spread > _NOTHING * sizes)
    inside = np.clip(values, facts.lower, facts.upper)
    exact = np.maximum(inside, 0.0)
    over = relaxed.slope * inside + relaxed.offset - exact
    under = exact - relaxed.below * inside
    spare = 1e-6 * spread
    cost = np.nan_to_num(np.abs(coefficients) * (np.where(coefficients < 0, over, under) + spare)) + 1e-300
    for k, part in enumerate(ball.local.slices):
        cost[:, part] *= _DEPTH_DISCOUNT**k / (part.stop - part.start)
    if layers_first:
        cost = np.where(open_, spread / sizes, cost)
        for part in ball.local.slices[1:]:
            open_[:, part] &= ~open_[:, : part.start].any(1, keepdims=True)
    beyond = np.where(facts.upper > -facts.lower, -values, values)  # on the side that is empty, or rounding only
    wrong = free & ~open_ & (beyond > _NOTHING * sizes)
    chosen = np.where(open_.any(1), np.where(open_, cost, -1.0).argmax(1), wrong.argmax(1))
    return np.where(open_.any(1) | wrong.any(1), chosen, -1)
