"""Better witnesses: from an adversarial point, walk from region to region to the locally nearest decision point.

Only a proposal: every point found is proved adversarial by the ledger before it counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from relucert_core.deadline import late
from relucert_core.forward import rival_logits
from relucert_core.layers import active
from relucert_core.search.half_spaces import Proposer
from relucert_core.search.local_network import LocalNetwork

_SLACKS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7)
LARGEST = 200_000  # rows times dimensions of one region; above, its least-squares problem costs too much


def affordable(local: LocalNetwork) -> bool:
    """Is a region of this network small enough for `polish`?"""
    return (local.neurons + 1) * local.size <= LARGEST


def polish(local: LocalNetwork, start: np.ndarray, proposer: Proposer, rounds: int = 12) -> np.ndarray | None:
    """The nearest decision point y (m,) met on a walk that starts in the region of `start` (m,); None if none is found.

    In each region the nearest point of the local decision plane is found; then the regions behind the faces that hold
    that point are tried, as long as one of them has a nearer point.
    """
    rival, pattern = _rival_and_pattern(local, start)
    point, faces = nearest_decision(local, pattern, rival, proposer)
    for _ in range(rounds):
        if point is None:
            return None
        best, moved = point, False
        for face in faces:
            if late():
                return best
            flipped = pattern.copy()
            flipped[face] = ~flipped[face]
            other, other_faces = nearest_decision(local, flipped, rival, proposer)
            if other is not None and other @ other < best @ best * (1 - 1e-9):
                best, best_pattern, best_faces, moved = other, flipped, other_faces, True
        if not moved:
            return point
        point, pattern, faces = best, best_pattern, best_faces
    return point


def interior(local: LocalNetwork, near: np.ndarray, proposer: Proposer) -> Iterator[np.ndarray]:
    """Points a little inside the adversarial part of the region of `near` (m,), the nearest first."""
    rival, pattern = _rival_and_pattern(local, near)
    for slack in _SLACKS:
        point, _ = nearest_decision(local, pattern, rival, proposer, slack * float(np.sqrt(near @ near)))
        if point is not None:
            yield point


def _rival_and_pattern(local: LocalNetwork, point: np.ndarray) -> tuple[int, np.ndarray]:
    """The best class but the label at y (m,), and the activation pattern (N,) there."""
    *hidden, logits = local.values(point[None])
    return int(rival_logits(logits[0], local.label).argmax()), active(np.concatenate(hidden, axis=1)[0], local.carried)


def nearest_decision(
    local: LocalNetwork, pattern: np.ndarray, rival: int, proposer: Proposer, slack: float = 0.0
) -> tuple[np.ndarray | None, np.ndarray]:
    """The point y (m,) of the region of `pattern` (N,) with f_rival >= f_label nearest to 0, and the faces it lies on.

    `slack`: how far inside all half-spaces the point shall lie. None when the solver finds no such point.
    """
    rows, levels = region_rows(local, pattern, rival)
    lengths = np.sqrt((rows * rows).sum(1))
    usable = lengths > 0
    rows, levels = rows[usable] / lengths[usable, None], levels[usable] / lengths[usable] + slack
    scale = max(float(np.abs(levels).max(initial=0.0)), 1e-300)
    weights = np.asarray(proposer(rows, levels / scale))
    if weights.shape != levels.shape or not np.isfinite(weights).all():
        return None, np.zeros(0, dtype=int)
    total = weights @ rows
    size = float(total @ total)
    point = total * (float(weights @ levels) / size) if size > 0 else np.zeros(local.size)
    tolerance = 1e-9 * (scale + float(np.sqrt(point @ point)))
    if not np.isfinite(point).all() or bool((rows @ point < levels - tolerance).any()):
        return None, np.zeros(0, dtype=int)
    tight = np.flatnonzero(usable)[weights > 0]
    return point, tight[tight < local.neurons]


def region_rows(local: LocalNetwork, pattern: np.ndarray, rival: int) -> tuple[np.ndarray, np.ndarray]:
    """The half-spaces rows (N + 1, m) . y >= levels (N + 1,) of a region and of f_rival >= f_label, not rounded.

    Outputs that are carried have none: rows of zeros stand for them.
    """
    rows, constants = local.first, local.offset
    faces, levels = [], []
    for k, part in enumerate(local.slices):
        on = pattern[part]
        side = np.where(on, 1.0, -1.0) * ~local.carried[part]
        faces.append(side[:, None] * rows)
        levels.append(-side * constants)
        weight = local.weights[k]
        rows, constants = (weight * on) @ rows, (weight * on) @ constants + local.biases[k]
    faces.append((rows[rival] - rows[local.label])[None])
    levels.append(np.array([constants[local.label] - constants[rival]]))
    return np.concatenate(faces), np.concatenate(levels)
