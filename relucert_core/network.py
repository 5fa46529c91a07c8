"""Immutable ReLU networks in float64: layers, evaluation, digest, composition with an affine map.

A network is the real-arithmetic function f(x) = z^(M) with z^(i) = W^(i) a^(i-1) + b^(i), a^(i) = max(z^(i), 0),
a^(0) = x (section 3.1 of the paper). Weights are taken exactly as stored (float32 or float64). Beyond the paper, a
layer may be sparse, and may carry some of its outputs on without a ReLU (`Layer.rectified`): convolutions, max
pooling and residual additions become such layers.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from relucert_core.arrays import Floats, ManyPoints, Matrix, Numbers, OfAnyRank, OnePoint, TorchPoints, Vector
from relucert_core.errors import InvalidInput, Unsupported, shown
from relucert_core.files import reason
from relucert_core.layers import Affine, Dense, Layer, csr_parts, read_only

if TYPE_CHECKING:
    from relucert_core.cards import ReadingCard


class Network:
    """A ReLU network of M >= 2 layers and K >= 2 classes; see `Network.__init__` and `Network.of_layers`.

    Attributes: `layers` (tuple of Layer), `affine` (the same maps for the engine), `weights`, `biases` (tuples of
    read-only float64 arrays, for chains), `inputs` (D), `classes` (K), `widths` (N_1, ..., N_{M-1}, rectified outputs),
    `depth` (M), `digest` (content hash), `name`, `stored_dtype`, `card` (how it was read, or None),
    `input_range`: (lowest, highest) value of an input that it was trained on, None where that is not known. It changes
    no number: points on another scale are refused by it where their type gives them away.
    """

    layers: tuple[Layer, ...]
    affine: tuple[Affine, ...]
    name: str
    stored_dtype: str
    card: ReadingCard | None
    input_range: tuple[float, float] | None = None

    def __init__(self, weights: Sequence[Numbers], biases: Sequence[Numbers], *, name: str = "network") -> None:
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
        affine = tuple(layer for layer, _ in pairs)
        masks = [np.ones(layer.outputs, dtype=bool) for layer in affine[:-1]]
        layers = [
            Layer(read_only(layer.weight), read_only(layer.bias), mask)
            for layer, mask in zip(affine, [*masks, None], strict=True)
        ]
        self._set(layers, affine, "float32" if all(single for _, single in pairs) else "float64", name, None)

    @classmethod
    def of_layers(cls, layers: Sequence[Layer], *, name: str = "network", card: ReadingCard | None = None) -> Network:
        """Build from layers that may be sparse or carry outputs; all but the last have a mask `rectified`.

        Raises InvalidInput as `__init__` does.
        """
        if len(layers) < 2 or layers[-1].rectified is not None or any(x.rectified is None for x in layers[:-1]):
            raise InvalidInput("A network needs at least 2 layers, all but the last of them with a mask of its ReLUs.")
        if all(_is_plain(layer) for layer in layers[:-1]) and isinstance(layers[-1].weight, np.ndarray):
            dense = [layer.weight for layer in layers if isinstance(layer.weight, np.ndarray)]
            net = cls(dense, [layer.bias for layer in layers], name=name)
        else:
            net = cls.__new__(cls)
            net._set(layers, tuple(layer.affine for layer in layers), _stored_as(layers), name, None)
        net.card = card
        return net

    def _set(
        self,
        layers: Sequence[Layer],
        affine: tuple[Affine, ...],
        stored_dtype: str,
        name: str,
        card: ReadingCard | None,
    ) -> None:
        self.layers, self.affine, self.stored_dtype, self.name, self.card = (
            tuple(layers),
            affine,
            stored_dtype,
            name,
            card,
        )
        for i, (first, second) in enumerate(zip(self.layers, self.layers[1:], strict=False), start=2):
            if first.outputs != second.inputs:
                raise InvalidInput(f"Layer {i} takes {second.inputs} inputs, but layer {i - 1} gives {first.outputs}.")
        if self.classes < 2:
            raise InvalidInput(f"The last layer gives {self.classes} logit; a classifier needs at least 2 classes.")

    def with_card(self, card: ReadingCard | None) -> Network:
        """The same network with a card of how it was read, and the range of inputs that the card tells."""
        net = type(self).__new__(type(self))
        net.__dict__.update(self.__dict__, card=card)
        if card is not None:
            net.input_range = card.input_range
        return net

    @property
    def is_chain(self) -> bool:
        """Is every layer dense and every hidden output rectified, as in the paper?"""
        return all(isinstance(layer, Dense) and layer.carried is None for layer in self.affine)

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
        """N_1, ..., N_{M-1}: how many outputs of each hidden layer are rectified."""
        return tuple(layer.neurons for layer in self.layers[:-1])

    @property
    def outputs(self) -> tuple[int, ...]:
        """How many numbers each hidden layer gives: its rectified outputs and those that it carries on."""
        return tuple(layer.outputs for layer in self.layers[:-1])

    @property
    def depth(self) -> int:
        """M, the number of weight layers."""
        return len(self.layers)

    @cached_property
    def weights(self) -> tuple[Matrix, ...]:
        """The weight matrices of a chain as read-only float64 arrays (out, in); Unsupported for other networks."""
        self.need_chain("Reading `weights`")
        return tuple(layer.weight for layer in self.layers if isinstance(layer.weight, np.ndarray))

    @cached_property
    def biases(self) -> tuple[Vector, ...]:
        """The bias vectors of a chain as read-only float64 arrays (out,); Unsupported for other networks."""
        self.need_chain("Reading `biases`")
        return tuple(layer.bias for layer in self.layers)

    def need_chain(self, what: str) -> None:
        """Raise Unsupported, saying that `what` is made for chains alone, when this network is none."""
        if not self.is_chain:
            raise Unsupported(
                f"{what} is made for chains of dense layers in which every hidden output passes a ReLU; the network "
                f"{self.name!r} has layers that are sparse or carry outputs on: see `net.layers` (weight, bias, "
                "rectified)."
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of shapes and float64 contents: equal networks have equal digests, whatever their names."""
        sha = hashlib.sha256()
        if self.is_chain:
            for array in (*self.weights, *self.biases):
                _hash(sha, array, "<f8")
            return sha.hexdigest()
        for layer in self.layers:
            if isinstance(layer.weight, np.ndarray):
                _hash(sha, layer.weight, "<f8")
            else:
                sha.update(repr(("csr", layer.weight.shape)).encode())
                for part, kind in zip(csr_parts(layer.weight), ("<f8", "<i8", "<i8"), strict=True):
                    _hash(sha, part, kind)
            _hash(sha, layer.bias, "<f8")
            if layer.rectified is not None:
                _hash(sha, layer.rectified, "|b1")
        return sha.hexdigest()

    @overload
    def __call__(self, points: OfAnyRank) -> Floats: ...
    @overload
    def __call__(self, points: OnePoint) -> Vector: ...
    @overload
    def __call__(self, points: ManyPoints) -> Matrix: ...
    @overload
    def __call__(self, points: TorchPoints) -> torch.Tensor: ...
    def __call__(self, points: Any) -> Floats | torch.Tensor:
        """The logits in float64: (D,) -> (K,), (B, D) -> (B, K). Torch in, torch out; anything else gives NumPy."""
        tensor, single = as_points(self, points)
        logits = self.logits(tensor)
        logits = logits[0] if single else logits
        return logits if isinstance(points, torch.Tensor) else logits.numpy()

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """The logits of a float64 batch, (B, D) -> (B, K), unchecked and differentiable in the points."""
        return self.pre_activations(points)[-1]

    def pre_activations(self, points: torch.Tensor) -> list[torch.Tensor]:
        """z^(1), ..., z^(M) of a float64 batch, (B, D) -> [(B, outputs[0]), ..., (B, K)]."""
        hidden, values = points, []
        for layer in self.affine:
            values.append(layer(hidden))
            hidden = layer.rectify(values[-1])
        return values

    def compose(self, matrix: Numbers, offset: Numbers, *, name: str | None = None) -> Network:
        """The network t -> f(offset + matrix t): matrix (D, d), offset (D,). Rounds W^(1) matrix to float64."""
        first = self.affine[0]
        matrix = as_tensor(matrix, "the matrix")
        offset = as_tensor(offset, "the offset")
        if matrix.ndim != 2 or matrix.shape[0] != self.inputs or offset.shape != (self.inputs,):
            raise InvalidInput(
                f"To compose a network of {self.inputs} inputs, give a matrix ({self.inputs}, d) and an offset "
                f"({self.inputs},); {tuple(matrix.shape)} and {tuple(offset.shape)} came."
            )
        weight, bias = first.times(matrix), first.times(offset[:, None])[:, 0] + first.bias
        if not self.is_chain:
            composed = Layer(weight.numpy(), bias.numpy(), self.layers[0].rectified)
            return Network.of_layers([composed, *self.layers[1:]], name=name or self.name)
        weights = [weight, *(layer.weight for layer in self.affine[1:])]
        biases = [first.weight @ offset + first.bias, *(layer.bias for layer in self.affine[1:])]
        return Network(weights, biases, name=name or self.name)

    def with_input_range(self, lowest: float, highest: float) -> Network:
        """The same network, known to be trained on inputs in [lowest, highest]."""
        twin = copy.copy(self)
        twin.input_range = (float(lowest), float(highest))
        return twin

    @classmethod
    def from_torch(
        cls, module: torch.nn.Module, *, name: str = "network", input_shape: Sequence[int] | None = None
    ) -> Network:
        """Read a module; the same as `read_network(module)`, see `relucert_core.importers.registry`."""
        from relucert_core import read_network  # by the front door: readers build on this module

        return read_network(module, name=name, input_shape=input_shape)

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
            if values.is_complex() or values.is_quantized:
                raise TypeError(f"a tensor of {values.dtype}")
            array = np.array(values.detach().to("cpu", torch.float64).numpy())
        else:
            source = np.asarray(values)
            if source.dtype.kind not in "fiub":
                raise TypeError(f"an array of {source.dtype}")
            if np.ma.is_masked(values):
                raise TypeError("an array with masked entries")
            with np.errstate(over="ignore"):  # a long double beyond the range is an infinity, and refused below
                array = np.array(source, dtype=np.float64, order="C")
    except Exception as error:  # a foreign array may fail in any way
        raise InvalidInput(f"Could not read {what} as an array of real numbers ({reason(error)}).") from None
    if not np.isfinite(array).all():
        raise InvalidInput(f"There is a NaN or an infinity in {what}; every number must be finite.")
    return torch.from_numpy(array)


