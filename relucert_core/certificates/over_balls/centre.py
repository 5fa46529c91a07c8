"""What every bound over a ball needs of the ball's centre, computed once for all trial radii.

The bounds of this package are written as deviations from the centre: z(x) = z(u) + W (a(x) - a(u)). Biases and the
point itself then drop out, all sums have terms of one sign, and the rounding errors shrink with the radius.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from relucert_core.certificates.margins import Margins, margins
from relucert_core.certificates.over_balls.halves import Halves
from relucert_core.forward import ProvenForward, activation_masks, proven_forward, rational_value
from relucert_core.layers import Sparse
from relucert_core.network import Network
from relucert_core.norms import dual, row_norms
from relucert_core.region import backward_rows
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, norm_above

_SAFE_LENGTHS = (1e-100, 1e100)
BLOCK_NUMBERS = 2**17


def lowered(value: torch.Tensor) -> torch.Tensor:
    """A float <= the real number that one rounded sum turned into `value`, whatever its sign."""
    return value - (value.abs() * (4 * UNIT_ROUNDOFF) + SMALLEST)


def raised(value: torch.Tensor) -> torch.Tensor:
    """A float >= the real number that one rounded sum turned into `value`, whatever its sign."""
    return value + (value.abs() * (4 * UNIT_ROUNDOFF) + SMALLEST)


def norms_above(rows: torch.Tensor, order: float) -> torch.Tensor:
    """`rounding.norm_above` with a fast path for norm 2: rows are rescaled only where a square may leave the range."""
    if order != 2:
        return norm_above(rows, order)
    # The root of a sum of squares in some order errs by gamma_n / 2 and two roundings; four times that is allowed.
    # Above 1e-100 one unit of the sum's last place dwarfs whatever squares below 1e-308 lost to underflow.
    length = torch.linalg.vector_norm(rows, dim=-1)
    bound = length * (1 + 2 * (rows.shape[-1] + 8) * UNIT_ROUNDOFF)
    odd = ~((length > _SAFE_LENGTHS[0]) & (length < _SAFE_LENGTHS[1]))
    if odd.any():
        bound[odd] = norm_above(rows[odd], 2.0)
    return bound


@dataclass(frozen=True, eq=False)
class Centre:
    """The centres of a batch of balls in `norm`, with everything that does not depend on the radius.

    points (B, D); forward: their proven forward pass; margins: who wins and by how much.
    row_norms: proven (lower, upper) bounds (N_1,) on the dual norms of the rows of W^(1).
    """

    net: Network
    norm: float
    points: torch.Tensor
    forward: ProvenForward
    margins: Margins
    row_norms: tuple[torch.Tensor, torch.Tensor]

    @property
    def gaps(self) -> torch.Tensor:
        """(B, K): proven lower bounds on f_label - f_j, infinite at the label."""
        return self.margins.lower

    @cached_property
    def _halves(self) -> dict[int, Halves]:
        return {}

    def halves(self, layer: int) -> Halves:
        """W+ and W- of a layer (counted from 0); made when first asked for."""
        if layer not in self._halves:
            self._halves[layer] = Halves.of(self.net.affine[layer])
        return self._halves[layer]

    @cached_property
    def rivals(self) -> torch.Tensor:
        """(B, K, N_{M-1}): the rows W_label - W_j, each entry rounded once; zero at the label itself."""
        last = self.net.affine[-1].weight
        return last[self.margins.label].unsqueeze(1) - last

    @cached_property
    def signs(self) -> torch.Tensor:
        """(B, N_1): 1 where a neuron of the first layer is on at the centre, as computed, else 0."""
        return activation_masks(self.net.affine, self.forward.values)[0]

    @cached_property
    def lean(self) -> torch.Tensor:
        """(B, N_1): CROWN-Ada's lower slope in the first layer, 1 for u >= |l|, which means z^(1) >= 0 at the centre.

        Proved: where rounding leaves it open, by fractions.
        """
        values, errors = self.forward.values[0], self.forward.errors[0]
        lean = (values >= 0).to(torch.float64)
        first = self.net.affine[0]
        open_ = ~(values.abs() > errors) & torch.isfinite(values) & (self.row_norms[1] > 0)
        if first.carried is not None:  # always on, whatever its value
            lean, open_ = torch.where(first.carried, 1.0, lean), open_ & ~first.carried
        for b, n in open_.nonzero().tolist():
            lean[b, n] = float(rational_value(first.rows([n])[0], self.points[b], first.bias[n]) >= 0)
        return lean

    @cached_property
    def jacobian(self) -> torch.Tensor:
        """(B, N_2, D): the rows W^(2) diag(signs) W^(1), the gradients of the second layer at the centre."""
        first, second = self.net.affine[0], self.net.affine[1]
        if isinstance(first, Sparse) and isinstance(second, Sparse):
            return torch.stack([_sparse_jacobian(first, second, on.numpy()) for on in self.signs])
        rows = torch.empty(len(self.points), second.outputs, first.inputs, dtype=torch.float64)
        for block in blocks(len(self.points), second.weight.numel()):
            on = self.signs[block]
            used = on.amax(0) > 0
            coefficients = second.weight[:, used] * on[:, used].unsqueeze(1)
            rows[block] = (coefficients.flatten(0, 1) @ first.weight[used]).view(len(on), second.outputs, -1)
        return rows

    @cached_property
    def jacobian_norms(self) -> torch.Tensor:
        """(B, N_2): upper bounds on the dual norms of the computed rows of `jacobian`."""
        return norms_above(self.jacobian, dual(self.norm))

    @cached_property
    def local_distance(self) -> torch.Tensor:
        """(B,): the distance to the local affine map's nearest decision plane: a first guess, no bound either way."""
        masks = activation_masks(self.net.affine, self.forward.values)
        sizes = row_norms(backward_rows(self.net.affine[:-1], masks, self.rivals), dual(self.norm))
        return torch.where(sizes > 0, self.gaps / torch.where(sizes > 0, sizes, 1.0), torch.inf).amin(-1)


def _sparse_jacobian(first: Sparse, second: Sparse, on: np.ndarray) -> torch.Tensor:
    """(N_2, D): W^(2) diag(on) W^(1) of two sparse layers, on (N_1,)."""
    product = (second.matrix * on[None]) @ first.matrix
    return torch.from_numpy(product.toarray())


def centre(net: Network, points: torch.Tensor, norm: float, labels: torch.Tensor | None) -> Centre:
    """The centre of balls around `points` (B, D) in `norm`, for the labels (B,) or the predicted classes."""
    forward = proven_forward(net, points)
    order, first = dual(norm), net.affine[0]
    return Centre(
        net, norm, points, forward, margins(forward, labels), (first.row_sizes_below(order), first.row_sizes(order))
    )


def blocks(count: int, size: int) -> list[slice]:
    """Slices that cut `count` cases of `size` numbers each into pieces that stay in the processor's cache.

    One case at a time for large networks: its dead neurons are then dropped for it alone.
    """
    step = max(1, BLOCK_NUMBERS // max(1, size))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]
