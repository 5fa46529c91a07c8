"""The first layer around one point: the neurons that are not proved off in a ball, and how they lie to each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from relucert_core.certificates.over_balls.centre import Centre
from relucert_core.certificates.over_balls.relaxations import LayerBounds
from relucert_core.rounding import above

_WIDE = 2  # neurons for each input from which products of all pairs of rows are not kept


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """n neurons of the first layer that may be on somewhere in the ball of `radius` around the centre.

    kept (n,) int64: which they are. rows (n, D): their weights; norms (n,): upper bounds on their L2 norms; gram (n,
    n): the computed products of the rows, exactly symmetric, or None where D is much smaller than n. values (n,): the
    computed pre-activations at the centre; reach (n,): radius times norm, rounded up. open (n,) bool: not proved on
    everywhere in the ball; what passes no ReLU counts as on.
    """

    kept: torch.Tensor
    rows: torch.Tensor
    norms: torch.Tensor
    gram: torch.Tensor | None
    values: torch.Tensor
    reach: torch.Tensor
    open: torch.Tensor
    radius: float

    def along(self, coefficients: torch.Tensor) -> torch.Tensor:
        """C W W' for C (R, n): the products of the vectors W'c with the rows, as computed."""
        return (coefficients @ self.rows) @ self.rows.T if self.gram is None else coefficients @ self.gram


def gram_of(centre: Centre) -> torch.Tensor | None:
    """(N_1, N_1): the computed products of all rows of W^(1), exactly symmetric.

    None for a layer of many more neurons than inputs, such as a convolution: D x D matrices are the smaller ones there.
    """
    weight = centre.net.affine[0].weight
    if len(weight) > _WIDE * weight.shape[1]:
        return None
    lower = (weight @ weight.T).tril()
    return lower + lower.tril(-1).T


def first_layer(
    centre: Centre, gram: torch.Tensor | None, radius: float, bounds: LayerBounds, kept: torch.Tensor
) -> FirstLayer:
    """The neurons `kept` (n,), bounded by `bounds` (1, N_1) over the ball around the first centre."""
    norms, carried = centre.row_norms[1][kept], centre.net.affine[0].carried
    open_ = ~(bounds.lower[0][kept] >= 0)
    return FirstLayer(
        kept=kept,
        rows=centre.net.affine[0].weight[kept],
        norms=norms,
        gram=None if gram is None else gram.index_select(0, kept).index_select(1, kept),
        values=centre.forward.values[0][0][kept],
        reach=above(radius * norms),
        open=open_ if carried is None else open_ & ~carried[kept],
        radius=radius,
    )
