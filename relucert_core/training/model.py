"""A network while it is trained: layers that are views into one flat vector of parameters.

With one vector an optimiser is a handful of operations a step, whatever the number of layers; and because it is our
own, nothing of torch.optim (whose first use loads a compiler, one second) is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch

from relucert_core.errors import InvalidInput
from relucert_core.layers import Dense
from relucert_core.network import Network


class Trainable:
    """`layers` (Dense, leaves that want gradients), `parameters` (their tensors) and `flat`, the vector behind them.

    Writing to `flat` under no_grad changes the layers.
    """

    def __init__(self, arrays: Sequence[torch.Tensor]) -> None:
        """From W_1, b_1, W_2, b_2, ...: copied into one vector of their common dtype."""
        self.flat = torch.cat([array.detach().reshape(-1) for array in arrays])
        pieces = self.flat.split([array.numel() for array in arrays])
        self.parameters = [
            piece.view(array.shape).detach().requires_grad_(True) for piece, array in zip(pieces, arrays, strict=True)
        ]
        pairs = zip(self.parameters[::2], self.parameters[1::2], strict=True)
        self.layers = tuple(Dense(weight, bias) for weight, bias in pairs)

    @classmethod
    def glorot(cls, widths: Sequence[int], generator: torch.Generator, dtype: torch.dtype) -> Trainable:
        """Glorot's uniform start, U(-a, a) with a = sqrt(6 / (in + out)), zero biases; widths = (D, N_1, ..., K)."""
        if len(widths) < 3 or min(widths) < 1:
            raise InvalidInput(f"widths={tuple(widths)}: give inputs, at least one hidden layer and classes, all >= 1.")
        arrays = []
        for inputs, outputs in pairwise(widths):
            limit = math.sqrt(6 / (inputs + outputs))
            weight = torch.rand(outputs, inputs, generator=generator, dtype=torch.float64) * 2 - 1
            arrays += [(weight * limit).to(dtype), torch.zeros(outputs, dtype=dtype)]
        return cls(arrays)

    @classmethod
    def from_network(cls, net: Network, dtype: torch.dtype) -> Trainable:
        """Start from the weights of `net`."""
        return cls([array.to(dtype) for layer in net.affine for array in (layer.weight, layer.bias)])

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """The logits, (B, D) -> (B, K)."""
        hidden = self.layers[0](points)
        for layer in self.layers[1:]:
            hidden = layer(hidden.relu())
        return hidden

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        """d loss / d flat, the shape of `flat`."""
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, self.parameters)])

    def network(self, name: str) -> Network:
        """The Network of the present weights (taken exactly)."""
        arrays = [parameter.detach() for parameter in self.parameters]
        return Network(arrays[::2], arrays[1::2], name=name)
