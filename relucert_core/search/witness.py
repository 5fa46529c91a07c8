"""Is a point proved to be adversarial? With the forward error bound, or in rational arithmetic for small networks."""

from __future__ import annotations

from fractions import Fraction

import torch

from relucert_core.network import Network
from relucert_core.region import proven_forward, reads_otherwise

EXACT_WEIGHTS = 2_000  # weights of a network up to which one rational forward pass takes a few milliseconds


def proved(net: Network, points: torch.Tensor, label: int) -> torch.Tensor:
    """(S,) bool: is some f_j >= f_label proved at the stored points (S, D)?

    Rounding can never prove a tie, which counts too; so where the bound leaves it open and the network is small, the
    forward pass is done again in fractions.
    """
    forward = proven_forward(net, points)
    good = reads_otherwise(forward, torch.full((len(points),), label))
    if sum(layer.weight.numel() for layer in net.layers) > EXACT_WEIGHTS:
        return good
    logits, errors = forward.values[-1], forward.errors[-1]
    gaps = logits + errors - (logits - errors)[:, label : label + 1]
    gaps[:, label] = -torch.inf
    for i in (~good & (gaps >= 0).any(-1)).nonzero().flatten().tolist():
        values = rational_logits(net, points[i])
        good[i] = any(value >= values[label] for j, value in enumerate(values) if j != label)
    return good


def rational_logits(net: Network, point: torch.Tensor) -> list[Fraction]:
    """f(point) without rounding, for a point (D,)."""
    hidden = [Fraction(x) for x in point.tolist()]
    for number, layer in enumerate(net.layers):
        if number:
            hidden = [max(value, Fraction(0)) for value in hidden]
        terms = [
            [Fraction(w) * h for w, h in zip(row, hidden, strict=True) if w and h] for row in layer.weight.tolist()
        ]
        hidden = [sum(term, Fraction(b)) for term, b in zip(terms, layer.bias.tolist(), strict=True)]
    return hidden
