"""A training told in batches of a moment each, with a picture of the network: what a worker sends to a page."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from relucert_core.network import Network
from relucert_core.planar import OverBudget, planar_complex
from relucert_core.planar.preview import frames_data, thinned
from relucert_core.training.toy import Snapshot, ToyRun, ToySettings, ToyStep, toy_steps

BATCH_SECONDS = 0.12
_LIVE_REGIONS = 6000


@dataclass(frozen=True)
class Batch:
    """Some epochs in a row, and the picture of the last network that was kept in them; None if it is too large."""

    steps: tuple[ToyStep, ...]
    frames: dict[str, Any] | None = None


def training_batches(
    points: np.ndarray,
    labels: np.ndarray,
    settings: ToySettings,
    half: float,
    *,
    skip: int = 0,
    stopped: ToyRun | None = None,
) -> Generator[Batch, bool | None, ToyRun]:
    """`toy_steps` in batches, without the first `skip` epochs; send(True) stops it there.

    half: half the side of the square of the pictures. stopped: an earlier part of this very run, from whose end it goes
    on; without it the epochs that are skipped are computed again.
    """
    steps, batch, begun = toy_steps(points, labels, settings, stopped), list[ToyStep](), time.perf_counter()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            if batch:
                yield Batch(tuple(batch), _picture(batch, half))
            return _run(end)
        if step.epoch <= skip:
            continue
        batch.append(step)
        if time.perf_counter() - begun > BATCH_SECONDS:
            stop = yield Batch(tuple(batch), _picture(batch, half))
            if stop:
                try:
                    steps.send(True)
                except StopIteration as end:
                    return _run(end)
            batch, begun = [], time.perf_counter()


def pictures_of(run: list[tuple[int, Network]], half: float, max_regions: int) -> dict[str, Any]:
    """The pictures of a training's networks, each with its epoch, for the time slider; of very large ones only some.

    Raises OverBudget when one has more than `max_regions` regions.
    """
    planes = [planar_complex(net, ((-half, half), (-half, half)), max_regions=max_regions) for _, net in run]
    kept = thinned([len(plane.decision.sizes) for plane in planes])
    return frames_data([planes[i] for i in kept], [run[i][0] for i in kept])


def _picture(batch: list[ToyStep], half: float) -> dict[str, Any] | None:
    kept: Snapshot | None = next((step.snapshot for step in reversed(batch) if step.snapshot is not None), None)
    if kept is None:
        return None
    try:
        return pictures_of([(kept.epoch, kept.network)], half, _LIVE_REGIONS)
    except OverBudget:
        return None


def _run(end: StopIteration) -> ToyRun:
    run: ToyRun = end.value
    return run
