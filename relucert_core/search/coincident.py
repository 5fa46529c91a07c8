"""First-layer neurons whose hyperplanes are exactly the same: they change sign together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

_ALIKE = 1e-9  # rows that differ by more, once scaled, are not worth an exact comparison


def coincident_groups(weight: np.ndarray, bias: np.ndarray) -> list[list[tuple[int, int]]]:
    """Groups of the neurons (rows of `weight` (n, D) with `bias` (n,)) by exactly proportional (w, b).

    Each group lists (neuron, side) with side 1 or -1: whether its factor has the sign of the first one's. Rows of
    zeros are in no group: such a neuron never changes sign. Proportional means: in exact rational arithmetic.
    """
    rows = np.concatenate([weight, bias[:, None]], axis=1)
    groups: list[list[tuple[int, int]]] = []
    leads = np.zeros((0, rows.shape[1]))
    for neuron, row in enumerate(rows):
        if not weight[neuron].any():
            continue
        scaled = row / np.abs(row).max()
        scaled = scaled * np.sign(scaled[np.flatnonzero(row)[0]])
        for group in np.flatnonzero(np.abs(leads - scaled).max(axis=1, initial=0.0) <= _ALIKE):
            side = _proportional(rows[groups[group][0][0]], row)
            if side:
                groups[group].append((neuron, side))
                break
        else:
            groups.append([(neuron, 1)])
            leads = np.concatenate([leads, scaled[None]])
    return groups


def _proportional(first: np.ndarray, second: np.ndarray) -> int:
    """1 or -1 when second = c first exactly, with the sign of c; else 0."""
    place = int(np.flatnonzero(first)[0])
    lead, other = Fraction(float(first[place])), Fraction(float(second[place]))
    same = all(Fraction(float(a)) * other == Fraction(float(b)) * lead for a, b in zip(first, second, strict=True))
    return 0 if not same or other == 0 else 1 if (lead > 0) == (other > 0) else -1
