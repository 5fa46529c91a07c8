"""Training of the playground's networks: 2 inputs, up to 6 hidden layers of 64, three methods, snapshots on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from relucert_core.errors import InvalidInput
from relucert_core.network import Network
from relucert_core.ranges import Range
from relucert_core.training.loop import Checkpoint, LoopSettings, Progress, accuracy, train
from relucert_core.training.model import Trainable
from relucert_core.training.optimizers import OPTIMIZERS
from relucert_core.training.regularisers import PgdPerturbation, SimplexPenalty

METHODS = ("plain", "adversarial", "simplex")
MAX_LAYERS, MAX_WIDTH, MAX_EPOCHS, MAX_POINTS, MAX_CLASSES, MAX_SNAPSHOTS = 6, 64, 5000, 20_000, 10, 200
DEPTHS, WIDTHS = Range(1, MAX_LAYERS, whole=True), Range(1, MAX_WIDTH, whole=True)
RANGES = {
    "epochs": Range(1, MAX_EPOCHS, whole=True),
    "rate": Range(1e-6, 100.0),
    "weight_decay": Range(0.0, 10.0),
    "seed": Range(0, 2**32 - 1, whole=True),
    "radius": Range(0.0, 10.0),
    "strength": Range(0.0, 100.0),
    "face_margin": Range(1e-6, 10.0),
    "decision_margin": Range(1e-6, 10.0),
    "faces": Range(1, MAX_LAYERS * MAX_WIDTH, whole=True),
    "snapshots": Range(1, MAX_SNAPSHOTS, whole=True),
    "batch": Range(1, MAX_POINTS, whole=True),
}


@dataclass(frozen=True)
class ToySettings:
    """All that training depends on, the points apart; the same settings and points give the same network.

    hidden: widths of the hidden layers. method: "plain"; "adversarial" (L2 PGD within `radius`); "simplex" (the
    regulariser, see SimplexPenalty: `strength` its weight, `face_margin`, `decision_margin`, `faces`). batch: points
    a step, None for all of them. snapshots: about how many networks are kept along the way, denser at the start.
    An epoch is one pass through the points. Raises InvalidInput when a value is out of bounds.
    """

    hidden: tuple[int, ...] = (16, 16)
    method: str = "plain"
    epochs: int = 500
    rate: float = 0.01
    optimizer: str = "adam"
    batch: int | None = None
    weight_decay: float = 0.0
    seed: int = 0
    radius: float = 0.1
    strength: float = 1.0
    face_margin: float = 0.15
    decision_margin: float = 0.3
    faces: int = 4
    snapshots: int = 40

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Snapshot:
    """The network as it was after `epoch` epochs (0: the start)."""

    epoch: int
    network: Network


@dataclass(frozen=True)
class ToyStep:
    """One epoch: `loss` (extra terms included) and `accuracy` as the points were met; `snapshot` where one is kept."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    snapshot: Snapshot | None


@dataclass(frozen=True)
class ToyRun:
    """A finished or stopped run.

    `network`: the last one with finite weights; `snapshots` from the start to it; `losses`, `accuracies`: one an
    epoch; `accuracy` of `network` on the training points; `status`: "finished", "stopped" or "diverged", and
    `message`: a sentence that says so. `checkpoint`: what a stopped run can go on from.
    """

    settings: ToySettings
    network: Network
    snapshots: tuple[Snapshot, ...]
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    accuracy: float
    status: str
    message: str
    checkpoint: Checkpoint | None = None

    @property
    def diverged(self) -> bool:
        """Whether the weights or the loss ran away."""
        return self.status == "diverged"


def train_toy(
    points: Any, labels: Any, settings: ToySettings | None = None, on_step: Callable[[ToyStep], Any] | None = None
) -> ToyRun:
    """Train on points (N, 2) and labels (N,); classes are 0 to the largest label, at least two.

    `on_step` sees every epoch; when it returns True the run is stopped there. See `toy_steps` for the rest.
    """
    steps = toy_steps(points, labels, settings)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            run: ToyRun = end.value
            return run
        if on_step is not None and on_step(step) is True:
            try:
                steps.send(True)
            except StopIteration as end:
                stopped: ToyRun = end.value
                return stopped


