"""Where a linear relaxation over a ball loses: layer by layer and neuron by neuron, for the rival that stops it.

CROWN-Ada's bound on f_k - f_j over a ball is, with A the coefficients carried back to a hidden layer (`linear_pass`),
    f_k(u) - f_j(u) - sum over layers and neurons (A+ loss_below + A- loss_above) - r ||those at the input||_dual.
Every term of the sum is what one neuron's pair of lines costs, 0 for a neuron that cannot switch in the ball. Nothing
here is rounded outward: it explains a proof, it proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.arrays import Norm, Numbers
from relucert_core.certificates.linear_bounds import CROWN_ADA, climb, relaxed
from relucert_core.certificates.over_balls.centre import centre
from relucert_core.certificates.over_balls.linear_pass import Pass, picked_weight
from relucert_core.network import Network, as_points
from relucert_core.norms import check_norm, dual, row_norms

MOST_NEURONS = 5


@dataclass(frozen=True)
class LayerLoss:
    """What the lines around one hidden layer's ReLUs cost.

    layer: counted from 1. open: the neurons that may switch in the ball, of `neurons`. loss: in units of the scores.
    worst: (neuron, loss) of those that cost most, the worst first; neurons count from 0.
    """

    layer: int
    open: int
    neurons: int
    loss: float
    worst: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Losses:
    """The lead of `label` over `rival` at the centre, and what becomes of it over the ball.

    lead - sum of the layers' losses - reach is CROWN-Ada's lower bound on the lead over the ball; reach: r times the
    dual norm of the coefficients at the input.
    """

    radius: float
    label: int
    rival: int
    lead: float
    reach: float
    layers: tuple[LayerLoss, ...]

    @property
    def bound(self) -> float:
        """The lower bound on the lead over the ball; negative where the relaxation proves nothing there."""
        return self.lead - sum(layer.loss for layer in self.layers) - self.reach

    @property
    def worst_layer(self) -> LayerLoss | None:
        """The layer whose lines cost most; None where no neuron may switch."""
        worst = max(self.layers, key=lambda layer: layer.loss, default=None)
        return worst if worst is not None and worst.loss > 0 else None

    def share(self, layer: LayerLoss) -> float:
        """Which part of all the lines' cost is this layer's."""
        total = sum(one.loss for one in self.layers)
        return layer.loss / total if total > 0 else 0.0


def linear_losses(net: Network, x: Numbers, radius: float, norm: Norm = 2) -> Losses:
    """What CROWN-Ada's relaxation loses over the ball of `radius` around x, one point (D,), against its worst rival.

    The worst rival has the smallest bound on the lead. Raises InvalidInput for a bad point or norm.
    """
    points, _ = as_points(net, x)
    where = centre(net, points[:1], check_norm(norm), None)
    state, found = climb(Pass(where, torch.tensor([0]), torch.tensor([float(radius)], dtype=torch.float64)), CROWN_ADA)
    state = relaxed(state, found[-1], CROWN_ADA)
    values, label = where.forward.values[-1][0], int(where.margins.label[0])
    rivals = [j for j in range(net.classes) if j != label]
    rows = where.rivals[0, rivals]
    costs, ends = _carried(state, rows)
    reach = radius * row_norms(ends, dual(where.norm))
    leads = values[label] - values[rivals]
    worst = int((leads - sum(cost.sum(-1) for cost in costs) - reach).argmin())
    layers = tuple(_layer(state, depth, cost[worst]) for depth, cost in enumerate(costs))
    return Losses(float(radius), label, rivals[worst], float(leads[worst]), float(reach[worst]), layers)


def _carried(state: Pass, rows: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """For functionals (R, N) of the last hidden layer's outputs costs (R, n) a layer, and coefficients (R, D)."""
    side, costs = rows[:, state.layers[-1].kept], list[torch.Tensor]()
    for depth in range(len(state.layers) - 1, -1, -1):
        layer = state.layers[depth]
        positive, negative = side.clamp(min=0.0), side.clamp(max=0.0).neg()
        costs.insert(0, positive * layer.lines.loss_below[0] + negative * layer.lines.loss_above[0])
        moved = positive * layer.lines.slope_below[0] - negative * layer.lines.slope_above[0]
        below = state.layers[depth - 1].kept if depth else None
        side = picked_weight(state.centre.net.affine[depth], layer.kept, below)(moved)
    return costs, side


def _layer(state: Pass, depth: int, cost: torch.Tensor) -> LayerLoss:
    """The record of a hidden layer, counted from 0, from the costs (n,) of its kept neurons."""
    relaxed_layer = state.layers[depth]
    order = cost.argsort(descending=True)[:MOST_NEURONS].tolist()
    worst = tuple((int(relaxed_layer.kept[i]), float(cost[i])) for i in order if float(cost[i]) > 0)
    lines = relaxed_layer.lines
    open_ = int(((lines.slope_above[0] > 0) & (lines.slope_above[0] < 1)).sum())
    return LayerLoss(depth + 1, open_, state.centre.net.outputs[depth], float(cost.sum()), worst)
