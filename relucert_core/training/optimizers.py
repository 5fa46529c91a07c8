"""Adam and stochastic gradient descent on one flat vector of parameters."""

from __future__ import annotations

import math
from typing import Protocol

import torch

from relucert_core.errors import InvalidInput


class Optimizer(Protocol):
    """What the training loop asks of an optimiser."""

    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """Move the parameters in place, with learning rate `rate`."""

    def memory(self) -> tuple[int, tuple[torch.Tensor, ...]]:
        """The number of steps and copies of all that is kept between them."""

    def recall(self, steps: int, kept: tuple[torch.Tensor, ...]) -> None:
        """Go on from what `memory` gave."""


class Adam:
    """Adam (Kingma and Ba 2015, Algorithm 1), with its usual constants and bias correction."""

    def __init__(self, flat: torch.Tensor, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.flat, self.beta1, self.beta2, self.epsilon = flat, beta1, beta2, epsilon
        self.mean, self.square, self.steps = torch.zeros_like(flat), torch.zeros_like(flat), 0

    @torch.no_grad()
    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """One update in place."""
        self.steps += 1
        self.mean.lerp_(gradient, 1 - self.beta1)
        self.square.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        correction1, correction2 = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        scale = self.square.sqrt().div_(math.sqrt(correction2)).add_(self.epsilon)
        self.flat.addcdiv_(self.mean, scale, value=-rate / correction1)

    def memory(self) -> tuple[int, tuple[torch.Tensor, ...]]:
        """The number of steps and copies of the running means."""
        return self.steps, (self.mean.clone(), self.square.clone())

    def recall(self, steps: int, kept: tuple[torch.Tensor, ...]) -> None:
        """Go on from what `memory` gave."""
        self.steps, self.mean, self.square = steps, kept[0].clone(), kept[1].clone()


class Sgd:
    """Gradient descent with heavy-ball momentum (Polyak): v <- m v + g, w <- w - rate v."""

    def __init__(self, flat: torch.Tensor, momentum: float = 0.9) -> None:
        self.flat, self.momentum, self.velocity = flat, momentum, torch.zeros_like(flat)

    @torch.no_grad()
    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """One update in place."""
        self.velocity.mul_(self.momentum).add_(gradient)
        self.flat.add_(self.velocity, alpha=-rate)

    def memory(self) -> tuple[int, tuple[torch.Tensor, ...]]:
        """No number is kept, and a copy of the velocity."""
        return 0, (self.velocity.clone(),)

    def recall(self, steps: int, kept: tuple[torch.Tensor, ...]) -> None:
        """Go on from what `memory` gave."""
        self.velocity = kept[0].clone()


OPTIMIZERS: dict[str, type[Adam] | type[Sgd]] = {"adam": Adam, "sgd": Sgd}


def make_optimizer(name: str, flat: torch.Tensor) -> Optimizer:
    """The optimiser `name` of OPTIMIZERS for the parameters `flat`."""
    if name not in OPTIMIZERS:
        raise InvalidInput(f"optimizer={name!r} is not known: use one of {', '.join(OPTIMIZERS)}.")
    return OPTIMIZERS[name](flat)
