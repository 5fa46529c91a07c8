"""Interval bounds: a box of possible values pushed through the network, layer by layer.

With [l, u] the bounds of a layer's inputs, W+ l + W- u + b <= W a + b <= W+ u + W- l + b, and relu maps bounds to
bounds. The first layer is bounded by r times the dual norm of each row, which is tighter than the box around the ball
for the norms 1 and 2 and the same for inf. The last layer is taken for the differences f_k - f_j. As everywhere
(`centre`), bounds are kept as deviations from the centre: how far a neuron may fall below it and rise above it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from relucert_core.certificates.over_balls.balls import BallMethod, certify_balls
from relucert_core.certificates.over_balls.centre import Centre, lowered, raised
from relucert_core.certificates.over_balls.halves import Halves, times
from relucert_core.certificates.result import LOWER_BOUND, Certificate, CertificateEntry
from relucert_core.forward import at_label
from relucert_core.network import Network
from relucert_core.norms import NORMS
from relucert_core.rounding import above, sum_above

Bottom = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]


class Deviation(NamedTuple):
    """How far values may lie below and above those at the centre, (T, N) each, >= 0, rounded up."""

    fall: torch.Tensor
    rise: torch.Tensor


def first_deviation(centre: Centre, radii: torch.Tensor) -> Deviation:
    """The first layer's pre-activations, (T, N_1): r ||row||_dual either way; 0 for a zero row, whatever the radius."""
    rows = centre.row_norms[1]
    reach = torch.where(rows > 0, above(radii.unsqueeze(-1) * rows), 0.0)
    return Deviation(reach, reach)


def after_relu(
    values: torch.Tensor,
    errors: torch.Tensor,
    z: Deviation,
    bottom: Bottom | None = None,
    lean: torch.Tensor | None = None,
    carried: torch.Tensor | None = None,
) -> Deviation:
    """How far relu(z) may fall and rise, for values +- errors at the centre.

    bottom: what the method takes for relu's lower bound instead of max(l, 0); see `lowest_value` of a slope rule.
    carried (N,) bool: outputs that pass no ReLU.
    """
    low, high = lowered(lowered(values - errors) - z.fall), raised(raised(values + errors) + z.rise)
    floor = low.clamp(min=0.0) if bottom is None else bottom(low, high, lean)
    here_low, here_high = lowered(values - errors).clamp(min=0.0), raised(values + errors).clamp(min=0.0)
    fall, rise = above((here_high - floor).clamp(min=0.0)), above((high.clamp(min=0.0) - here_low).clamp(min=0.0))
    if carried is not None:
        fall, rise = torch.where(carried, z.fall, fall), torch.where(carried, z.rise, rise)
    return Deviation(fall, rise)


def next_deviation(positive: torch.Tensor, negative: torch.Tensor, a: Deviation) -> Deviation:
    """The deviation of W a for W = positive - negative, both >= 0 of shape (R, N) or (T, R, N); infinities allowed."""
    fall = product_with_infinities(positive, a.fall) + product_with_infinities(negative, a.rise)
    rise = product_with_infinities(positive, a.rise) + product_with_infinities(negative, a.fall)
    terms = 2 * positive.shape[-1] + 4
    return Deviation(sum_above(fall, terms), sum_above(rise, terms))


def onward_deviation(halves: Halves, a: Deviation, inputs: int) -> Deviation:
    """`next_deviation` through a layer by its halves, of so many inputs."""
    if isinstance(halves.positive, torch.Tensor):
        return next_deviation(*halves.rows, a)
    touched, terms = halves.touched() if any(map(_endless, a)) else halves, 2 * inputs + 4
    fall = _through(halves.positive, touched.positive, a.fall) + _through(halves.negative, touched.negative, a.rise)
    rise = _through(halves.positive, touched.positive, a.rise) + _through(halves.negative, touched.negative, a.fall)
    return Deviation(sum_above(fall, terms), sum_above(rise, terms))


def _endless(values: torch.Tensor) -> bool:
    return bool(torch.isinf(values).any())


