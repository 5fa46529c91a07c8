"""Bounds of all neurons over the target sets of a batch of nodes, layer by layer, each cut by the cap of its node."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF
from relucert_core.search.exact.facts import Facts, cap_minimum
from relucert_core.search.exact.relax import Ball, linear_bounds, lines


@np.errstate(all="ignore")  # a NaN changes nothing
def tighten(ball: Ball, facts: Facts) -> Facts:
    """The facts with the bounds of all neurons that are not settled made tighter, where that can be proved.

    A NaN (from overflow) never replaces a bound.
    """
    lower, upper = facts.lower.copy(), facts.upper.copy()
    _first_layer(ball, facts, lower, upper)
    for layer in range(2, len(ball.local.slices) + 1):
        _later_layer(ball, facts, lower, upper, layer)
    return replace(facts, lower=lower, upper=upper)


def _first_layer(ball: Ball, facts: Facts, lower: np.ndarray, upper: np.ndarray) -> None:
    """Write the bounds of layer 1, whose neurons are linear in y."""
    local = ball.local
    part, level = local.slices[0], facts.level[:, None]
    squares, along = (local.first**2).sum(1), facts.direction @ local.first.T
    slack = 1.01 * local.offset_error + 8 * UNIT_ROUNDOFF * ball.sizes[0] + SMALLEST
    down = cap_minimum(squares, along, level, ball.radius, local.size)
    up = cap_minimum(squares, -along, level, ball.radius, local.size)
    lower[:, part] = np.fmax(lower[:, part], local.offset + down - slack)
    upper[:, part] = np.fmin(upper[:, part], local.offset - up + slack)


def _later_layer(ball: Ball, facts: Facts, lower: np.ndarray, upper: np.ndarray, layer: int) -> None:
    """Write the bounds of layer `layer` >= 2.

    An open neuron gets a lower bound of z and one of -z; a fixed one only that of its open side.
    """
    local, part = ball.local, ball.local.slices[layer - 1]
    sign = facts.sign[:, part]
    open_ = (sign == 0) & (lower[:, part] < 0) & (upper[:, part] > 0) & ~local.carried[part]
    below, above = np.nonzero(open_ | (sign < 0)), np.nonzero(open_ | (sign > 0))
    node, neuron = np.concatenate([below[0], above[0]]), np.concatenate([below[1], above[1]])
    if not len(node):
        return
    side = np.concatenate([np.ones(len(below[0])), -np.ones(len(above[0]))])
    rows, constants = side[:, None] * local.weights[layer - 2][neuron], side * local.biases[layer - 2][neuron]
    relaxed = lines(lower, upper, local.carried)
    row, constant, _ = linear_bounds(ball, relaxed, rows, constants, node, layer - 1)
    squares = np.einsum("pm,pm->p", row, row)
    along = np.einsum("pm,pm->p", row, facts.direction[node])
    reach = cap_minimum(squares, along, facts.level[node], ball.radius, local.size)
    least = constant + reach - 4 * UNIT_ROUNDOFF * (np.abs(reach) + np.abs(constant)) - SMALLEST
    neuron, down = neuron + part.start, side > 0
    lower[node[down], neuron[down]] = np.fmax(lower[node[down], neuron[down]], least[down])
    upper[node[~down], neuron[~down]] = np.fmin(upper[node[~down], neuron[~down]], -least[~down])
