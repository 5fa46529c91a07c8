"""Algorithm 1: from a point to its activation pattern, local affine map and half-spaces.

Inside S(theta) = {x : P x + q >= 0} every neuron keeps its sign and f(x) = C x + d (Theorems 1 and 2, Corollary 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from relucert_core.arrays import Matrix, Numbers, Signs, Vector
from relucert_core.errors import InvalidInput
from relucert_core.forward import AffineLayer, back, times
from relucert_core.layers import Sparse, active
from relucert_core.network import Network, as_points


@dataclass(frozen=True, eq=False)
class ActivationRegion:
    """The activation region of one point, as Algorithm 1 returns it.

    pattern: M - 1 bool arrays (N_i,), theta; True where z > 0.
    P, q: (N, D) and (N,), N = sum N_i: the half-spaces P x + q >= 0, one for each hidden neuron, layer by layer.
    C, d: (K, D) and (K,): f(x) = C x + d on the region (W^theta and b^theta of the paper).
    """

    point: Vector
    pattern: tuple[Signs, ...]
    P: Matrix
    q: Vector
    C: Matrix
    d: Vector

    def place(self, row: int) -> tuple[int, int]:
        """The (layer, neuron) of a row of P: layers count from 1 as in the paper, neurons from 0."""
        for layer, signs in enumerate(self.pattern, start=1):
            if row < len(signs):
                return layer, row
            row -= len(signs)
        raise InvalidInput(f"The region has {len(self.P)} rows; row {row + len(self.P)} is none of them.")


def activation_region(net: Network, point: Numbers) -> ActivationRegion:
    """Algorithm 1 as printed, at one point (D,). Raises InvalidInput for another shape or a number that isn't finite.

    A neuron exactly on its face (z = 0) counts as off, see `layers.active`. Outputs that a layer carries on
    without a ReLU have no half-space and no place in the pattern. Cost: one product of N_{i+1} x N_i by
    N_i x D for each layer. float64, not rounded outward: certificates bound the error themselves.
    """
    points, single = as_points(net, point)
    if not single:
        raise InvalidInput(f"activation_region takes one point ({net.inputs},); a batch of {len(points)} came.")
    pattern, half_spaces = [], []
    hidden = points[0]
    rows, offsets = net.affine[0].weight, net.affine[0].bias
    for layer, following in zip(net.affine, net.affine[1:], strict=False):
        values = layer(hidden)
        on = active(values)
        signs = 2.0 * on - 1.0
        if layer.carried is None:
            half_spaces.append((signs[:, None] * rows, signs * offsets))
            pattern.append(on.numpy())
        else:  # what is carried on has no face, and is always on
            own = ~layer.carried
            half_spaces.append((signs[own, None] * rows[own], signs[own] * offsets[own]))
            pattern.append(on[own].numpy())
            on = on | layer.carried
        hidden = values * on
        rows = following.times(on[:, None] * rows)
        passed = on * offsets
        sparse = isinstance(following, Sparse)
        offsets = following(passed) if sparse else following.weight @ passed + following.bias
    faces = [torch.cat(parts).numpy() for parts in zip(*half_spaces, strict=True)]
    return ActivationRegion(points[0].numpy(), tuple(pattern), faces[0], faces[1], rows.numpy(), offsets.numpy())


def forward_rows(layers: Sequence[AffineLayer], masks: Sequence[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The local gradients of z^(1), ..., z^(M): (B, N_i, D) each, by Algorithm 1's recursion C <- W diag(theta) C.

    `masks`: M - 1 tensors (B, N_i), 1 where a neuron is on.
    """
    rows = layers[0].weight.expand(masks[0].shape[0], -1, -1)
    yield rows
    for layer, mask in zip(layers[1:], masks, strict=True):
        rows = times(layer, mask.unsqueeze(-1) * rows)
        yield rows


def backward_rows(layers: Sequence[AffineLayer], masks: Sequence[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """Carry rows (B, R, N_m) over the outputs of hidden layer m = len(masks) back to the input: (B, R, D).

    The same products as `forward_rows` in the other order: cheap when R is small.
    """
    for layer, mask in zip(reversed(layers[: len(masks)]), reversed(masks), strict=True):
        rows = back(layer, rows * mask.unsqueeze(1))
    return rows
