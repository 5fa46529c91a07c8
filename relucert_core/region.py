"""Algorithm 1: from a point to its activation pattern, local affine map, half-spaces and distances to them.

Inside S(theta) = {x : P x + q >= 0} every neuron keeps its sign and f(x) = C x + d (Theorems 1 and 2, Corollary 1).
`simplex_distances` is the one place where the formula of Theorem 3 stands; the certificates wrap it in rounding bounds
and training differentiates it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from relucert_core.errors import InvalidInput
from relucert_core.network import Dense, Network, as_points
from relucert_core.norms import check_norm, dual, row_norms
from relucert_core.rounding import above, below, dot_error, gamma, norm_above, sum_above


@dataclass(frozen=True, eq=False)
class ActivationRegion:
    """The activation region of one point, as Algorithm 1 returns it.

    pattern: M - 1 bool arrays (N_i,), theta; True where z >= 0.
    P, q: (N, D) and (N,), N = sum N_i: the half-spaces P x + q >= 0, one for each hidden neuron, layer by layer.
    C, d: (K, D) and (K,): f(x) = C x + d on the region (W^theta and b^theta of the paper).
    """

    point: np.ndarray
    pattern: tuple[np.ndarray, ...]
    P: np.ndarray
    q: np.ndarray
    C: np.ndarray
    d: np.ndarray

    def place(self, row: int) -> tuple[int, int]:
        """The (layer, neuron) of a row of P: layers count from 1 as in the paper, neurons from 0."""
        for layer, signs in enumerate(self.pattern, start=1):
            if row < len(signs):
                return layer, row
            row -= len(signs)
        raise InvalidInput(f"The region has {len(self.P)} rows; row {row + len(self.P)} is none of them.")


def activation_region(net: Network, point: Any) -> ActivationRegion:
    """Algorithm 1 as printed, at one point (D,). Raises InvalidInput for another shape or a number that isn't finite.

    A neuron exactly on its face (z = 0) counts as on, as in Definition 1. Cost: one product of N_{i+1} x N_i by
    N_i x D for each layer. float64, not rounded outward: certificates bound the error themselves.
    """
    points, single = as_points(net, point)
    if not single:
        raise InvalidInput(f"activation_region takes one point ({net.inputs},); a batch of {len(points)} came.")
    pattern, half_spaces = [], []
    hidden = points[0]
    rows, offsets = net.layers[0].weight, net.layers[0].bias
    for layer, following in zip(net.layers, net.layers[1:], strict=False):
        values = layer(hidden)
        on = values >= 0
        hidden = values * on
        signs = 2.0 * on - 1.0
        half_spaces.append((signs[:, None] * rows, signs * offsets))
        pattern.append(on.numpy())
        rows = following.weight @ (on[:, None] * rows)
        offsets = following.weight @ (on * offsets) + following.bias
    faces = [torch.cat(parts).numpy() for parts in zip(*half_spaces, strict=True)]
    return ActivationRegion(points[0].numpy(), tuple(pattern), faces[0], faces[1], rows.numpy(), offsets.numpy())


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
        return list(module.layers)
    if isinstance(module, torch.nn.Module):
        return [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    return list(module)


def hidden_values(layers: Sequence[AffineLayer], points: torch.Tensor) -> list[torch.Tensor]:
    """z^(1), ..., z^(M), (B, D) -> [(B, N_i)]; differentiable in weights and points."""
    hidden, values = points, []
    for layer in layers:
        values.append(torch.nn.functional.linear(hidden, layer.weight, layer.bias))
        hidden = values[-1].relu()
    return values


def forward_rows(layers: Sequence[AffineLayer], masks: Sequence[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The local gradients of z^(1), ..., z^(M): (B, N_i, D) each, by Algorithm 1's recursion C <- W diag(theta) C.

    `masks`: M - 1 tensors (B, N_i), 1 where a neuron is on.
    """
    rows = layers[0].weight.expand(masks[0].shape[0], -1, -1)
    yield rows
    for layer, mask in zip(layers[1:], masks, strict=True):
        rows = layer.weight @ (mask.unsqueeze(-1) * rows)
        yield rows


