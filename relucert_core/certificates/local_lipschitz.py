"""Hein and Andriushchenko (2017): a local Lipschitz constant of a network with one hidden layer.

Over the ball ||x - u|| <= r the slope of neuron i lies in [s_i, t_i], each 0 or 1, from w_i.u + b_i -+ r ||w_i||_dual.
With a = W_k - W_j in the last layer the gradient of f_k - f_j is sum_i a_i theta_i w_i, and in norm 2 its squared
length is at most

    sum over i, j of  max(a_i a_j w_i.w_j, 0) t_i t_j - max(-a_i a_j w_i.w_j, 0) s_i s_j .

In the norms 1 and inf the entries of the gradient are bounded one by one (for one hidden layer that is Fast-Lip's
bound). The prediction is proved at r when f_k - f_j > r L_j(r), the condition of their Theorem 2.1; the radius is
searched. Deviation: the paper states it for differentiable activations; for a ReLU the same holds with its slopes,
since the network is piecewise linear. Rounding: the Gram matrix's error is at most gamma_n ||w_i|| ||w_j||.
"""

from __future__ import annotations

import torch

from relucert_core.certificates.fast_lip import gradient_method, margins_within
from relucert_core.certificates.linear_bounds import FAST_LIN, layer_bounds
from relucert_core.certificates.over_balls.balls import BallMethod, certify_balls
from relucert_core.certificates.over_balls.centre import Centre, blocks
from relucert_core.certificates.result import LOWER_BOUND, Certificate, CertificateEntry
from relucert_core.network import Network
from relucert_core.norms import NORMS
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above, gamma, sum_above

_REFUSAL = "local-lipschitz is made for networks with one hidden layer: use fast-lip for deeper ones."


def run_local_lipschitz(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None
) -> list[Certificate]:
    """The local Lipschitz radius of each point (B, D) of a two-layer network; see the module's head."""
    prepare = _pairwise_method if norm == 2 else gradient_method
    return certify_balls("local-lipschitz", net, points, norm, labels, prepare)


def _pairwise_method(centre: Centre) -> BallMethod:
    gram = centre.net.affine[0].weight @ centre.net.affine[0].weight.T
    positive, negative = gram.clamp(min=0.0), gram.clamp(max=0.0).neg()

    def margins_at(index: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
        parts = blocks(len(index), centre.rivals[0].numel())
        constants = [_constants(centre, positive, negative, index[b], radii[b]) for b in parts]
        return margins_within(centre, index, radii, torch.cat(constants))

    return BallMethod(margins_at, gradient_method(centre).unlimited)


def _constants(
    centre: Centre, positive: torch.Tensor, negative: torch.Tensor, index: torch.Tensor, radii: torch.Tensor
) -> torch.Tensor:
    """(T, K): upper bounds on the lengths of the gradients; positive - negative (N_1, N_1) is the Gram matrix."""
    (bounds,) = layer_bounds(centre, FAST_LIN, index, radii)
    maybe, surely, carried = ~(bounds.upper <= 0), bounds.lower >= 0, centre.net.affine[0].carried
    if carried is not None:
        maybe, surely = maybe | carried, surely | carried
    largest, smallest = maybe.unsqueeze(1), surely.unsqueeze(1)
    rows = centre.rivals[index]
    plus, minus = rows.clamp(min=0.0), rows.clamp(max=0.0).neg()
    most = _pairs(plus * largest, minus * largest, positive, negative)
    least = _pairs(plus * smallest, minus * smallest, negative, positive)
    terms = 2 * len(positive) + 16
    # The Gram matrix's own error, and the rounding of W_k - W_j, in one bound on sum |a_i| ||w_i||.
    total = sum_above((rows.abs() * largest) @ centre.row_norms[1], terms)
    doubt = 8 * (gamma(centre.net.inputs + 8) + 4 * UNIT_ROUNDOFF) * above(total * total)
    doubt = doubt + SMALLEST * terms * terms * (centre.net.inputs + above(rows.abs().sum(-1)) ** 2)
    square = sum_above(most, terms * 2) - least * (1 - 8 * gamma(terms)) + doubt
    return above(torch.sqrt(above(square.clamp(min=0.0) + 8 * UNIT_ROUNDOFF * (most + least + doubt))))


def _pairs(plus: torch.Tensor, minus: torch.Tensor, same: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
    """plus.same.plus + minus.same.minus + 2 plus.mixed.minus for each row; all terms >= 0."""
    return ((plus @ same) * plus).sum(-1) + ((minus @ same) * minus).sum(-1) + 2 * ((plus @ mixed) * minus).sum(-1)


ENTRY = CertificateEntry(
    name="local-lipschitz",
    place=90,
    title="Local Lipschitz bound",
    run=run_local_lipschitz,
    norms=NORMS,
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="For networks with one hidden layer: bounds how steep the network can be near the point, from the neurons "
    "that can switch there, and divides the lead of the winning class by it.",
    reference="Hein and Andriushchenko, Formal Guarantees on the Robustness of a Classifier (2017)",
    min_depth=2,
    max_depth=2,
    refusal=_REFUSAL,
)
