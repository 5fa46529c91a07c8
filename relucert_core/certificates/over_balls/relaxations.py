"""Linear bounds of a ReLU between bounds of its input: the slope rules of Fast-Lin and CROWN-Ada, rounded outward.

For l < 0 < u both rules bound relu(z) above by the chord u / (u - l) (z - l). Below, Fast-Lin takes the line through 0
with the chord's slope, and CROWN-Ada the slope 0 or 1 that leaves the smaller area: 1 when u >= |l|.

Guarantee. Let l*, u* be the exact bounds of the method and lower <= l*, upper >= u* ours. The lines returned here lie
on or outside the exact method's lines everywhere on [l*, u*]. The value V of a backward pass is concave and positively
homogeneous in the coefficients, and V(line through one neuron) is that line's value at l* or u*. So lines that lie
outside can only make every later bound, and the margin, smaller: the prediction proved with ours is proved by the
exact method too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above

_ROUNDINGS = 8 * UNIT_ROUNDOFF


@dataclass(frozen=True, eq=False)
class LayerBounds:
    """Bounds on the pre-activations of one hidden layer over T balls, each (T, N).

    lower <= l* and u* <= upper for the exact bounds l*, u* of the method; slack: l* - lower and upper - u* are at most
    this, where the neuron is not proved stable. lean: 1 where u* >= |l*| is proved, 0 where u* < |l*| is, else 0.5.
    """

    lower: torch.Tensor
    upper: torch.Tensor
    slack: torch.Tensor
    lean: torch.Tensor

    @property
    def width(self) -> torch.Tensor:
        """(T, N): upper - lower, rounded up."""
        return above(self.upper - self.lower)


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Two lines around each ReLU of a layer, for T balls; all (T, N).

    slope_below, slope_above: in [0, 1]. loss_below, loss_above >= 0: how far the lines pass from relu(z) at the
    centre's z, not rounded outward; doubt bounds the error of either.
    spread: bounds how far any line or the neuron strays from the centre's value in the ball.
    gap: bounds how far the lines lie outside the exact method's lines.
    """

    slope_below: torch.Tensor
    slope_above: torch.Tensor
    loss_below: torch.Tensor
    loss_above: torch.Tensor
    doubt: torch.Tensor
    spread: torch.Tensor
    gap: torch.Tensor

    @property
    def alive(self) -> torch.Tensor:
        """(T, N) bool: not proved off. A NaN counts as alive, so that it is seen further on."""
        return self.spread != 0


def relax(
    bounds: LayerBounds,
    values: torch.Tensor,
    errors: torch.Tensor,
    below: Callable[..., tuple[torch.Tensor, ...]],
    carried: torch.Tensor | None = None,
) -> Relaxation:
    """The lines of a slope rule `below` for neurons of value `values` +- `errors` (T, N) at the centre.

    carried (N,) bool: outputs that pass no ReLU, which are as neurons that are always on.
    """
    low, high = bounds.lower, bounds.upper
    active, dead = low >= 0, high <= 0
    if carried is not None:
        active, dead = active | carried, dead & ~carried
    open_ = ~(active | dead)
    zero = torch.zeros_like(low)
    low, high = torch.where(open_, low, -1.0), torch.where(open_, high, 1.0)
    chord = high / (high - low)
    rise = torch.maximum(above(chord * -low), above(above(high * (1 - chord))))
    slope, drop, gap_below = below(low, high, torch.where(open_, bounds.slack, zero), chord, bounds.lean)
    spot = torch.where(open_, values, zero)
    here = spot.clamp(min=0.0)
    loss_below = (here - slope * spot + drop).clamp(min=0.0)
    loss_above = (chord * spot + rise - here).clamp(min=0.0)
    scale = high - low + drop
    doubt = above(2 * errors + _ROUNDINGS * scale + SMALLEST)
    gap = torch.maximum(gap_below, above(bounds.slack + _ROUNDINGS * scale + SMALLEST))
    spread = above(torch.where(open_, scale + rise, bounds.width))
    return Relaxation(
        torch.where(open_, slope, active.to(low.dtype)),
        torch.where(open_, chord, active.to(low.dtype)),
        torch.where(open_, loss_below, zero),
        torch.where(open_, loss_above, zero),
        torch.where(open_, doubt, zero),
        torch.where(dead, zero, spread),
        torch.where(open_, gap, zero),
    )


def below_fast_lin(
    low: torch.Tensor, high: torch.Tensor, slack: torch.Tensor, chord: torch.Tensor, lean: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Fast-Lin's lower line: (slope, drop, gap), relu(z) >= slope z - drop.

    The computed slope differs from the exact u*/(u* - l*) by a delta with |delta| max(|l*|, u*) <= 2 slack + 4 u (u -
    l), so a drop of that much puts the line below the exact one on [l*, u*].
    """
    drop = above(2 * slack + _ROUNDINGS * (high - low) + SMALLEST)
    return chord, drop, 3 * drop


def below_crown(
    low: torch.Tensor, high: torch.Tensor, slack: torch.Tensor, chord: torch.Tensor, lean: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """CROWN-Ada's lower line: (slope, drop, gap), relu(z) >= slope z - drop.

    Where rounding leaves open which of |l*| and u* is larger, the line runs below both 0 and z: the chord of
    min(0, z) over the interval.
    """
    open_ = lean == 0.5
    steep = 1 - chord
    both = torch.maximum(above(steep * high), above(above(-low * chord)))
    slope = torch.where(open_, steep, lean)
    # The computed 1 - chord may be rounded: two units of the last place of the interval cover it at both ends.
    drop = torch.where(open_, above(both + _ROUNDINGS * (high - low) + SMALLEST), 0.0)
    return slope, drop, torch.where(open_, above(2 * (high - low)), 0.0)


def lean_of(low: torch.Tensor, high: torch.Tensor, slack: torch.Tensor) -> torch.Tensor:
    """`LayerBounds.lean` from rounded bounds: 1 or 0 where low + high is clear of its error, else 0.5."""
    total = high + low
    unsure = above(slack + _ROUNDINGS * (high - low) + SMALLEST)
    return torch.where(total.abs() > unsure, (total > 0).to(low.dtype), 0.5)


def lowest_fast_lin(low: torch.Tensor, high: torch.Tensor, lean: torch.Tensor | None) -> torch.Tensor:
    """What Fast-Lin's lower line cannot fall below at any radius: l, or 0 for a neuron that is never on."""
    return torch.where(high <= 0, 0.0, low)


def lowest_crown(low: torch.Tensor, high: torch.Tensor, lean: torch.Tensor | None) -> torch.Tensor:
    """What CROWN-Ada's lower line cannot fall below at any radius.

    The slope is 1 only where u >= |l|, hence the line is never below -u. A neuron that is never on gives 0, and so does
    one that always leans to 0 (the first layer, where `lean` is the same at all radii).
    """
    flat = (high <= 0) if lean is None else (high <= 0) | (lean == 0)
    return torch.where(flat, 0.0, torch.maximum(low, -high))