def backward_rows(layers: Sequence[AffineLayer], masks: Sequence[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """Carry rows (B, R, N_m) over the outputs of hidden layer m = len(masks) back to the input: (B, R, D).

    The same products as `forward_rows` in the other order: cheap when R is small.
    """
    for layer, mask in zip(reversed(layers[: len(masks)]), reversed(masks), strict=True):
        rows = (rows * mask.unsqueeze(1)) @ layer.weight
    return rows


def hyperplane_distances(values: torch.Tensor, rows: torch.Tensor, norm: float) -> torch.Tensor:
    """|a.u + b| / ||a||_dual for `values` a.u + b (...) and `rows` a (..., D); infinite for a zero row.

    The formula of P_min and d_min in Theorem 3.
    """
    sizes = row_norms(rows, dual(norm))
    usable = sizes > 0
    return torch.where(usable, values.abs() / torch.where(usable, sizes, torch.ones_like(sizes)), math.inf)


class SimplexDistances(NamedTuple):
    """P_min and d_min of Theorem 3, (B,) each; their minimum is the simplex certificate."""

    faces: torch.Tensor
    decisions: torch.Tensor


def simplex_distances(
    module: Network | torch.nn.Module | Sequence[AffineLayer],
    points: torch.Tensor,
    norm: float = 2.0,
    labels: torch.Tensor | None = None,
) -> SimplexDistances:
    """P_min and d_min (Theorem 3) of a batch (B, D), differentiable in the weights and the points.

    For training and for comparison: computed in the module's own precision and not rounded outward, so not certified.
    `labels` (B,): the class k of each point, by default the predicted one. Memory B x N x D.
    """
    faces, decisions = all_distances(module, points, norm, labels)
    return SimplexDistances(faces.amin(-1), decisions.amin(-1))


def all_distances(
    module: Network | torch.nn.Module | Sequence[AffineLayer],
    points: torch.Tensor,
    norm: float = 2.0,
    labels: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The distance to each face (B, N) and to each rival's decision plane (B, K), infinite at the class itself."""
    norm, layers = check_norm(norm), affine_layers(module)
    values = hidden_values(layers, points)
    masks = [(z >= 0).to(z.dtype) for z in values[:-1]]
    labels = values[-1].argmax(-1) if labels is None else labels
    *faces, logits_rows = forward_rows(layers, masks)
    distances = [hyperplane_distances(z, rows, norm) for z, rows in zip(values[:-1], faces, strict=True)]
    index = labels.view(-1, 1)
    margins = values[-1].gather(1, index) - values[-1]
    gaps = logits_rows.gather(1, index.unsqueeze(-1).expand(-1, -1, logits_rows.shape[-1])) - logits_rows
    return torch.cat(distances, -1), hyperplane_distances(margins, gaps, norm).scatter(1, index, math.inf)


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
    for layer in net.layers:
        terms = int((hidden != 0).sum(-1).max()) + 1 if len(hidden) else 1
        absolute = torch.nn.functional.linear(hidden.abs(), layer.absolute, layer.bias.abs())
        bound = dot_error(absolute, terms)
        if values:
            carried = sum_above(error @ layer.absolute.T, layer.inputs)
            together = above(above(length * layer.spectral) + norm_above(bound, 2.0).unsqueeze(-1))
            bound = above(bound + torch.minimum(carried, above(length * layer.row_norms)))
        values.append(layer(hidden))
        errors.append(bound)
        hidden = values[-1].relu()
        error = torch.where(values[-1] < -bound, 0.0, bound)  # a neuron proved to be off is exactly 0
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
        for layer in net.layers:
            own = layer.arrays
            size, product, terms = _length(hidden), *_product(layer, hidden)
            g = gamma(terms + 3) * _SLACK
            product += own.bias
            values.append(product)
            errors.append((size * g + error) * _SLACK * own.row_norms + g * own.bias_sizes)
            error = (error * own.spectral + (size * own.frobenius + own.bias_norm) * g) * _SLACK
            hidden = np.maximum(product, 0.0)
    return QuickForward([np.atleast_2d(z) for z in values], [np.atleast_2d(e) for e in errors])


_SLACK = 1 + 2.0**-40


def _product(layer: Dense, hidden: np.ndarray) -> tuple[np.ndarray, int]:
    """h -> W h for (in,) or (B, in), and how many terms a sum has; for one point the weights of zeros aren't read."""
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


def proved_adversarial(net: Network, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(B,) bool: is some f_j >= f_label at the stored points (B, D), proved with the forward error bound counted?

    True is a proof (SPEC, section 3.5). False proves nothing: rounding may leave a tie open, and overflow gives False.
    """
    return reads_otherwise(proven_forward(net, points), labels)


def reads_otherwise(forward: ProvenForward, labels: torch.Tensor) -> torch.Tensor:
    """`proved_adversarial` for a forward pass that has been made."""
    logits, errors = forward.values[-1], forward.errors[-1]
    index = labels.view(-1, 1)
    excess = (logits - logits.gather(1, index)).scatter(1, index, -math.inf)
    slack = above(errors + errors.gather(1, index))
    return ((excess > 0) & (below(excess) >= slack) & torch.isfinite(slack)).any(-1)
