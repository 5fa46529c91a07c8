"""The second layer's bounds with little work: most neurons are settled before any matrix product.

The coefficients at the input of a row of W^(2) are those of the gradient at the centre, J = W^(2) diag(theta) W^(1),
plus E W^(1), where E is non-zero only for the neurons of the first layer that can switch in the ball. J does not
depend on the radius. The triangle inequality ||J_i + E_i W^(1)|| <= ||J_i|| + sum_j |E_ij| ||W_j^(1)|| gives each row
a quick bound, never tighter than the method's own. A row that it proves stable is stable for the method too, and a
stable ReLU has the same lines whatever its bounds are. Only the other rows are carried back, through the columns that
can switch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.over_balls.linear_pass import Pass, Reach, close
from relucert_core.rounding import above, sum_above


@dataclass(frozen=True, eq=False)
class SecondLayer:
    """A pass with one relaxed layer, and what its lines cost each row of W^(2): losses (below, above), doubt, (T, N_2).

    moved: two (T, N_2), bounds on r ||E W^(1)|| of the lower and of the upper bound's coefficients.
    """

    state: Pass
    losses: tuple[torch.Tensor, torch.Tensor]
    doubt: torch.Tensor
    moved: tuple[torch.Tensor, torch.Tensor]

    def quick_reach(self) -> Reach:
        """The quick bound for all rows. Its slack is not bounded (0): it only ever settles stable neurons."""
        state = self.state
        base = above(state.radii.unsqueeze(-1) * state.centre.jacobian_norms[state.index]) + state.underflow
        down, up = (
            sum_above(loss + self.doubt + moved + base, 2 * len(state.layers[0].kept) + 16)
            for loss, moved in zip(self.losses, self.moved, strict=True)
        )
        return Reach(down, up, torch.zeros_like(down))

    def carry_rows(self, rows: torch.Tensor, *, parallel: bool) -> Reach:
        """`carry_back` for the rows `rows` (R,): the gradient at the centre plus the columns that can switch."""
        state, layer = self.state, self.state.layers[0]
        steps = _steps(state)
        switching = ((steps[0] != 0) | (steps[1] != 0)).any(0).nonzero().squeeze(1)
        steps = [step[:, switching].unsqueeze(1) for step in steps]
        positive, negative = layer.onward.block(switching, rows)
        weight = state.centre.net.affine[0].rows(layer.kept[switching])
        base = state.centre.jacobian[state.index.unsqueeze(-1), rows].flatten(0, 1)
        ends = []
        for side in (0,) if parallel else (0, 1):
            changed = positive * steps[side] - negative * steps[1 - side]
            ends.append(torch.addmm(base, changed.flatten(0, 1), weight).unflatten(0, changed.shape[:2]))
        doubt = self.doubt[:, rows]
        return close(state, ends, [loss[:, rows] for loss in self.losses], [doubt, doubt])


def second_layer(state: Pass) -> SecondLayer:
    """The costs of all rows of W^(2), from a pass with one relaxed layer: one thin product with W+ and one with W-."""
    layer, lines = state.layers[0], state.layers[0].lines
    below, over = (step.abs() * layer.drift for step in _steps(state))
    costs = torch.cat([lines.loss_below, lines.loss_above, below, over, layer.doubt])
    plus, minus = layer.onward.plus(costs).chunk(5), layer.onward.minus(costs).chunk(5)
    losses = (plus[0] + minus[1], plus[1] + minus[0])
    return SecondLayer(state, losses, plus[4] + minus[4], (plus[2] + minus[3], plus[3] + minus[2]))


def _steps(state: Pass) -> list[torch.Tensor]:
    """By how much each line's slope differs from the neuron's own at the centre, below and above, (T, n) each."""
    own = state.centre.signs[state.index][:, state.layers[0].kept]
    return [slope - own for slope in (state.layers[0].lines.slope_below, state.layers[0].lines.slope_above)]
