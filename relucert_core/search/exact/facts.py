"""Proved facts about the target sets of a batch of nodes, and how the linear ones are cut by a cap of the ball.

The **target set** T of a node is made of all points y (see `local_network`) with ||y|| <= R that are adversarial for
one rival class (f_rival >= f_label, ties count) and have the signs the node fixes. Everything kept of a node is a
proved statement about all points of T; so it stays true for the children of the node, whose target sets are smaller,
and when R sinks because a nearer witness was found. A contradiction proves T empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma


@dataclass(frozen=True, eq=False)
class Facts:
    """What is proved about the target sets of B nodes.

    lower, upper: (B, N), lower <= z <= upper for every hidden neuron. sign: (B, N) int8, 1 and -1 where the node fixes
    z >= 0 or z <= 0, else 0. direction, level: (B, m) and (B,), direction . y >= level, with ||direction|| <= 1.
    rival: (B,), the class.
    """

    lower: np.ndarray
    upper: np.ndarray
    sign: np.ndarray
    direction: np.ndarray
    level: np.ndarray
    rival: np.ndarray

    def __len__(self) -> int:
        return len(self.level)

    def take(self, index: Any) -> Facts:
        """The nodes of an index, as a batch."""
        return Facts(*(values[index] for values in vars(self).values()))


def everything(rivals: np.ndarray, sizes: np.ndarray, dimension: int) -> Facts:
    """The roots, one for each rival class (B,): nothing is known but |z| <= sizes (N,) in the ball."""
    count = len(rivals)
    return Facts(
        lower=np.tile(-sizes, (count, 1)),
        upper=np.tile(sizes, (count, 1)),
        sign=np.zeros((count, len(sizes)), dtype=np.int8),
        direction=np.zeros((count, dimension)),
        level=np.zeros(count),
        rival=rivals,
    )


def branched(facts: Facts, neurons: np.ndarray) -> Facts:
    """Both children of each node (2 B): first all with z >= 0 for its neuron (B,), then all with z <= 0."""
    count = len(facts)
    twice = Facts(*(np.concatenate([values, values]) for values in vars(facts).values()))
    on, off = np.arange(count), np.arange(count, 2 * count)
    twice.sign[on, neurons], twice.sign[off, neurons] = 1, -1
    twice.lower[on, neurons] = np.maximum(twice.lower[on, neurons], 0.0)
    twice.upper[off, neurons] = np.minimum(twice.upper[off, neurons], 0.0)
    return twice


def pack(facts: Facts) -> np.ndarray:
    """The batch as a matrix with one row a node, for the queue."""
    columns = [facts.lower, facts.upper, facts.sign, facts.direction, facts.level[:, None], facts.rival[:, None]]
    return np.concatenate(columns, axis=1, dtype=np.float64)


def unpack(rows: np.ndarray, neurons: int) -> Facts:
    """The inverse of `pack`, for a network of that many hidden neurons."""
    lower, upper, sign, direction, level, rival = np.split(rows, [neurons, 2 * neurons, 3 * neurons, -2, -1], axis=1)
    return Facts(lower, upper, sign.astype(np.int8), direction, level[:, 0], rival[:, 0].astype(np.int64))


def cap_minimum(squares: np.ndarray, along: np.ndarray, level: np.ndarray, radius: float, terms: int) -> np.ndarray:
    """A proven lower bound on a . y over the cap {||y|| <= radius, g . y >= level}, level >= 0.

    squares: ||a||^2, along: a . g, both as computed from `terms` products; g has norm at most 1 up to rounding.
    For every mu >= 0, a . y = (a - mu g) . y + mu g . y >= -radius ||a - mu g|| + mu level. The best mu of real
    arithmetic is used; whatever its rounding made of it, the bound is true for the mu at hand. The error of
    ||a||^2 - 2 mu a . g + mu^2 is at most 4 gamma (||a||^2 + mu^2), since 2 mu |a . g| <= ||a||^2 + mu^2.
    """
    across = np.sqrt(np.maximum(squares - along * along, 0.0))
    half = np.sqrt(np.maximum((radius - level) * (radius + level), 0.0))
    mu = np.maximum(along + across * (level / np.maximum(half, 1e-9 * radius)), 0.0)
    doubt = 8 * gamma(terms + 8) * (squares + mu * mu) + 8 * terms * SMALLEST
    root = np.sqrt(np.maximum(squares - 2 * mu * along + mu * mu, 0.0) + doubt)
    gain, loss = mu * level, root * radius
    return gain - loss - 8 * UNIT_ROUNDOFF * (gain + loss) - 8 * SMALLEST
