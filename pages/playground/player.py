"""A training run that is played, stepped, stopped and rewound, a little at a time: no click waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from pages.playground.setup import Setup
from relucert_core.experiments.history import Moment
from relucert_core.training.toy import Snapshot, ToyRun, ToyStep, toy_steps, train_toy

SLICE_SECONDS = 0.15


class Player:
    """One run: `snapshots` so far, `losses` an epoch, `playing` or not, `message` when it has ended.

    `base` is the snapshot on the figure while the run is played over it.
    """

    def __init__(self, setup: Setup, snapshots: tuple[Snapshot, ...] = (), message: str = "") -> None:
        self.setup = setup
        self.playing = False
        self.message = message
        self.status = "finished" if snapshots else "ready"
        self.losses: list[float] = []
        self.history: dict[str, list[float]] | None = None
        self.moments: list[Moment] = []
        self._steps: Generator[ToyStep, bool | None, ToyRun] | None = None
        self._lock = threading.Lock()
        self._picture: tuple[int, dict[str, Any]] | None = None
        self.snapshots = list(snapshots) or [first_snapshot(setup)]
        self.base = self.latest

    @property
    def latest(self) -> Snapshot:
        """The newest snapshot."""
        return self.snapshots[-1]

    @property
    def done(self) -> bool:
        """Has the run ended, one way or another?"""
        return self.status not in ("ready", "running")

    @property
    def share(self) -> float:
        """How much of the training is done, 0 to 1."""
        return min(1.0, len(self.losses) / self.setup.epochs)

    def at(self, epoch: int | None) -> Snapshot:
        """The latest snapshot that is not after `epoch` (None: the newest)."""
        if epoch is None:
            return self.latest
        return max((s for s in self.snapshots if s.epoch <= epoch), key=lambda s: s.epoch, default=self.snapshots[0])

    def picture(self, epoch: int, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gives for the snapshot of `epoch`; the last picture is kept, as a tick may bring nothing new."""
        if self._picture is None or self._picture[0] != epoch:
            self._picture = (epoch, make())
        return self._picture[1]

    def play(self) -> None:
        """Go on from here by and by, see `advance`."""
        self.base = self.latest
        self.playing = not self.done

    def pause(self) -> None:
        """Stand still; `play` goes on."""
        self.playing = False

    def advance(self, seconds: float = SLICE_SECONDS, *, one: bool = False) -> None:
        """Train for a moment, or to the next snapshot when `one`; a second caller meanwhile does nothing."""
        if self.done or not self._lock.acquire(blocking=False):
            return
        try:
            self._advance(time.perf_counter() + seconds, one)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """End the run here; what it has learnt stays."""
        self.playing = False
        with self._lock:
            if self._steps is not None and not self.done:
                try:
                    self._steps.send(True)
                except StopIteration as end:
                    self._finish(end.value)

    def _advance(self, until: float, one: bool) -> None:
        self.status = "running"
        if self._steps is None:
            self._steps = toy_steps(*self.setup.points, self.setup.settings)
        while True:
            try:
                step = next(self._steps)
            except StopIteration as end:
                self._finish(end.value)
                return
            self.losses.append(step.loss)
            if step.snapshot is not None:
                self.snapshots.append(step.snapshot)
            if (one and step.snapshot is not None) or (not one and time.perf_counter() > until):
                return

    def _finish(self, run: ToyRun) -> None:
        self.snapshots = list(run.snapshots)
        self.moments = []
        self.losses = list(run.losses)
        self.status, self.message, self.playing = run.status, run.message, False
        self._steps = None


def first_snapshot(setup: Setup) -> Snapshot:
    """The network before any training."""
    settings: Any = replace(setup.settings, epochs=1, method="plain", snapshots=1)
    return train_toy(*setup.points, settings).snapshots[0]
