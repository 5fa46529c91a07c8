"""Is a point proved to be adversarial? With the forward error bound, or in rational arithmetic for small networks."""

from __future__ import annotations

import math

import torch

from relucert_core.forward import ProvenForward, proven_forward, rational_logits
from relucert_core.network import Network
from relucert_core.rounding import above, below

EXACT_WEIGHTS = 2_000  # weights of a network up to which one rational forward pass takes a few milliseconds


def proved(net: Network, points: torch.Tensor, label: int) -> torch.Tensor:
    """(S,) bool: is some f_j >= f_label proved at the stored points (S, D)?

    Rounding can never prove a tie, which counts too; so where the bound leaves it open and the network is small, the
    forward pass is done again in fractions.
    """
    forward = proven_forward(net, points)
    good = reads_otherwise(forward, torch.full((len(points),), label))
    if sum(layer.weight.numel() for layer in net.affine) > EXACT_WEIGHTS:
        return good
    logits, errors = forward.values[-1], forward.errors[-1]
    gaps = logits + errors - (logits - errors)[:, label : label + 1]
    gaps[:, label] = -torch.inf
    for i in (~good & (gaps >= 0).any(-1)).nonzero().flatten().tolist():
        values = rational_logits(net, points[i])
        good[i] = any(value >= values[label] for j, value in enumerate(values) if j != label)
    return good


def proved_adversarial(net: Network, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(B,) bool: is some f_j >= f_label at the stored points (B, D), proved with the forward error bound counted?

    True is a proof (SPEC, section 3.5). False proves nothing: rounding may leave a tie open, and overflow gives False.
    """
    return reads_otherwise(proven_forward(net, points), labels)


def reads_otherwise(forward: ProvenForward, labels: torch.Tensor) -> torch.Tensor:
    """`proved_adversarial` for a forward pass that has been made."""
    logits, errors = forward.values[-1], forward.errors[-1]
    index = labels.view(-1, 1)
    excess = (logits - logits.gather(1, index)).scatter(1, index, -math.inf)
    slack = above(errors + errors.gather(1, index))
    return ((excess > 0) & (below(excess) >= slack) & torch.isfinite(slack)).any(-1)
