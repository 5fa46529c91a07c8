"""The forward pass: as it is, in float64 with a proven bound on its error, and in rational arithmetic.

Every other module takes z^(1), ..., z^(M) from here, and the sign of a neuron with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from relucert_core.layers import Affine, Dense, Sparse, rectified
from relucert_core.network import Network
from relucert_core.rounding import above, dot_error, gamma, norm_above, sum_above


class AffineLayer(Protocol):
    """Anything with a `weight` (out, in) and a `bias` (out,): our Dense, torch's Linear."""

    @property
    def weight(self) -> Any:
        """(out, in)."""

    @property
    def bias(self) -> Any:
        """(out,)."""


def affine_layers(module: Network | torch.nn.Module | Sequence[AffineLayer]) -> list[AffineLayer]:
    """The affine layers of a Network, of a Sequential of Linear and ReLU, or of a plain sequence of layers."""
    if isinstance(module, Network):
        return list(module.affine)
    if isinstance(module, torch.nn.Module):
        return [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    return list(module)


def hidden_values(layers: Sequence[AffineLayer], points: torch.Tensor) -> list[torch.Tensor]:
    """z^(1), ..., z^(M), (B, D) -> [(B, N_i)]; differentiable in weights and points."""
    hidden, values = points, []
    for layer in layers:
        values.append(apply(layer, hidden))
        hidden = rectified(values[-1], carried(layer))
    return values


def apply(layer: AffineLayer, hidden: torch.Tensor) -> torch.Tensor:
    """W h + b, (..., in) -> (..., out), by the layer's own product where it is sparse."""
    if isinstance(layer, Sparse):
        return layer(hidden)
    return torch.nn.functional.linear(hidden, layer.weight, layer.bias)


def carried(layer: AffineLayer) -> torch.Tensor | None:
    """Which outputs of a layer pass no ReLU, (out,) bool; None: all pass one (as torch's layers in turn do)."""
    return layer.carried if isinstance(layer, (Dense, Sparse)) else None


class ProvenForward(NamedTuple):
    """A forward pass with a proven bound on its error.

    values: z^(1), ..., z^(M), (B, N_i), as computed. errors: the same shapes; |computed - exact| <= error.
    """

    values: list[torch.Tensor]
    errors: list[torch.Tensor]


def proven_forward(net: Network, points: torch.Tensor) -> ProvenForward:
    """The pre-activations of a batch (B, D) with running error bounds; the points are taken as exact.

    A product with an exact zero and the addition of an exact zero are exact, so only the non-zero inputs of a layer
    count as terms. Errors of the layers below are carried on both by |W| and, with a bound on their L2 norm, by the
    rows' norms: |W| alone is worse in deep networks. Costs a second pass with |W|. Overflow shows as an infinite or
    NaN error.
    """
    hidden, error = points, torch.zeros_like(points)
    length = points.new_zeros(len(points), 1)  # bounds the L2 norm of the error of `hidden`
    values: list[torch.Tensor] = []
    errors: list[torch.Tensor] = []
    for layer in net.affine:
        terms = int((hidden != 0).sum(-1).max()) + 1 if len(hidden) else 1
        absolute = layer.sizes(hidden.abs(), layer.bias.abs())
        bound = dot_error(absolute, terms)
        if values:
            passed = sum_above(layer.sizes(error), layer.terms)
            together = above(above(length * layer.spectral) + norm_above(bound, 2.0).unsqueeze(-1))
            bound = above(bound + torch.minimum(passed, above(length * layer.row_norms)))
        values.append(layer(hidden))
        errors.append(bound)
        hidden = layer.rectify(values[-1])
        error = torch.where(layer.off(values[-1], bound), 0.0, bound)  # a neuron proved to be off is exactly 0
        length = norm_above(error, 2.0).unsqueeze(-1)
        if len(values) > 1:
            length = torch.minimum(length, together)
    return ProvenForward(values, errors)


class QuickForward(NamedTuple):
    """As `ProvenForward`, in NumPy."""

    values: list[np.ndarray]
    errors: list[np.ndarray]


_DEAR = 3  # a weight that is picked costs as much as three that are read in order


def quick_forward(net: Network, points: torch.Tensor) -> QuickForward:
    """As `proven_forward`, with the products |W| |h| bounded by the rows' norms (Cauchy-Schwarz).

    The errors are a few times larger and cost next to nothing: with H >= ||h||_2 and E >= the L2 error of h, neuron i
    errs by at most ||W_i|| (g H + E) + g |b_i|, g a little above gamma_n, and all of them together by at most
    ||W||_2 E + g (||W||_F H + ||b||_2). What underflow can add is counted in `LayerArrays`' sizes of the bias.
    """
    hidden = points.numpy()
    hidden = hidden[0] if len(hidden) == 1 else hidden  # one point: H and E are plain floats, which are quicker
    error: Any = 0.0
    values, errors = [], []
    with np.errstate(all="ignore"):  # overflow shows in the errors
        for layer in net.affine:
            own = layer.arrays
            size, product, terms = _length(hidden), *_product(layer, hidden)
            g = gamma(terms + 3) * _SLACK
            product += own.bias
            values.append(product)
            errors.append((size * g + error) * _SLACK * own.row_norms + g * own.bias_sizes)
            error = (error * own.spectral + (size * own.frobenius + own.bias_norm) * g) * _SLACK
            hidden = own.rectify(product)
    return QuickForward([np.atleast_2d(z) for z in values], [np.atleast_2d(e) for e in errors])


_SLACK = 1 + 2.0**-40


def _product(layer: Affine, hidden: np.ndarray) -> tuple[np.ndarray, int]:
    """h -> W h for (in,) or (B, in), and how many terms a sum has; for one point the weights of zeros aren't read."""
    if isinstance(layer, Sparse):
        return np.ascontiguousarray((layer.matrix @ hidden.T).T), layer.terms
    if hidden.ndim > 1:
        found = torch.nn.functional.linear(torch.from_numpy(hidden), layer.weight)
        return found.numpy(), int(np.count_nonzero(hidden, axis=1).max(initial=0))
    used = hidden.nonzero()[0]
    if _DEAR * len(used) < len(hidden):
        return hidden[used] @ layer.arrays.columns.take(used, axis=0), len(used)
    return layer.arrays.weight @ hidden, len(used)


def _length(hidden: np.ndarray) -> Any:
    """An upper bound on the L2 norm of (n,), a float, or on those of the rows of (B, n), (B, 1)."""
    if hidden.ndim == 1:
        square = float(hidden @ hidden)
        if 1e-200 < square < 1e200:
            return math.sqrt(square) * (1 + gamma(len(hidden) + 8))
        return float(norm_above(torch.from_numpy(hidden), 2.0))
    squares = np.einsum("ij,ij->i", hidden, hidden)[:, None]
    if ((squares > 1e-200) & (squares < 1e200)).all():
        return np.sqrt(squares) * (1 + gamma(hidden.shape[1] + 8))
    return norm_above(torch.from_numpy(hidden), 2.0).unsqueeze(-1).numpy()


def rational_logits(net: Network, point: torch.Tensor) -> list[Fraction]:
    """f(point) without rounding, for a point (D,)."""
    hidden = [Fraction(x) for x in point.tolist()]
    for layer in net.layers:
        terms = [[Fraction(w) * hidden[j] for j, w in row if hidden[j]] for row in layer.weights_by_row()]
        hidden = [sum(term, Fraction(b)) for term, b in zip(terms, layer.bias.tolist(), strict=True)]
        if layer.rectified is not None:
            kept = zip(hidden, layer.rectified.tolist(), strict=True)
            hidden = [max(value, Fraction(0)) if rectified else value for value, rectified in kept]
    return hidden