def _through(half: Any, touched: Any, values: torch.Tensor) -> torch.Tensor:
    """A half times values (T, n) >= 0, where 0 times infinity is 0; touched: its signs, where a value is infinite."""
    endless = torch.isinf(values)
    product = times(half, torch.where(endless, 0.0, values))
    if not endless.any():
        return product
    return product.masked_fill(times(touched, endless.to(values.dtype)) > 0, torch.inf)


def product_with_infinities(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """weights @ values for weights >= 0 (R, N) or (T, R, N) and values >= 0 (T, N), where 0 times infinity is 0."""
    endless = torch.isinf(values)
    product = _apply(weights, torch.where(endless, 0.0, values))
    if not endless.any():
        return product
    touched = _apply((weights > 0).to(values.dtype), endless.to(values.dtype)) > 0
    return product.masked_fill(touched, torch.inf)


def _apply(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """(R, N) or (T, R, N) times (T, N) -> (T, R)."""
    return values @ weights.T if weights.ndim == 2 else (weights @ values.unsqueeze(-1)).squeeze(-1)


def margins_from(centre: Centre, index: torch.Tensor, last: Deviation) -> torch.Tensor:
    """(T, K): lower bounds on f_label - f_j, from the deviation of the last hidden layer's outputs."""
    rivals = centre.rivals[index]
    positive, negative = above(rivals.clamp(min=0.0)), above(rivals.clamp(max=0.0).neg())
    # above() gives an exact zero a tiny weight: it must stay exactly zero.
    positive, negative = torch.where(rivals > 0, positive, 0.0), torch.where(rivals < 0, negative, 0.0)
    fall = next_deviation(positive, negative, last).fall
    margins = lowered(centre.gaps[index] - fall)
    return at_label(margins, centre.margins.label[index], torch.inf)


def hidden_deviations(
    centre: Centre, index: torch.Tensor, radii: torch.Tensor, bottom: Bottom | None = None
) -> list[Deviation]:
    """The deviations of the pre-activations of the hidden layers over the balls, (T, N_i) each."""
    found = [first_deviation(centre, radii)]
    for depth in range(centre.net.depth - 2):
        a = _relu_of(centre, index, depth, found[-1], bottom)
        found.append(onward_deviation(centre.halves(depth + 1), a, centre.net.affine[depth + 1].inputs))
    return found


def interval_margins(
    centre: Centre, index: torch.Tensor, radii: torch.Tensor, bottom: Bottom | None = None
) -> torch.Tensor:
    """(T, K): interval lower bounds on f_label - f_j over balls of `radii` (T,), which may be infinite."""
    hidden = hidden_deviations(centre, index, radii, bottom)
    return margins_from(centre, index, _relu_of(centre, index, len(hidden) - 1, hidden[-1], bottom))


def unlimited(centre: Centre, bottom: Bottom | None = None) -> torch.Tensor:
    """(B,) bool: whether the margins are proved positive over the whole space, with relu's lower bound `bottom`."""
    count = len(centre.points)
    margins = interval_margins(centre, torch.arange(count), torch.full((count,), torch.inf).double(), bottom)
    return (margins > 0).all(-1)


def _relu_of(centre: Centre, index: torch.Tensor, depth: int, z: Deviation, bottom: Bottom | None) -> Deviation:
    values, errors = centre.forward.values[depth][index], centre.forward.errors[depth][index]
    lean = centre.lean[index] if depth == 0 and bottom else None
    return after_relu(values, errors, z, bottom, lean, centre.net.affine[depth].carried)


def run_interval(
    net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None
) -> list[Certificate]:
    """The interval radius of each point (B, D); see the module's head and `certify_balls`."""

    def prepare(centre: Centre) -> BallMethod:
        return BallMethod(lambda index, radii: interval_margins(centre, index, radii), unlimited(centre))

    return certify_balls("interval", net, points, norm, labels, prepare)


ENTRY = CertificateEntry(
    name="interval",
    place=30,
    title="Interval bounds",
    run=run_interval,
    norms=NORMS,
    any_layers=True,
    guarantee=LOWER_BOUND,
    sentence="Pushes a box of possible values through the network, layer by layer, and takes the largest ball whose "
    "box still gives the same class. Quick, but the box forgets how neurons move together.",
    reference="Gowal et al., On the Effectiveness of Interval Bound Propagation (2018); first layer by the dual norm",
)
