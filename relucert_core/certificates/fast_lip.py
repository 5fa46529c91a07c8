"""Fast-Lip (Weng et al. 2018): a local Lipschitz constant from the entries of the gradient over the ball.

Over the ball ||x - u|| <= r Fast-Lin's bounds tell which neurons are on, off or open. The gradient of f_k - f_j is
(W_k - W_j) diag(theta) W ... diag(theta) W^(1), with theta 1, 0 or either; interval arithmetic from the last layer
to the input bounds each entry, and the dual norm of the largest sizes is a Lipschitz constant L_j on the ball. The
prediction is proved when f_k - f_j > r L_j at the centre for every rival j; the radius is searched as elsewhere.
Rounding: intervals are widened by their error bounds, and more open neurons only widen them further.
"""

from __future__ import annotations

import torch

from relucert_core.certificates.intervals import hidden_deviations
from relucert_core.certificates.linear_bounds import FAST_LIN, layer_bounds
from relucert_core.certificates.over_balls.balls import BallMethod, certify_balls
from relucert_core.certificates.over_balls.centre import Centre, lowered, norms_above, raised
from relucert_core.certificates.result import LOWER_BOUND, Certificate, CertificateEntry
from relucert_core.forward import at_label
from relucert_core.network import Network
from relucert_core.norms import NORMS, dual
from relucert_core.rounding import above, dot_error

States = list[tuple[torch.Tensor, torch.Tensor]]


def run_fast_lip(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None
) -> list[Certificate]:
    """The Fast-Lip radius of each point (B, D); see the module's head and `certify_balls`."""
    return certify_balls("fast-lip", net, points, norm, labels, gradient_method)


def gradient_method(centre: Centre) -> BallMethod:
    """Fast-Lip on the centres of a chunk; also the local Lipschitz bound of two layers in the norms 1 and inf."""
    return BallMethod(lambda index, radii: gradient_margins(centre, index, radii), _unlimited(centre))


def gradient_margins(centre: Centre, index: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
    """(T, K): lower bounds on f_label - f_j over balls of `radii` (T,) around the centres `index` (T,)."""
    bounds = layer_bounds(centre, FAST_LIN, index, radii)
    states = []
    for layer, b in zip(centre.net.affine, bounds, strict=False):
        on, off = b.lower >= 0, b.upper <= 0
        states.append((on, off) if layer.carried is None else (on | layer.carried, off & ~layer.carried))
    low, high = gradient_bounds(centre, index, states)
    lengths = norms_above(torch.maximum(low.abs(), high.abs()), dual(centre.norm))
    return margins_within(centre, index, radii, lengths)


def margins_within(centre: Centre, index: torch.Tensor, radii: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
    """gap - r L, rounded down, for Lipschitz constants L (T, K); infinite at the label."""
    margins = lowered(centre.gaps[index] - above(radii.unsqueeze(-1) * constants))
    return at_label(margins, centre.margins.label[index], torch.inf)


def gradient_bounds(centre: Centre, index: torch.Tensor, states: States) -> tuple[torch.Tensor, torch.Tensor]:
    """Bounds (T, K, D) on the entries of the gradients of f_label - f_j.

    states: for each hidden layer which neurons are proved on, and which off, (T, N_i) bool each.
    """
    rows = centre.rivals[index]
    low = torch.where(rows == 0, 0.0, lowered(rows))
    high = torch.where(rows == 0, 0.0, raised(rows))
    for layer in range(len(states) - 1, -1, -1):
        on, off = (state.unsqueeze(1) for state in states[layer])
        positive, negative = centre.halves(layer).rows
        low = torch.where(off, 0.0, torch.where(on, low, low.clamp(max=0.0)))
        high = torch.where(off, 0.0, torch.where(on, high, high.clamp(min=0.0)))
        size = torch.maximum(low.abs(), high.abs())
        error = dot_error(size @ positive + size @ negative, 2 * len(positive) + 2)
        low, high = low @ positive - high @ negative, high @ positive - low @ negative
        low, high = lowered(low - error), raised(high + error)
    return low, high


def _unlimited(centre: Centre) -> torch.Tensor:
    """(B,) bool: whether no path of weights leads from the input to an f_label - f_j by neurons that can be on."""
    count = len(centre.points)
    index, radii = torch.arange(count), torch.full((count,), torch.inf, dtype=torch.float64)
    touched = (centre.rivals != 0).to(torch.float64)
    deviations = hidden_deviations(centre, index, radii, FAST_LIN.lowest)
    for depth in range(len(deviations) - 1, -1, -1):
        values, errors = centre.forward.values[depth], centre.forward.errors[depth]
        off, carried = raised(raised(values + errors) + deviations[depth].rise) <= 0, centre.net.affine[depth].carried
        off = off if carried is None else off & ~carried
        paths = (touched * (~off).unsqueeze(1)) @ (centre.net.affine[depth].weight != 0).to(torch.float64)
        touched = (paths > 0).to(torch.float64)
    return ~(touched > 0).flatten(1).any(-1)


ENTRY = CertificateEntry(
    name="fast-lip",
    place=70,
    title="Fast-Lip",
    run=run_fast_lip,
    norms=NORMS,
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="Finds out which neurons can switch inside the ball, bounds from that how steep the network can be there, "
    "and divides the lead of the winning class by the steepest slope.",
    reference="Weng et al., Towards Fast Computation of Certified Robustness for ReLU Networks (2018)",
)
