"""The first layer around one point: the neurons that are not proved off in a ball, and how they lie to each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.over_balls.centre import Centre
from relucert_core.certificates.over_balls.relaxations import LayerBounds
from relucert_core.rounding import above


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """n neurons of the first layer that may be on somewhere in the ball of `radius` around the centre.

    kept (n,) int64: which they are. rows (n, D): their weights; norms (n,): upper bounds on their L2 norms; gram (n,
    n): the computed products of the rows, exactly symmetric. values (n,): the computed pre-activations at the centre;
    reach (n,): radius times norm, rounded up. open (n,) bool: not proved on everywhere in the ball;
    what passes no ReLU counts as on.
    """

    kept: torch.Tensor
    rows: torch.Tensor
    norms: torch.Tensor
    gram: torch.Tensor
    values: torch.Tensor
    reach: torch.Tensor
    open: torch.Tensor
    radius: float


def gram_of(centre: Centre) -> torch.Tensor:
    """(N_1, N_1): the computed products of all rows of W^(1), exactly symmetric."""
    weight = centre.net.affine[0].weight
    lower = (weight @ weight.T).tril()
    return lower + lower.tril(-1).T


def first_layer(
    centre: Centre, gram: torch.Tensor, radius: float, bounds: LayerBounds, kept: torch.Tensor
) -> FirstLayer:
    """The neurons `kept` (n,), bounded by `bounds` (1, N_1) over the ball around the first centre."""
    norms, carried = centre.row_norms[1][kept], centre.net.affine[0].carried
    open_ = ~(bounds.lower[0][kept] >= 0)
    return FirstLayer(
        kept=kept,
        rows=centre.net.affine[0].weight[kept],
        norms=norms,
        gram=gram.index_select(0, kept).index_select(1, kept),
        values=centre.forward.values[0][0][kept],
        reach=above(radius * norms),
        open=open_ if carried is None else open_ & ~carried[kept],
        radius=radius,
    )
