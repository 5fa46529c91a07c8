"""First-layer neurons whose hyperplanes are exactly the same: they change sign together."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

_BIN = 1e-6


def coincident_groups(weight: np.ndarray, bias: np.ndarray) -> list[list[tuple[int, int]]]:
    """Groups of the neurons (rows of `weight` (n, D) with `bias` (n,)) by exactly proportional (w, b).

    Each group lists (neuron, side) with side 1 or -1: whether its factor has the sign of the first one's. Rows of
    zeros are in no group: such a neuron never changes sign. Proportional means: in exact rational arithmetic.
    """
    rows = np.concatenate([weight, bias[:, None]], axis=1)
    # Proportional rows have the same mark, but for rounding: only rows in the same or the next bin are compared.
    mixed = np.cos(np.arange(1, rows.shape[1] + 1))
    groups: list[list[tuple[int, int]]] = []
    bins: dict[int, list[int]] = {}
    for neuron, row in enumerate(rows):
        if not weight[neuron].any():
            continue
        scaled = row / np.abs(row).max()
        mark = math.floor(float(scaled @ mixed) * np.sign(scaled[np.flatnonzero(row)[0]]) / _BIN)
        near = [group for place in (mark - 1, mark, mark + 1) for group in bins.get(place, [])]
        sides = [(group, _proportional(rows[groups[group][0][0]], row)) for group in near]
        match = next(((group, side) for group, side in sides if side), None)
        if match:
            groups[match[0]].append((neuron, match[1]))
        else:
            bins.setdefault(mark, []).append(len(groups))
            groups.append([(neuron, 1)])
    return groups


def _proportional(first: np.ndarray, second: np.ndarray) -> int:
    """1 or -1 when second = c first exactly, with the sign of c; else 0."""
    place = int(np.flatnonzero(first)[0])
    lead, other = Fraction(float(first[place])), Fraction(float(second[place]))
    same = all(Fraction(float(a)) * other == Fraction(float(b)) * lead for a, b in zip(first, second, strict=True))
    return 0 if not same or other == 0 else 1 if (lead > 0) == (other > 0) else -1
