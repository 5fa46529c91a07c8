"""The decision boundary certificate (Theorem 4) of two-layer networks."""

from __future__ import annotations

import math

import torch

from relucert_core.certificates.margins import margins
from relucert_core.certificates.result import LOWER_BOUND, OK, Certificate, CertificateEntry, Limit
from relucert_core.forward import ProvenForward, at_label, proven_forward
from relucert_core.network import Network, in_chunks
from relucert_core.rounding import above, below, dot_error, norm_above, radius_below, sum_above

_CHUNK = 256
REFUSAL = (
    "The decision boundary certificate is made for two-layer networks (one hidden layer): in a deeper one its "
    "numerator is a polynomial in the activation pattern, for which no closed form is known (section 4.2 of the paper)."
)


def numerator_range(
    values: torch.Tensor, weights: torch.Tensor, gap: torch.Tensor, carried: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The closed form of min and max over theta in [0, 1]^N of sum_i theta_i c_i z_i + g, Theorem 4's numerator.

    values: z (..., N), weights: c = W^(2)_k - W^(2)_j (..., N), gap: g = b^(2)_k - b^(2)_j (...). The expression is
    linear in each theta_i, so every term takes its smaller (larger) end. Returns (low, high), (...); the numerator is
    0 when low <= 0 <= high, and the nearer end otherwise. carried (N,) bool: outputs without a ReLU, whose theta is 1.
    """
    terms = weights * values
    low, high = terms.clamp(max=0.0), terms.clamp(min=0.0)
    if carried is not None:
        low, high = torch.where(carried, terms, low), torch.where(carried, terms, high)
    return low.sum(-1) + gap, high.sum(-1) + gap


def operator_bound(net: Network, differences: torch.Tensor, norm: float) -> torch.Tensor:
    """Upper bounds on max over theta of ||(c * theta) W^(1)||_dual for rows c (R, N): (R,).

    Norm 2: ||c||_2 ||W^(1)||_2 as in the paper. Norm inf: ||c||_1 max_i ||W_i||_1. Norm 1: ||c||_inf max_j
    sum_i |W_ij|.
    """
    first = net.affine[0]
    if norm == 2:
        return above(norm_above(differences, 2.0) * first.spectral)
    if norm == math.inf:
        return above(norm_above(differences, 1.0) * first.row_sizes(1.0).amax())
    return above(norm_above(differences, math.inf) * first.column_sums().amax())


def _rounded_numerators(
    forward: ProvenForward, net: Network, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each rival a lower bound on the numerator (B, K), and an upper bound on |c| (B, K, N)."""
    last = net.affine[-1]
    z, error = forward.values[0].unsqueeze(1), forward.errors[0].unsqueeze(1)
    weights = last.weight[labels].unsqueeze(1) - last.weight
    gap = last.bias[labels].unsqueeze(1) - last.bias
    low, high = numerator_range(z, weights, gap, net.affine[0].carried)
    absolute = (weights.abs() * z.abs()).sum(-1) + gap.abs()
    terms = z.shape[-1] + 4  # a difference, a product and the sum are rounded; z is known to within its error only
    slack = above(dot_error(absolute, terms) + sum_above((weights.abs() * error).sum(-1), terms))
    return torch.maximum(below(below(low) - slack), below(below(-high) - slack)), weights.abs() * (1 + 2.0**-50)


def _chunk(net: Network, points: torch.Tensor, norm: float, labels: torch.Tensor | None) -> list[Certificate]:
    forward = proven_forward(net, points)
    found = margins(forward, labels)
    numerators, rows = _rounded_numerators(forward, net, found.label)
    radii = radius_below(numerators, operator_bound(net, rows, norm))
    radii = at_label(radii, found.label, math.inf)
    radius, rival = radii.min(-1)
    return [
        Certificate(
            method=ENTRY.name,
            norm=norm,
            radius=r if status == OK else 0.0,
            guarantee=LOWER_BOUND,
            status=status,
            prediction=p,
            label=k,
            limit=Limit.decision(j) if status == OK and math.isfinite(r) else None,
        )
        for r, j, p, k, status in zip(
            radius.tolist(), rival.tolist(), found.prediction.tolist(), found.label.tolist(), found.status
        )
    ]


def decision_boundary(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None
) -> list[Certificate]:
    """Theorem 4 at each point of a batch (B, D).

    Requires: two layers. Guarantee: a lower bound, proven with outward rounding; often 0, namely when some pattern in
    the box [0, 1]^N puts a rival's local plane through the point. Cost: one forward pass and K x N products.
    Deviation from the paper: the norms 1 and inf too, with the operator norms that go with them.
    """
    return [
        certificate for part, own in in_chunks(points, labels, _CHUNK) for certificate in _chunk(net, part, norm, own)
    ]


ENTRY = CertificateEntry(
    name="decision-boundary",
    place=20,
    title="Decision boundary",
    run=decision_boundary,
    norms=(1.0, 2.0, math.inf),
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="Takes every boundary that any mix of on and off neurons could draw, and keeps the nearest; often 0.",
    reference="Singla and Feizi (2019), Theorem 4",
    max_depth=2,
    refusal=REFUSAL,
)
