"""First-layer neurons whose hyperplanes are exactly the same: they change sign together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

_BIN = 1e-6


def coincident_groups(weight: np.ndarray, bias: np.ndarray) -> list[list[tuple[int, int]]]:
    """Groups of the neurons (rows of `weight` (n, D) with `bias` (n,)) by exactly proportional (w, b).

    Each group lists (neuron, side) with side 1 or -1: whether its factor has the sign of the first one's. Rows of
    zeros are in no group: such a neuron never changes sign. Proportional means: in exact rational arithmetic.
    """
    rows = np.concatenate([weight, bias[:, None]], axis=1)
    groups: list[list[tuple[int, int]]] = []
    for neurons in _alike(rows, (weight != 0).any(axis=1)):
        own: list[list[tuple[int, int]]] = []
        for neuron in neurons:
            sides = ((group, _proportional(rows[group[0][0]], rows[neuron])) for group in own)
            match = next(((group, side) for group, side in sides if side), None)
            if match:
                match[0].append((neuron, match[1]))
            else:
                own.append([(neuron, 1)])
        groups += own
    return sorted(groups)


def _alike(rows: np.ndarray, moving: np.ndarray) -> list[list[int]]:
    """The moving rows, those together that may be proportional: such rows have the same mark, but for rounding."""
    neurons = np.flatnonzero(moving)
    if not len(neurons):
        return []
    chosen = rows[neurons]
    lead = np.take_along_axis(chosen, (chosen != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    size = np.maximum(chosen.max(axis=1), -chosen.min(axis=1))
    mixed = (chosen / size[:, None]) @ np.cos(np.arange(1, rows.shape[1] + 1))
    marks = np.floor(mixed * np.sign(lead) / _BIN)
    order = np.argsort(marks, kind="stable")
    apart = np.flatnonzero(np.diff(marks[order]) > 1) + 1  # what falls into the same or the next bin stays together
    return [np.sort(part).tolist() for part in np.split(neurons[order], apart)]


def _proportional(first: np.ndarray, second: np.ndarray) -> int:
    """1 or -1 when second = c first exactly, with the sign of c; else 0."""
    places = np.flatnonzero(first)
    if not np.array_equal(places, np.flatnonzero(second)):
        return 0
    lead, other = Fraction(float(first[places[0]])), Fraction(float(second[places[0]]))
    pairs = zip(first[places].tolist(), second[places].tolist(), strict=True)
    if not all(Fraction(a) * other == Fraction(b) * lead for a, b in pairs):
        return 0
    return 1 if (lead > 0) == (other > 0) else -1
