"""Nearer witnesses: from a point near the boundary, or from a direction, to adversarial points that are proved.

Only proposals are made here; the ledger proves every point before it counts, and keeps it only if it is nearer.
"""

from __future__ import annotations

import numpy as np

from relucert_core.deadline import late
from relucert_core.forward import rival_logits
from relucert_core.layers import active
from relucert_core.search.half_spaces import Proposer, propose_weights
from relucert_core.search.ledger import Ledger
from relucert_core.search.local_network import LocalNetwork
from relucert_core.search.polish import affordable, interior, polish

_FARTHEST = 1.3  # of the upper bound, along a ray: what lies beyond is not polished to below it
_STATIONS = (32, *[8] * 6)  # looked at along a ray, then between the last two of the turn before
_SLIDES = 30
_SHORTEST = 1e-2  # of a step
_GAIN = 1e-6  # of the distance, that makes a step worth while


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def improve(ledger: Ledger, local: LocalNetwork, near: np.ndarray, proposer: Proposer = propose_weights) -> None:
    """Offer the point y (m,), and what a walk from it over the neighbouring regions finds."""
    ledger.offer_beyond(local.inputs(near))
    if not affordable(local) or ledger.seconds >= ledger.max_seconds:
        return
    with ledger.in_time():
        found = polish(local, near, proposer)
    if found is None or float(np.sqrt(found @ found)) >= ledger.upper * (1 - 1e-9):
        return
    if ledger.offer_beyond(local.inputs(found)) and ledger.upper <= float(np.sqrt(found @ found)) * (1 + 1e-8):
        return
    for point in interior(local, found, proposer):
        ledger.offer_beyond(local.inputs(point))


@np.errstate(all="ignore")
def improve_along(
    ledger: Ledger, local: LocalNetwork, direction: np.ndarray, proposer: Proposer = propose_weights
) -> bool:
    """Follow the ray x = u + t d, t > 0, of a direction (D,) to the boundary, slide along it, and `improve`.

    Returns whether the ledger's upper bound fell. Cost: a few hundred forward passes, and the walk where that is
    affordable.
    """
    before = ledger.upper
    if ledger.seconds >= ledger.max_seconds:
        return False
    ray = local.nearby(local.point + direction)
    size = float(np.sqrt(ray @ ray))
    if not 0 < size < np.inf:
        return False
    reach = _FARTHEST * ledger.upper if np.isfinite(ledger.upper) else 4 * max(size, ledger.lower)
    near = crossing(local, ray * (reach / size))
    if near is not None:
        with ledger.in_time():
            near = slide(local, near)
        improve(ledger, local, near, proposer)
    return ledger.upper < before


def crossing(local: LocalNetwork, end: np.ndarray) -> np.ndarray | None:
    """The first point y (m,) on the way from 0 to `end` that is seen to have lost its class; None if none is."""
    low, high = 0.0, 1.0
    for turn, count in enumerate(_STATIONS):
        shares = np.linspace(low, high, count + 1)[1:]
        lost = np.flatnonzero(~(local.leads_along(end, shares) > 0))
        if not len(lost):
            return None if turn == 0 else high * end
        first = int(lost[0])
        low, high = (low if first == 0 else float(shares[first - 1])), float(shares[first])
    return high * end


def slide(local: LocalNetwork, start: np.ndarray) -> np.ndarray:
    """A point of the boundary nearer to 0 than `start` (m,), found by steps along the boundary's tangent.

    Each step goes towards the point of the local decision plane nearest to 0, then back to the boundary on its ray; it
    is halved while that gains nothing. It needs a few forward passes a step, whatever the network's size.
    """
    point, step = start, 1.0
    for _ in range(_SLIDES):
        slope = decision_slope(local, point)
        steepness = float(slope @ slope)
        if late() or not (steepness > 0 and np.isfinite(steepness)):
            return point
        target = slope * (float(slope @ point) / steepness)
        tried = point + step * (target - point)
        size = float(np.sqrt(point @ point))
        found = crossing(local, tried * (size / max(float(np.sqrt(tried @ tried)), 1e-300)))
        if found is not None and float(np.sqrt(found @ found)) < size * (1 - _GAIN):
            point, step = found, min(1.0, 2 * step)
        else:
            step /= 2
            if step < _SHORTEST:
                return point
    return point


def decision_slope(local: LocalNetwork, point: np.ndarray) -> np.ndarray:
    """The gradient (m,) of f_rival - f_label at y (m,), the rival being the strongest other class there."""
    *hidden, logits = [part[0] for part in local.values(point[None])]
    row = local.weights[-1][int(rival_logits(logits, local.label).argmax())] - local.weights[-1][local.label]
    below = zip(reversed(hidden), (*reversed(local.weights[:-1]), local.first), reversed(local.slices), strict=True)
    for value, weight, part in below:
        row = (row * active(value, local.carried[part])) @ weight
    return row
