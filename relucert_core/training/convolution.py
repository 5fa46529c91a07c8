"""A convolutional network while it is trained, and training for large Lipschitz margins.

Lipschitz-margin training (Tsuzuku, Sato and Sugiyama, Lipschitz-Margin Training, 2018): with L_kj a bound on how fast
f_k - f_j changes, the loss sees f_j + margin L_kj in the place of f_j, so that what is learnt is a margin that no
change shorter than `margin` can undo. Here L_kj = ||W_k - W_j||_2 times the spectral norms of the layers before, each
from one step of power iteration a minibatch: good enough to learn by, and no certificate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from relucert_core.network import Network
from relucert_core.training.model import Trainable

SIDE = 28


@dataclass(frozen=True)
class Convolution:
    """The first layer: `channels` filters of kernel x kernel pixels over one channel of 28 x 28."""

    channels: int
    kernel: int
    stride: int
    padding: int

    @property
    def side(self) -> int:
        """The height and width of what it gives."""
        return (SIDE + 2 * self.padding - self.kernel) // self.stride + 1


class Convolutional(Trainable):
    """A convolution, then dense layers, with a ReLU after each but the last; `layers[0]` holds the filters."""

    def __init__(self, arrays: Sequence[torch.Tensor], shape: Convolution) -> None:
        """From the filters (channels, 1, kernel, kernel), their biases, then W_2, b_2, ..."""
        super().__init__(arrays)
        self.shape = shape

    @classmethod
    def start(
        cls, shape: Convolution, widths: Sequence[int], generator: torch.Generator, dtype: torch.dtype
    ) -> Convolutional:
        """Glorot's uniform start, zero biases. widths: of the dense layers, the classes last."""
        area = shape.kernel**2
        sizes: list[tuple[tuple[int, ...], int, int]] = [
            ((shape.channels, 1, shape.kernel, shape.kernel), area, shape.channels * area)
        ]
        below = shape.channels * shape.side**2
        for width in widths:
            sizes.append(((width, below), below, width))
            below = width
        arrays = []
        for size, into, out in sizes:
            limit = math.sqrt(6 / (into + out))
            weight = torch.rand(size, generator=generator, dtype=torch.float64) * 2 - 1
            arrays += [(weight * limit).to(dtype), torch.zeros(size[0], dtype=dtype)]
        return cls(arrays, shape)

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """The logits, (B, 784) -> (B, K)."""
        first = self.layers[0]
        hidden = self.convolved(points.reshape(-1, 1, SIDE, SIDE), first.bias).flatten(1)
        for layer in self.layers[1:]:
            hidden = layer(hidden.relu())
        return hidden

    def convolved(self, images: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """(B, 1, 28, 28) -> (B, channels, side, side)."""
        return functional.conv2d(images, self.layers[0].weight, bias, self.shape.stride, self.shape.padding)

    def turned(self, hidden: torch.Tensor) -> torch.Tensor:
        """The transposed convolution, (B, channels, side, side) -> (B, 1, 28, 28)."""
        shape = self.shape
        spare = SIDE + 2 * shape.padding - shape.kernel - (shape.side - 1) * shape.stride
        weight = self.layers[0].weight
        return functional.conv_transpose2d(hidden, weight, None, shape.stride, shape.padding, output_padding=spare)

    def network(self, name: str) -> Network:
        """The Network of the present weights, taken exactly: the convolution becomes a sparse layer."""
        from relucert_core.importers.registry import read_network

        return read_network(self.module(), input_shape=(SIDE * SIDE,), name=name)

    def module(self) -> torch.nn.Module:
        """The same as an `nn.Sequential`."""
        shape, (weight, *_) = self.shape, self.parameters
        parts: list[torch.nn.Module] = [
            torch.nn.Unflatten(1, (1, SIDE, SIDE)),
            torch.nn.Conv2d(1, shape.channels, shape.kernel, shape.stride, shape.padding, dtype=weight.dtype),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
        ]
        for layer in self.layers[1:]:
            parts += [torch.nn.Linear(layer.inputs, layer.outputs, dtype=weight.dtype), torch.nn.ReLU()]
        module = torch.nn.Sequential(*parts[:-1])
        with torch.no_grad():
            for own, trained in zip(module.parameters(), self.parameters, strict=True):
                own.copy_(trained)
        return module


class LipschitzMargin:
    """The hook `widen` of `train`: f_j + m L_kj for every class j but the label k; m grows to `margin` at first."""

    def __init__(self, margin: float, warm_up: float = 0.25) -> None:
        self.margin, self.warm_up = margin, warm_up
        self._along: list[torch.Tensor] = []

    def __call__(self, model: Trainable, logits: torch.Tensor, labels: torch.Tensor, done: float) -> torch.Tensor:
        """The logits (B, K) that the loss sees; `done` is the share 0..1 of the work so far."""
        last = model.layers[-1].weight
        apart = (last.unsqueeze(1) - last).square().sum(-1)
        rates = torch.where(apart > 0, apart, 1.0).sqrt() * (apart > 0) * self._steepness(model)
        return logits + self.margin * min(1.0, done / self.warm_up) * rates[labels]

    def _steepness(self, model: Trainable) -> torch.Tensor:
        """The product of the spectral norms of all layers but the last, as far as power iteration has come."""
        product = torch.ones((), dtype=model.flat.dtype)
        for i, layer in enumerate(model.layers[:-1]):
            filters = isinstance(model, Convolutional) and i == 0
            if len(self._along) <= i:
                size = (1, 1, SIDE, SIDE) if filters else (layer.inputs,)
                self._along.append(torch.ones(size, dtype=model.flat.dtype))
            if filters:
                assert isinstance(model, Convolutional)
                with torch.no_grad():
                    self._along[i] = _unit(model.turned(model.convolved(self._along[i])))
                product = product * model.convolved(self._along[i]).norm()
            else:
                with torch.no_grad():
                    self._along[i] = _unit(layer.weight.T @ (layer.weight @ self._along[i]))
                product = product * (layer.weight @ self._along[i]).norm()
        return product


def _unit(vector: torch.Tensor) -> torch.Tensor:
    return vector / vector.norm().clamp(min=1e-30)
