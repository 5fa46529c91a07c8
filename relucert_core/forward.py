"""The forward pass: as it is, in float64 with a proven bound on its error, and in rational arithmetic.

Every other module takes z^(1), ..., z^(M) from here, and the sign of a neuron with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import torch

from relucert_core.layers import Affine, Dense, Sparse, active, rectified
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


def times(layer: AffineLayer, columns: torch.Tensor) -> torch.Tensor:
    """W X for X (..., in, n) -> (..., out, n)."""
    return layer.times(columns) if isinstance(layer, Sparse) else layer.weight @ columns


def back(layer: AffineLayer, rows: torch.Tensor) -> torch.Tensor:
    """rows W, (..., out) -> (..., in)."""
    return layer.back(rows) if isinstance(layer, Sparse) else rows @ layer.weight


def carried(layer: AffineLayer) -> torch.Tensor | None:
    """Which outputs of a layer pass no ReLU, (out,) bool; None: all pass one (as torch's layers in turn do)."""
    return layer.carried if isinstance(layer, (Dense, Sparse)) else None


_Array = TypeVar("_Array", torch.Tensor, np.ndarray)


def activation_masks(layers: Sequence[AffineLayer], values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """From z^(1), ..., z^(M): for each hidden layer (B, outputs), 1 where an output is active or carried, else 0."""
    pairs = zip(layers, values[:-1], strict=False)
    return [active(z, carried(layer)).to(z.dtype) for layer, z in pairs]


def predicted(logits: torch.Tensor) -> torch.Tensor:
    """(B,): the class that each point is read as, from logits (B, K); the first one of a tie, never a NaN."""
    return torch.nan_to_num(logits, nan=-math.inf).argmax(-1)


def at_label(values: _Array, labels: torch.Tensor | int, fill: float) -> _Array:
    """A copy of values (..., K) with `fill` at the label: one for all rows, or (B,) for (B, K)."""
    if isinstance(labels, torch.Tensor) and isinstance(values, torch.Tensor):
        return values.scatter(-1, labels.unsqueeze(-1), fill)
    copy = values.clone() if isinstance(values, torch.Tensor) else values.copy()
    copy[..., labels] = fill
    return copy


def rival_logits(logits: _Array, labels: torch.Tensor | int) -> _Array:
    """The logits of all classes but the label, where minus infinity stands: their largest is the best rival's."""
    return at_label(logits, labels, -math.inf)


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


_PICK_COST = 3  # a weight that is picked costs as much as three that are read in order


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
    if _PICK_COST * len(used) < len(hidden):
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
    """f(point) without rounding, for a point (D,).

    Floats are integers times powers of two, so a layer is a product of integers, with one exponent for all of them.
    """
    hidden, exponent = _integers(point.numpy())
    for layer in net.layers:
        product, scale = _integer_product(layer.weight, hidden)
        bias, shift = _integers(layer.bias)
        lowest = min(exponent + scale, shift)
        hidden = (product << exponent + scale - lowest) + (bias << shift - lowest)
        exponent = lowest
        if layer.rectified is not None:
            hidden = np.where(layer.rectified & (hidden < 0), 0, hidden)
    return [Fraction(value) * Fraction(2) ** exponent for value in hidden.tolist()]


def rational_value(row: torch.Tensor, point: torch.Tensor, bias: torch.Tensor) -> Fraction:
    """row . point + bias without rounding, for a row and a point (D,)."""
    used = ((row != 0) & (point != 0)).nonzero().squeeze(1)
    pairs = zip(row[used].tolist(), point[used].tolist(), strict=True)
    return sum((Fraction(w) * Fraction(x) for w, x in pairs), start=Fraction(float(bias)))


def _integer_product(weight: Any, hidden: np.ndarray) -> tuple[np.ndarray, int]:
    """Python integers n and an exponent e with W hidden = n 2^e, for a dense or CSR matrix and integers."""
    if isinstance(weight, np.ndarray):
        used = np.flatnonzero(hidden)
        whole, exponent = _integers(weight[:, used])
        return whole @ hidden[used], exponent
    whole, exponent = _integers(weight.data)
    terms = whole * hidden[weight.indices]
    rows = zip(weight.indptr, weight.indptr[1:], strict=False)
    return np.array([sum(terms[start:stop].tolist()) for start, stop in rows], dtype=object), exponent


def _integers(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Python integers n and an exponent e with values = n 2^e, exactly."""
    mantissas, exponents = np.frexp(values)
    exponents = np.where(values == 0, exponents.max(initial=0), exponents - 53)
    lowest = int(exponents.min(initial=0))
    whole = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
    return np.left_shift(whole, (exponents - lowest).astype(object)), lowest
