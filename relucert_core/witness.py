"""Is a point proved to be adversarial, and how is one near a decision plane pushed across it until it is?"""

from __future__ import annotations

from itertools import takewhile

import torch

from relucert_core.forward import ProvenForward, proven_forward, rational_logits, rival_logits
from relucert_core.network import Network
from relucert_core.rounding import above, below, distance_above

RATIONAL_WEIGHTS = (
    20_000  # stored coefficients of a network; up to here a rational forward pass takes a few milliseconds
)
WITNESS_SLACK = 1e-6  # an exact radius has a witness within (1 + WITNESS_SLACK) times it
PUSHES = (0.0, 1e-13, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 4e-7, 9e-7, 1e-5, 1e-4, 1e-2)
"""Relative steps beyond a decision plane; the first one that is proved to be across gives the nearest witness."""


def proved_adversarial(
    net: Network, points: torch.Tensor, labels: torch.Tensor, *, rational: bool = False
) -> torch.Tensor:
    """(B,) bool: is some f_j >= f_label at the stored points (B, D), proved with the forward error bound counted?

    True is a proof (SPEC, section 3.5). False proves nothing: rounding may leave a tie open, and overflow gives False.
    With `rational`, what the bound leaves open is decided without rounding, where the network has at most
    `RATIONAL_WEIGHTS` weights: an exact tie counts, and only so can it be proved.
    """
    forward = proven_forward(net, points)
    good = reads_otherwise(forward, labels)
    if not rational or sum(layer.entries for layer in net.layers) > RATIONAL_WEIGHTS:
        return good
    logits, errors = forward.values[-1], forward.errors[-1]
    own = (logits - errors).gather(1, labels.view(-1, 1))
    unclear = ~good & (rival_logits(logits + errors - own, labels) >= 0).any(-1)
    for i in unclear.nonzero().flatten().tolist():
        exact, label = rational_logits(net, points[i]), int(labels[i])
        good[i] = any(value >= exact[label] for j, value in enumerate(exact) if j != label)
    return good


def reads_otherwise(forward: ProvenForward, labels: torch.Tensor) -> torch.Tensor:
    """`proved_adversarial` for a forward pass that has been made, without the rational one."""
    logits, errors = forward.values[-1], forward.errors[-1]
    index = labels.view(-1, 1)
    excess = rival_logits(logits - logits.gather(1, index), labels)
    slack = above(errors + errors.gather(1, index))
    return ((excess > 0) & (below(excess) >= slack) & torch.isfinite(slack)).any(-1)


def points_beyond(point: torch.Tensor, near: torch.Tensor, limit: float) -> torch.Tensor:
    """Points (S, D) on the ray from `point` (D,) through `near` (D,): that one, and others up to `limit` beyond it."""
    pushes = torch.tensor([*takewhile(lambda push: push <= limit, PUSHES)], dtype=torch.float64)
    return point + (near - point) * (1 + pushes.unsqueeze(-1))


def witness_beyond(
    net: Network, point: torch.Tensor, near: torch.Tensor, label: int, radius: float, norm: float
) -> tuple[torch.Tensor, float] | None:
    """A proved adversarial point within (1 + 1e-6) `radius`, on the ray from `point` (D,) through `near` (D,).

    `near` should lie on the decision plane; steps of growing size beyond it are tried. Returns the point and its
    distance, rounded up, or None when no step is proved.
    """
    candidates = points_beyond(point, near, WITNESS_SLACK)
    proved = proved_adversarial(net, candidates, torch.full((len(candidates),), label), rational=True)
    distances = distance_above(candidates, point, norm)
    allowed = below(radius * (1 + WITNESS_SLACK))
    for candidate, good, distance in zip(candidates, proved.tolist(), distances.tolist()):
        if good and distance <= allowed:
            return candidate, distance
    return None
