"""Immutable ReLU networks in float64: layers, evaluation, digest, composition with an affine map.

A network is the real-arithmetic function f(x) = z^(M) with z^(i) = W^(i) a^(i-1) + b^(i), a^(i) = max(z^(i), 0),
a^(0) = x (section 3.1 of the paper). Weights are taken exactly as stored (float32 or float64).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from relucert_core.errors import InvalidInput
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, norm_above, spectral_above


@dataclass(frozen=True, eq=False)
class Dense:
    """A fully connected layer, h -> W h + b. `weight` (out, in) and `bias` (out,) are float64 and never written to."""

    weight: torch.Tensor
    bias: torch.Tensor

    @property
    def inputs(self) -> int:
        """How many numbers come in."""
        return self.weight.shape[1]

    @property
    def outputs(self) -> int:
        """How many numbers go out."""
        return self.weight.shape[0]

    @cached_property
    def absolute(self) -> torch.Tensor:
        """|W| (out, in), kept for error bounds."""
        return self.weight.abs()

    @cached_property
    def arrays(self) -> LayerArrays:
        """The layer for code that looks at one point at a time, where every call counts."""
        return LayerArrays.of(self)

    @cached_property
    def row_norms(self) -> torch.Tensor:
        """(out,): proven upper bounds on the L2 norms of the rows of W."""
        return norm_above(self.weight, 2.0)

    @cached_property
    def bias_norm(self) -> float:
        """A proven upper bound on ||b||_2."""
        return float(norm_above(self.bias, 2.0))

    @cached_property
    def frobenius(self) -> float:
        """A proven upper bound on the Frobenius norm of W, hence on the spectral norms of W and |W|."""
        return float(norm_above(self.row_norms, 2.0))

    @cached_property
    def spectral(self) -> float:
        """A proven upper bound on the spectral norm ||W||_2; see `relucert_core.rounding.spectral_above`."""
        return spectral_above(self.weight)

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        return torch.nn.functional.linear(hidden, self.weight, self.bias)


@dataclass(frozen=True, eq=False)
class LayerArrays:
    """A layer as read-only NumPy arrays, with what `quick_forward` multiplies: see `of`.

    weight (out, in), bias (out,); columns (in, out): the weight transposed and in one piece, so that the weights of a
    few inputs can be picked. row_norms (out,): upper bounds on ||W_i||_2. frobenius, spectral: on ||W||_F and ||W||_2.
    bias_sizes (out,) and bias_norm: upper bounds on |b_i| and ||b||_2, enlarged so that a unit roundoff of them covers
    four times what underflow can do to a sum of products.
    """

    weight: np.ndarray
    columns: np.ndarray
    bias: np.ndarray
    row_norms: np.ndarray
    bias_sizes: np.ndarray
    frobenius: float
    spectral: float
    bias_norm: float

    @classmethod
    def of(cls, layer: Dense) -> LayerArrays:
        """The arrays of a layer; the weight and the bias share its memory."""
        weight, bias = _read_only(layer.weight), _read_only(layer.bias)
        columns = np.array(weight.T, order="C")
        columns.flags.writeable = False
        underflow = layer.inputs * (4 * SMALLEST / UNIT_ROUNDOFF)
        sizes, together = np.abs(bias) + underflow, layer.bias_norm + layer.outputs * underflow
        row_norms = layer.row_norms.numpy()
        return cls(weight, columns, bias, row_norms, sizes, layer.frobenius, layer.spectral, together)


class Network:
    """A fully connected ReLU network of M >= 2 layers and K >= 2 classes; see `Network.__init__`.

    Attributes: `layers` (tuple of Dense), `weights`, `biases` (tuples of read-only float64 arrays), `inputs` (D),
    `classes` (K), `widths` (N_1, ..., N_{M-1}), `depth` (M), `digest` (content hash), `name`, `stored_dtype`.
    """

    def __init__(self, weights: Sequence[Any], biases: Sequence[Any], *, name: str = "network") -> None:
        """Build from W_i of shape (out, in) and b_i of shape (out,), NumPy or torch or nested lists.

        Raises InvalidInput, naming the layer, when shapes do not chain, a number is not finite, or there are
        fewer than 2 layers or 2 classes.
        """
        if len(weights) != len(biases):
            raise InvalidInput(f"{len(weights)} weight matrices came with {len(biases)} bias vectors: give one each.")
        if len(weights) < 2:
            raise InvalidInput(
                f"A network needs at least 2 layers (one ReLU layer and the logits); {len(weights)} came."
            )
        pairs = [_as_layer(weight, bias, i + 1) for i, (weight, bias) in enumerate(zip(weights, biases, strict=True))]
        self.layers: tuple[Dense, ...] = tuple(layer for layer, _ in pairs)
        self.stored_dtype = "float32" if all(single for _, single in pairs) else "float64"
        self.name = name
        for i, (first, second) in enumerate(zip(self.layers, self.layers[1:], strict=False), start=2):
            if first.outputs != second.inputs:
                raise InvalidInput(f"Layer {i} takes {second.inputs} inputs, but layer {i - 1} gives {first.outputs}.")
        if self.classes < 2:
            raise InvalidInput(f"The last layer gives {self.classes} logit; a classifier needs at least 2 classes.")

    @property
    def inputs(self) -> int:
        """D, the dimension of the input."""
        return self.layers[0].inputs

    @property
    def classes(self) -> int:
        """K, the number of classes."""
        return self.layers[-1].outputs

    @property
    def widths(self) -> tuple[int, ...]:
        """N_1, ..., N_{M-1}: the hidden layers' sizes."""
        return tuple(layer.outputs for layer in self.layers[:-1])

    @property
    def depth(self) -> int:
        """M, the number of weight layers."""
        return len(self.layers)

    @cached_property
    def weights(self) -> tuple[np.ndarray, ...]:
        """The weight matrices as read-only float64 arrays (out, in)."""
        return tuple(_read_only(layer.weight) for layer in self.layers)

    @cached_property
    def biases(self) -> tuple[np.ndarray, ...]:
        """The bias vectors as read-only float64 arrays (out,)."""
        return tuple(_read_only(layer.bias) for layer in self.layers)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of shapes and float64 contents: equal networks have equal digests, whatever their names."""
        sha = hashlib.sha256()
        for array in (*self.weights, *self.biases):
            sha.update(repr(array.shape).encode())
            sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return sha.hexdigest()

    def __call__(self, points: Any) -> Any:
        """The logits in float64: (D,) -> (K,), (B, D) -> (B, K). Torch in, torch out; anything else gives NumPy."""
        tensor, single = as_points(self, points)
        logits = self.logits(tensor)
        logits = logits[0] if single else logits
        return logits if isinstance(points, torch.Tensor) else logits.numpy()

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """The logits of a float64 batch, (B, D) -> (B, K), unchecked and differentiable in the points."""
        return self.pre_activations(points)[-1]

    def pre_activations(self, points: torch.Tensor) -> list[torch.Tensor]:
        """z^(1), ..., z^(M) of a float64 batch, (B, D) -> [(B, N_1), ..., (B, K)]."""
        hidden, values = points, []
        for layer in self.layers:
            values.append(layer(hidden))
            hidden = values[-1].relu()
        return values

    def compose(self, matrix: Any, offset: Any, *, name: str | None = None) -> Network:
        """The network t -> f(offset + matrix t): matrix (D, d), offset (D,). Rounds W^(1) matrix to float64."""
        first = self.layers[0]
        matrix = as_tensor(matrix, "the matrix")
        offset = as_tensor(offset, "the offset")
        if matrix.ndim != 2 or matrix.shape[0] != self.inputs or offset.shape != (self.inputs,):
            raise InvalidInput(
                f"To compose a network of {self.inputs} inputs, give a matrix ({self.inputs}, d) and an offset "
                f"({self.inputs},); {tuple(matrix.shape)} and {tuple(offset.shape)} came."
            )
        weights = [first.weight @ matrix, *(layer.weight for layer in self.layers[1:])]
        biases = [first.weight @ offset + first.bias, *(layer.bias for layer in self.layers[1:])]
        return Network(weights, biases, name=name or self.name)

    @classmethod
    def from_torch(cls, module: torch.nn.Module, *, name: str = "network") -> Network:
        """Import an nn.Sequential of Linear and ReLU; see `relucert_core.importers.torch_module`."""
        from relucert_core.importers.torch_module import network_from_torch

        return network_from_torch(module, name=name)

    def __repr__(self) -> str:
        shape = "-".join(str(n) for n in (self.inputs, *self.widths, self.classes))
        return f"Network({self.name!r}, {shape}, digest {self.digest[:12]})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def as_tensor(values: Any, what: str) -> torch.Tensor:
    """A fresh float64 tensor of `values`; InvalidInput when it is no array of numbers or not finite."""
    try:
        if isinstance(values, torch.Tensor):
            array = np.array(values.detach().to("cpu", torch.float64).numpy())
        else:
            source = np.asarray(values)
            if source.dtype.kind not in "fiub":
                raise TypeError(f"an array of {source.dtype}")
            array = np.array(source, dtype=np.float64, order="C")
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"Could not read {what} as an array of real numbers ({error}).") from None
    if not np.isfinite(array).all():
        raise InvalidInput(f"There is a NaN or an infinity in {what}; every number must be finite.")
    return torch.from_numpy(array)


def as_points(net: Network, points: Any) -> tuple[torch.Tensor, bool]:
    """The points as a float64 batch (B, D), and whether a single point (D,) came. Raises InvalidInput."""
    tensor = as_tensor(points, "the points")
    single = tensor.ndim == 1
    tensor = tensor.unsqueeze(0) if single else tensor
    if tensor.ndim != 2 or tensor.shape[1] != net.inputs:
        raise InvalidInput(
            f"The network takes points of shape ({net.inputs},) or (B, {net.inputs}); {tuple(np.shape(points))} came."
        )
    return tensor, single


def as_labels(net: Network, labels: Any, count: int) -> torch.Tensor | None:
    """Labels as an int64 tensor (B,), or None. One label for several points is repeated. Raises InvalidInput."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.dtype.kind not in "iu" or array.ndim > 1 or array.size not in (1, count):
        raise InvalidInput(f"Give one whole-number label, or {count} of them; {labels!r} came.")
    if array.min() < 0 or array.max() >= net.classes:
        raise InvalidInput(f"Labels run from 0 to {net.classes - 1} here; {array.min()} to {array.max()} came.")
    return torch.from_numpy(np.broadcast_to(array.reshape(-1), (count,)).astype(np.int64))


def in_chunks(
    points: torch.Tensor, labels: torch.Tensor | None, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    """The batch (B, D) and its labels (B,), if any, in pieces of at most `size` points."""
    for start in range(0, len(points), size):
        yield points[start : start + size], None if labels is None else labels[start : start + size]


def _as_layer(weight: Any, bias: Any, number: int) -> tuple[Dense, bool]:
    """The layer, and whether all its numbers are float32 ones."""
    matrix, vector = as_tensor(weight, f"the weights of layer {number}"), as_tensor(bias, f"the bias of layer {number}")
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InvalidInput(f"Layer {number}: the weights must be a matrix (out, in); {tuple(matrix.shape)} came.")
    if vector.shape != matrix.shape[:1]:
        raise InvalidInput(
            f"Layer {number}: the bias must have shape ({matrix.shape[0]},), as the weights have {matrix.shape[0]} "
            f"rows; {tuple(vector.shape)} came."
        )
    single = all(bool((t.float().double() == t).all()) for t in (matrix, vector))
    return Dense(matrix, vector), single


def _read_only(tensor: torch.Tensor) -> np.ndarray:
    array = tensor.numpy()
    array.flags.writeable = False
    return array