def as_points(net: Network, points: Any) -> tuple[torch.Tensor, bool]:
    """The points as a float64 batch (B, D), and whether a single point (D,) came. Raises InvalidInput."""
    if net.input_range is not None and net.input_range[1] < 255 and _is_bytes(points):
        low, high = net.input_range
        raise InvalidInput(
            f"Points of bytes (uint8) came, and this network takes inputs in [{low:g}, {high:g}]: divide them by 255, "
            "or read the network with trained_on=(0, 255)."
        )
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
    try:
        array = np.asarray(labels)
    except Exception:  # ragged lists, half-precision tensors, foreign objects
        array = np.zeros(0, dtype=object)
    if not array.size and not count:
        return torch.zeros(0, dtype=torch.int64, device="cpu")
    if array.dtype.kind not in "iu" or array.ndim > 1 or array.size not in (1, count):
        raise InvalidInput(f"Give one whole-number label, or {count} of them; {shown(labels, 100)} came.")
    if array.min() < 0 or array.max() >= net.classes:
        raise InvalidInput(f"Labels run from 0 to {net.classes - 1} here; {array.min()} to {array.max()} came.")
    return torch.from_numpy(np.broadcast_to(array.reshape(-1), (count,)).astype(np.int64))


def _is_bytes(points: Any) -> bool:
    return getattr(points, "dtype", None) in (np.dtype(np.uint8), torch.uint8)


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


def _is_plain(layer: Layer) -> bool:
    return isinstance(layer.weight, np.ndarray) and layer.rectified is not None and bool(layer.rectified.all())


def _stored_as(layers: Sequence[Layer]) -> str:
    """float32 where every number is a float32 one, else float64."""
    for layer in layers:
        for array in (layer.weight if isinstance(layer.weight, np.ndarray) else layer.weight.data, layer.bias):
            with np.errstate(over="ignore"):
                if not (array.astype(np.float32) == array).all():
                    return "float64"
    return "float32"


def _hash(sha: Any, array: np.ndarray, kind: str) -> None:
    sha.update(repr(array.shape).encode())
    sha.update(np.ascontiguousarray(array, dtype=kind).tobytes())
