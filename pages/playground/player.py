"""A training run that is played, stepped, stopped and rewound, a little at a time: no click waits for it.

It is computed in a worker, which sends batches of epochs. A job that was ended since others waited goes on later from
where it was; the same points and settings give the same network, so one that was lost (nobody looked) is begun again
and told which epochs are here already.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

from pages.playground.setup import Setup
from pages.shared.places import BESIDE, Improvements, follow
from pages.shared.plane import BOX
from relucert_core.errors import RelucertError
from relucert_core.experiments.history import Moment
from relucert_core.experiments.live_training import training_batches
from relucert_core.training.toy import Snapshot, ToyRun, ToyStep, train_toy

SLICE_SECONDS = 0.15
JOB_SECONDS = 600.0
_STOPPING_SECONDS = 3.0


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
        self.frames: dict[str, Any] | None = None  # the picture of the newest network that has one
        self._batches: Improvements | None = None
        self._stopped: ToyRun | None = None  # the run as it was when others had their turn
        self._ahead: deque[ToyStep] = deque()  # epochs that have come and were not yet taken
        self._lock = threading.Lock()
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

    @property
    def waiting(self) -> str:
        """Where the run stands in the queue, in words; empty when it has its place."""
        return self._batches.waiting() if self._batches is not None else ""

    def play(self) -> None:
        """Go on from here by and by, see `advance`."""
        self.base = self.latest
        self.playing = not self.done and self.setup.trainable

    def pause(self) -> None:
        """Stand still; `play` goes on."""
        self.playing = False

    def advance(self, seconds: float = SLICE_SECONDS, *, one: bool = False) -> None:
        """Train for a moment, or to the next snapshot when `one`; a second caller meanwhile does nothing."""
        if self.done or not self.setup.trainable or not self._lock.acquire(blocking=False):
            return
        try:
            self._advance(time.perf_counter() + seconds, one)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """End the run here; what it has learnt stays."""
        self.playing = False
        with self._lock:
            if self._batches is None or self.done:
                return
            self._batches.close()
            until = time.perf_counter() + _STOPPING_SECONDS
            while self._batches is not None and time.perf_counter() < until:
                self._take(0.05, may_begin=False)
            if not self.done:  # nothing came back in time: what is here is the run
                self._over("stopped", f"Training was stopped after {len(self.losses)} of {self.setup.epochs} epochs.")

    def _advance(self, until: float, one: bool) -> None:
        self.status = "running"
        while not self.done:
            while self._ahead:
                step = self._ahead.popleft()
                self.losses.append(step.loss)
                if step.snapshot is not None:
                    self.snapshots.append(step.snapshot)
                    if one:
                        return
            left = until - time.perf_counter()
            if left <= 0:
                return
            self._take(left)

    def _take(self, seconds: float, *, may_begin: bool = True) -> None:
        """Take what comes next from the worker, within about that time; begin, or begin again, where it is needed."""
        if self._batches is None:
            self._batches = self._begin()
        try:
            found, batch = self._batches.within(seconds)
        except StopIteration:
            run, self._batches = self._batches.value, None
            if run is not None and (run.status != "stopped" or not may_begin):
                self._finish(run)
            elif run is not None:
                self._stopped = run
        except RelucertError as problem:
            self._batches = None
            self._over("stopped", str(problem))
        else:
            if found:
                self._ahead.extend(batch.steps)
                self.frames = batch.frames or self.frames

    def _begin(self) -> Improvements:
        settings = self.setup.settings
        skip = len(self.losses) + len(self._ahead)
        return follow(
            training_batches, *self.setup.points, settings, BOX, seconds=JOB_SECONDS, kind=f"training {settings}",
            lane=BESIDE, patient=True, skip=skip, stopped=self._stopped,
        )  # fmt: skip

    def _finish(self, run: ToyRun) -> None:
        self.snapshots = list(run.snapshots)
        self.losses = list(run.losses)
        self._over(run.status, run.message)

    def _over(self, status: str, message: str) -> None:
        self.moments = []
        self._ahead.clear()
        self.status, self.message, self.playing = status, message, False
        self._batches = None


def first_snapshot(setup: Setup) -> Snapshot:
    """The network before any training."""
    settings: Any = replace(setup.settings, epochs=1, method="plain", snapshots=1)
    return train_toy(*setup.trained_on, settings).snapshots[0]
