"""The pass that Fast-Lin and CROWN-Ada share: coefficients carried back to the input through lines around the ReLUs.

With A the coefficients on the outputs of a hidden layer, a lower bound takes the lower line where A > 0 and the upper
line where A < 0. Written as a deviation from the centre u, the bound is
    value at u - sum over layers (A+ loss_below + A- loss_above) - r ||coefficients at the input||_dual,
which equals the papers' formula in exact arithmetic.

Rounding. A computed coefficient matrix is taken as exact from then on; its error, at most gamma_n |A| |W|, moves the
value by at most gamma_n |A| drift with drift = |W| spread: the value is concave and positively homogeneous in the
coefficients (superadditive), and that of a single neuron is bounded by the neuron's own spread over the ball. So one
extra vector product a layer accounts for all of it.

`search.exact.relax` has a pass of its own, for other sets and another rounding contract: it says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from scipy.sparse import csr_array

from relucert_core.certificates.over_balls.centre import Centre, norms_above
from relucert_core.certificates.over_balls.halves import Halves
from relucert_core.certificates.over_balls.halves import times as times_csr
from relucert_core.certificates.over_balls.relaxations import Relaxation
from relucert_core.layers import Affine, Sparse
from relucert_core.norms import dual
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above, gamma, sum_above


@dataclass(frozen=True, eq=False)
class RelaxedLayer:
    """The lines of one hidden layer, for the `kept` (n,) neurons that are not proved off in all T balls.

    doubt (T, n): the error of the value for each unit of |coefficient| on a neuron. onward: the next layer's halves,
    restricted to the kept neurons.
    """

    kept: torch.Tensor
    lines: Relaxation
    drift: torch.Tensor
    doubt: torch.Tensor
    onward: Halves


@dataclass(frozen=True, eq=False)
class Pass:
    """T balls around the centres `index` (T,), with `radii` (T,), and the hidden layers relaxed so far.

    lag (T, N): how much looser the bounds of the next layer may be than the exact method's, because the lines are.
    """

    centre: Centre
    index: torch.Tensor
    radii: torch.Tensor
    layers: tuple[RelaxedLayer, ...] = ()
    lag: torch.Tensor | None = None

    def with_lines(self, lines: Relaxation) -> Pass:
        """The pass with one more hidden layer relaxed: `lines` (T, N) for all its neurons."""
        depth = len(self.layers)
        kept = lines.alive.any(0).nonzero().squeeze(1)
        lines = Relaxation(*(values[:, kept] for values in vars(lines).values()))
        onward = self.centre.halves(depth + 1).of_inputs(kept)
        drift = self._drift(kept)
        behind = lines.gap if self.lag is None else lines.gap + self.lag[:, kept]
        behind = torch.where(lines.alive, behind, 0.0)
        lag = sum_above(onward.both(behind), len(kept) + 2)
        width = max(*self.centre.net.outputs, self.centre.net.inputs)
        factor = 4 * gamma(width + 16)
        doubt = sum_above(lines.doubt + factor * drift + 16 * UNIT_ROUNDOFF * lines.spread, 4)
        doubt = torch.where(lines.alive, doubt, 0.0)  # one that is off in this ball is kept for another's sake
        layer = RelaxedLayer(kept, lines, drift, doubt, onward)
        return replace(self, layers=(*self.layers, layer), lag=lag)

    def _drift(self, kept: torch.Tensor) -> torch.Tensor:
        """(T, n): how far the kept pre-activations of the next layer may move in the ball, |W| spread."""
        if not self.layers:
            return above(self.radii.unsqueeze(-1) * self.centre.row_norms[1][kept])
        top = self.layers[-1]
        return sum_above(top.onward.both(top.lines.spread), len(top.kept) + 2)[:, kept]

    @property
    def underflow(self) -> torch.Tensor:
        """(T, 1): covers every product that underflows on the way back, however many coefficients there are."""
        net = self.centre.net
        count = float(sum(net.outputs) + net.inputs + net.classes)
        moved = self.radii + sum(layer.lines.spread.sum(-1) for layer in self.layers)
        return above((1 + moved) * (SMALLEST * 8 * count * count)).unsqueeze(-1)


@dataclass(frozen=True, eq=False)
class Reach:
    """How far functionals may lie below and above their value at the centre, (T, R) each, rounded up.

    slack: by how much these are looser than the same bounds in exact arithmetic with the same lines.
    """

    down: torch.Tensor
    up: torch.Tensor
    slack: torch.Tensor


def carry_back(state: Pass, rows: torch.Tensor, *, parallel: bool, lower_only: bool = False) -> Reach:
    """The reach of functionals `rows` (T or 1, R, N) of the outputs of the last relaxed layer.

    parallel: both lines have one slope, so the two bounds share their coefficients. lower_only: `up` is not computed.
    """
    start = rows[..., state.layers[-1].kept]
    shared = parallel or lower_only
    sides = [start] if shared else [start, start]
    losses = [torch.zeros((), dtype=rows.dtype)] * (1 if lower_only else 2)
    doubts = list(losses)
    for depth in range(len(state.layers) - 1, -1, -1):
        layer = state.layers[depth]
        through = picked_weight(
            state.centre.net.affine[depth], layer.kept, state.layers[depth - 1].kept if depth else None
        )
        slopes = (layer.lines.slope_below.unsqueeze(1), layer.lines.slope_above.unsqueeze(1))
        split = [(side.clamp(min=0.0), side.clamp(max=0.0).neg()) for side in sides]
        for side in range(len(losses)):
            positive, negative = split[min(side, len(split) - 1)]
            losses[side] = losses[side] + side_loss(layer.lines, positive, negative, side)
            doubts[side] = doubts[side] + times(positive + negative, layer.doubt)
        for side, (positive, negative) in enumerate(split):
            moved = positive * slopes[side] - negative * slopes[1 - side]
            sides[side] = through(moved.flatten(0, 1)).unflatten(0, moved.shape[:2])
    return close(state, sides, losses, doubts)


def picked_weight(
    layer: Affine, outputs: torch.Tensor, inputs: torch.Tensor | None
) -> Callable[[torch.Tensor], torch.Tensor]:
    """rows (R, n) -> rows W (R, m), for the weights W of some outputs (n,) and inputs (m,) of a layer (None: all)."""
    if isinstance(layer, Sparse):
        matrix = layer.matrix[outputs.numpy()]
        turned = csr_array((matrix if inputs is None else matrix[:, inputs.numpy()]).T)
        return lambda rows: times_csr(turned, rows)
    weight = layer.weight[outputs] if inputs is None else layer.weight[outputs.unsqueeze(-1), inputs]
    return lambda rows: rows @ weight


def side_loss(lines: Relaxation, positive: torch.Tensor, negative: torch.Tensor, side: int) -> torch.Tensor:
    """(T, R): what the lines lose at the centre, for coefficients positive - negative; side 0 is the lower bound."""
    losses = (lines.loss_below, lines.loss_above)
    return times(positive, losses[side]) + times(negative, losses[1 - side])


def times(rows: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """(T or 1, R, n) times (T, n) -> (T, R)."""
    if rows.shape[0] == 1:
        return vector @ rows[0].T
    return (rows @ vector.unsqueeze(-1)).squeeze(-1)


def close(state: Pass, ends: list[torch.Tensor], losses: list[torch.Tensor], doubts: list[torch.Tensor]) -> Reach:
    """Add up losses, doubts and r ||coefficients at the input||_dual; `ends` (T, R, D), one or two of them."""
    radii, spare = state.radii.unsqueeze(-1), state.underflow
    terms = max(*state.centre.net.outputs, state.centre.net.inputs) + 16 + len(state.layers)
    lengths = [above(radii * norms_above(end, dual(state.centre.norm))) for end in ends]
    totals = [
        sum_above(loss + doubt + spare + lengths[min(side, len(lengths) - 1)], terms)
        for side, (loss, doubt) in enumerate(zip(losses, doubts, strict=True))
    ]
    slacks = [above(2 * (doubt + spare)) + 16 * gamma(terms) * total for doubt, total in zip(doubts, totals)]
    return Reach(totals[0], totals[-1], torch.maximum(slacks[0], slacks[-1]))