def toy_steps(
    points: Any, labels: Any, settings: ToySettings | None = None, stopped: ToyRun | None = None
) -> Generator[ToyStep, bool | None, ToyRun]:
    """The same as a generator: yields a ToyStep an epoch and returns the ToyRun; send(True) stops it there.

    stopped: a run with these points and settings that was stopped; it goes on there, as if it had not been.
    float64, hand-written optimisers: 500 epochs of the default take about half a second. Deterministic by the seed.
    A run whose loss or weights are no longer finite, or explode, ends with status "diverged".
    """
    settings = settings or ToySettings()
    inputs, targets = _checked_points(points, labels)
    model = _start(int(targets.max()) + 1, settings)
    wanted = _snapshot_epochs(settings)
    snapshots, losses, accuracies = [Snapshot(0, model.network("toy"))], list[float](), list[float]()
    status, good = "finished", model.flat.clone()
    checkpoint: Checkpoint | None = None
    begin = None if stopped is None else stopped.checkpoint
    if stopped is not None and begin is not None:
        snapshots = [kept for kept in stopped.snapshots if kept.epoch in wanted | {0}]
        losses, accuracies = list(stopped.losses), list(stopped.accuracies)
    for progress in _loop(model, inputs, targets, settings, begin):
        if progress.diverged:
            status = "diverged"
            with torch.no_grad():
                model.flat.copy_(good)
            break
        good.copy_(model.flat)
        losses.append(progress.loss)
        accuracies.append(progress.accuracy)
        kept = Snapshot(progress.epoch, model.network("toy")) if progress.epoch in wanted else None
        snapshots += [kept] if kept else []
        if (yield ToyStep(progress.epoch, settings.epochs, progress.loss, progress.accuracy, kept)):
            status, checkpoint = "stopped", progress.checkpoint() if progress.checkpoint is not None else None
            break
    if snapshots[-1].epoch != len(losses):
        snapshots.append(Snapshot(len(losses), model.network("toy")))
    return ToyRun(
        settings,
        snapshots[-1].network,
        tuple(snapshots),
        tuple(losses),
        tuple(accuracies),
        accuracy(model, inputs, targets),
        status,
        _message(status, len(losses), settings),
        checkpoint,
    )


def _loop(
    model: Trainable, points: torch.Tensor, labels: torch.Tensor, settings: ToySettings, begin: Checkpoint | None
) -> Generator[Progress, None, None]:
    loop = LoopSettings(
        settings.epochs,
        settings.batch or len(points),
        settings.rate,
        settings.seed,
        settings.optimizer,
        settings.weight_decay,
    )
    simplex = SimplexPenalty(settings.strength, settings.face_margin, settings.decision_margin, settings.faces)
    penalty = simplex if settings.method == "simplex" else None
    perturb = PgdPerturbation(settings.radius) if settings.method == "adversarial" else None
    yield from train(model, points, labels, loop, penalty=penalty, perturb=perturb, begin=begin)


def _start(classes: int, settings: ToySettings) -> Trainable:
    generator = torch.Generator().manual_seed(settings.seed)
    return Trainable.glorot((2, *settings.hidden, max(classes, 2)), generator, torch.float64)


def _snapshot_epochs(settings: ToySettings) -> set[int]:
    """Epochs that grow with the square: the beginning moves the most."""
    shares = np.linspace(0, 1, settings.snapshots + 1)[1:] ** 2
    return {math.ceil(settings.epochs * share) for share in shares}


def _message(status: str, epochs: int, settings: ToySettings) -> str:
    if status == "diverged":
        return (
            f"Training ran away in epoch {epochs + 1}: the loss grew without bound, and the network shown is the one "
            f"before. Lower the learning rate ({settings.rate:g})."
        )
    return (
        f"Training {'was stopped' if status == 'stopped' else 'finished'} after {epochs} of {settings.epochs} epochs."
    )


def _checked_points(points: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """float64 (N, 2) and int64 (N,)."""
    array, classes = np.asarray(points, dtype=np.float64), np.asarray(labels)
    if array.ndim != 2 or array.shape[1] != 2 or not 1 <= len(array) <= MAX_POINTS or not np.isfinite(array).all():
        raise InvalidInput(f"Training takes 1 to {MAX_POINTS:,} finite points (N, 2); an array {array.shape} came.")
    if classes.shape != array.shape[:1] or classes.dtype.kind not in "iu":
        raise InvalidInput(f"{len(array)} points need as many whole-number labels; {classes.shape} came.")
    if classes.min() < 0 or classes.max() >= MAX_CLASSES:
        raise InvalidInput(f"Labels run from 0 to {MAX_CLASSES - 1}; {classes.min()} to {classes.max()} came.")
    return torch.from_numpy(array.copy()), torch.from_numpy(classes.astype(np.int64))


def _check(settings: ToySettings) -> None:
    """InvalidInput, naming the setting, for a value out of bounds."""
    hidden = settings.hidden
    if len(hidden) not in DEPTHS or not all(n in WIDTHS for n in hidden):
        raise InvalidInput(f"hidden={hidden!r}: give 1 to {MAX_LAYERS} hidden layers of 1 to {MAX_WIDTH} neurons.")
    if settings.method not in METHODS:
        raise InvalidInput(f"method={settings.method!r} is not known: use one of {', '.join(METHODS)}.")
    if settings.optimizer not in OPTIMIZERS:
        raise InvalidInput(f"optimizer={settings.optimizer!r} is not known: use one of {', '.join(OPTIMIZERS)}.")
    for name, accepted in RANGES.items():
        value = getattr(settings, name)
        if not (name == "batch" and value is None) and value not in accepted:
            raise InvalidInput(f"{name}={value!r}: it must lie between {accepted.least:g} and {accepted.most:,g}.")
