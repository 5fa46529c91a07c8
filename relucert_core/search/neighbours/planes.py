"""A decision plane that surfaces: can its region be reached by it at all, and where?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from relucert_core.rounding import UNIT_ROUNDOFF
from relucert_core.search.half_spaces import Proposer, farthest_aggregate, propose_by_program
from relucert_core.search.neighbours.regions import Atlas, affine_maps

_SLACKS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7)


@dataclass(frozen=True, eq=False)
class DecisionCell:
    """The points of a region with f_rival >= f_label: normals (n + 1, m) . y >= levels (n + 1,), not rounded.

    n: the neurons, without what is carried on. value_error, row_error: (n + 1,), how far the exact levels and (in the
    dual norm) normals may be from these.
    """

    normals: np.ndarray
    levels: np.ndarray
    value_error: np.ndarray
    row_error: np.ndarray
    dual: float


def decision_cell(atlas: Atlas, pattern: np.ndarray, rival: int) -> DecisionCell:
    """The cell of one region, `pattern` (N,), and one rival."""
    local = atlas.local
    values, rows = affine_maps(atlas, pattern[None])
    values = np.concatenate([local.offset, values[:, 0]])
    rows = np.concatenate([local.first, rows[:, 0]])
    k, j = local.neurons + local.label, local.neurons + rival
    faces = np.flatnonzero(~local.carried)
    side = np.where(pattern[faces], 1.0, -1.0)
    value, row = atlas.value_error, atlas.row_error
    return DecisionCell(
        normals=np.concatenate([side[:, None] * rows[faces], (rows[j] - rows[k])[None]]),
        levels=np.append(-side * values[faces], values[k] - values[j]),
        value_error=np.append(value[faces], 2 * (value[j] + value[k])),
        row_error=np.append(row[faces], 2 * (row[j] + row[k])),
        dual=atlas.dual,
    )


def cell_distance(cell: DecisionCell, radius: float, proposer: Proposer) -> tuple[float, np.ndarray]:
    """A proven bound on the distance to the cell, at most `radius`, and its nearest point y (m,), a proposal.

    The proof rule on all the half-spaces. It is asked for points with ||y|| <= radius: there an error of a normal
    changes a half-space by at most radius times its dual norm, and the levels are lowered by that.
    """
    doubt = 1.01 * (cell.value_error + radius * cell.row_error)
    levels = cell.levels - doubt - 4 * UNIT_ROUNDOFF * np.abs(cell.levels)
    weights, point = _proposed(cell, levels, proposer)
    distance, _ = farthest_aggregate(cell.normals[None], levels[None], weights[None], radius, cell.dual)
    return min(float(distance[0]), radius), point


def inner_points(cell: DecisionCell, near: np.ndarray, proposer: Proposer) -> Iterator[np.ndarray]:
    """Points of the cell a little inside all its half-spaces, the nearest first: easier to prove adversarial."""
    sizes = np.sqrt((cell.normals * cell.normals).sum(1))
    for slack in _SLACKS:
        yield _proposed(cell, cell.levels + slack * float(np.sqrt(near @ near)) * sizes, proposer)[1]


def _proposed(cell: DecisionCell, levels: np.ndarray, proposer: Proposer) -> tuple[np.ndarray, np.ndarray]:
    """Weights and nearest point; the programs get rows scaled to length 1 and levels to 1."""
    sizes = np.sqrt((cell.normals * cell.normals).sum(1)) + 1e-150
    rows, heights = cell.normals / sizes[:, None], np.nan_to_num(levels / sizes, nan=0.0, posinf=0.0, neginf=0.0)
    scale = max(float(np.abs(heights).max(initial=0.0)), 1e-300)
    if cell.dual != 2:
        weights, point = propose_by_program(rows, heights / scale, cell.dual)
        return weights / sizes, point * scale
    weights = np.asarray(proposer(rows, heights / scale), dtype=np.float64)
    if weights.shape != heights.shape:
        return np.zeros(len(heights)), np.zeros(rows.shape[1])
    weights = np.nan_to_num(weights, nan=0.0, posinf=0.0, neginf=0.0)
    total = weights @ rows
    size = float(total @ total)
    return weights / sizes, total * (float(weights @ heights) / size) if size > 0 else total
