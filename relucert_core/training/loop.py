"""The training loop: minibatches in a seeded order, cross-entropy, hooks for extra loss terms, one report an epoch.

It is a generator: whoever drives it may stop at any report, and nothing runs on behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch

from relucert_core.errors import InvalidInput
from relucert_core.training.model import Trainable
from relucert_core.training.optimizers import Optimizer, make_optimizer

Penalty = Callable[[Trainable, torch.Tensor, torch.Tensor, float], torch.Tensor]
Perturb = Callable[[Trainable, torch.Tensor, torch.Tensor], torch.Tensor]
Rate = Callable[[float], float]
Widen = Callable[[Trainable, torch.Tensor, torch.Tensor, float], torch.Tensor]
LARGEST_LOSS = 1e6  # a mean cross-entropy above this is an explosion, not learning


@dataclass(frozen=True)
class LoopSettings:
    """`epochs` passes through the points in minibatches of `batch`, learning rate `rate`, order drawn from `seed`.

    `weight_decay` adds w/2 ||weights||^2 to the loss. `report_every` > 0 also reports after that many steps, for
    progress bars. `schedule` gives the factor on the rate for a share 0..1 of the work done.
    """

    epochs: int
    batch: int
    rate: float
    seed: int
    optimizer: str = "adam"
    weight_decay: float = 0.0
    report_every: int = 0
    schedule: Rate | None = None


@dataclass(frozen=True)
class Checkpoint:
    """All that a run goes on from after `epoch` epochs, to the bit: the parameters, what the optimiser keeps after so
    many `steps`, and the state of the random numbers."""

    epoch: int
    flat: torch.Tensor
    steps: int
    kept: tuple[torch.Tensor, ...]
    generator: torch.Tensor


@dataclass(frozen=True)
class Progress:
    """Where training stands: `epoch` counts from 1, `done` is the share of all steps, `end_of_epoch` says which report.

    `loss` and `accuracy` are means over this epoch's points so far, as each was met. `diverged` ends the run.
    `checkpoint` makes the checkpoint of this moment; at the end of an epoch, and before the run goes on.
    """

    epoch: int
    done: float
    loss: float
    accuracy: float
    end_of_epoch: bool
    diverged: bool = False
    checkpoint: Callable[[], Checkpoint] | None = None


def train(
    model: Trainable,
    points: torch.Tensor,
    labels: torch.Tensor,
    settings: LoopSettings,
    *,
    penalty: Penalty | None = None,
    perturb: Perturb | None = None,
    widen: Widen | None = None,
    begin: Checkpoint | None = None,
) -> Iterator[Progress]:
    """Train `model` in place on points (N, D), of its dtype, and labels (N,) int64; yields a Progress an epoch.

    `penalty(model, points, labels, done)` is added to the loss, `done` the share 0..1 of the work so far;
    `perturb(model, points, labels)` replaces the points that are learnt from (adversarial training);
    `widen(model, logits, labels, done)` the logits that the loss sees. A loss or weight
    that is not finite, or a loss beyond LARGEST_LOSS, ends the run with `diverged`. The same seed and number of threads
    give the same weights, also where a run goes on from a checkpoint of its own (`begin`).
    """
    if len(points) == 0 or len(points) != len(labels):
        raise InvalidInput(f"{len(points)} points came with {len(labels)} labels: give as many of both, at least 1.")
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = make_optimizer(settings.optimizer, model.flat)
    steps = math.ceil(len(points) / settings.batch)
    if begin is not None:
        with torch.no_grad():
            model.flat.copy_(begin.flat)
        optimizer.recall(begin.steps, begin.kept)
        generator.set_state(begin.generator)
    for epoch in range(1 if begin is None else begin.epoch + 1, settings.epochs + 1):
        loss, hits, seen = 0.0, 0, 0
        order = torch.randperm(len(points), generator=generator)
        for step, index in enumerate(order.split(settings.batch), start=1):
            done = (epoch - 1 + step / steps) / settings.epochs
            value, right = _step(
                model, optimizer, points[index], labels[index], settings, done, (penalty, perturb, widen)
            )
            loss, hits, seen = loss + value * len(index), hits + right, seen + len(index)
            last = step == steps
            diverged = not abs(value) <= LARGEST_LOSS or (last and not bool(model.flat.isfinite().all()))
            if last or diverged or (settings.report_every and step % settings.report_every == 0):
                checkpoint = partial(_checkpoint, epoch, model, optimizer, generator) if last else None
                yield Progress(epoch, done, loss / seen, hits / seen, last, diverged, checkpoint)
            if diverged:
                return


def _checkpoint(epoch: int, model: Trainable, optimizer: Optimizer, generator: torch.Generator) -> Checkpoint:
    return Checkpoint(epoch, model.flat.detach().clone(), *optimizer.memory(), generator.get_state())


def accuracy(model: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of the points (N, D) whose largest logit is their label."""
    with torch.no_grad():
        hits = [
            int((model(chunk).argmax(1) == target).sum())
            for chunk, target in zip(points.split(2000), labels.split(2000), strict=True)
        ]
    return sum(hits) / len(points)


def _step(
    model: Trainable,
    optimizer: Optimizer,
    points: torch.Tensor,
    labels: torch.Tensor,
    settings: LoopSettings,
    done: float,
    hooks: tuple[Penalty | None, Perturb | None, Widen | None],
) -> tuple[float, int]:
    """One minibatch: the loss and how many points were right, both before the step."""
    penalty, perturb, widen = hooks
    logits = model(points if perturb is None else perturb(model, points, labels))
    seen = logits if widen is None else widen(model, logits, labels, done)
    loss = torch.nn.functional.cross_entropy(seen, labels)
    if settings.weight_decay:
        squares = torch.stack([layer.weight.square().sum() for layer in model.layers])
        loss = loss + settings.weight_decay / 2 * squares.sum()
    if penalty is not None:
        loss = loss + penalty(model, points, labels, done)
    rate = settings.rate * (settings.schedule(done) if settings.schedule else 1.0)
    optimizer.step(model.gradient(loss), rate)
    return loss.item(), int((logits.argmax(1) == labels).sum())
