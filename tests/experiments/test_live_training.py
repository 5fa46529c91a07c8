"""A training in batches is the training itself; one that is begun again goes on where it was."""

from __future__ import annotations

import numpy as np
import pytest

from relucert_core.experiments import live_training
from relucert_core.experiments.live_training import pictures_of, training_batches
from relucert_core.planar import OverBudget
from relucert_core.training.toy import ToySettings, train_toy

SETTINGS = ToySettings(hidden=(6,), epochs=30, snapshots=5)


@pytest.fixture(scope="module")
def data():
    points = np.random.default_rng(1).normal(size=(40, 2))
    return points, (points.sum(1) > 0).astype(int)


@pytest.fixture(scope="module")
def whole(data):
    return train_toy(*data, SETTINGS)


def followed(stream):
    steps, pictures = [], []
    while True:
        try:
            batch = next(stream)
        except StopIteration as end:
            return steps, pictures, end.value
        steps += batch.steps
        pictures.append(batch.frames)


@pytest.mark.parametrize("skip", [0, 1, 17, 30])
@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_batches_are_the_training_without_the_first_epochs(data, whole, monkeypatch, seconds, skip):
    monkeypatch.setattr(live_training, "BATCH_SECONDS", seconds)
    steps, pictures, run = followed(training_batches(*data, SETTINGS, 1.25, skip=skip))
    assert [step.epoch for step in steps] == list(range(skip + 1, 31))
    assert [step.loss for step in steps] == list(whole.losses[skip:])
    assert run.network == whole.network
    kept = [step.epoch for step in steps if step.snapshot is not None]
    told = [frames["epochs"][0] for frames in pictures if frames is not None]
    assert set(told) <= set(kept)
    assert told == kept[-1:] or (seconds == 0.0 and told == kept)


def test_a_training_is_stopped_in_good_order(data, monkeypatch):
    monkeypatch.setattr(live_training, "BATCH_SECONDS", 0.0)
    stream = training_batches(*data, SETTINGS, 1.25)
    for _ in range(4):
        next(stream)
    with pytest.raises(StopIteration) as end:
        stream.send(True)
    assert end.value.value.status == "stopped"
    assert len(end.value.value.losses) == 4


def test_a_stopped_training_goes_on_without_computing_anything_again(data, whole, monkeypatch):
    monkeypatch.setattr(live_training, "BATCH_SECONDS", 0.0)
    steps, run = [], None
    for _ in range(3):
        stream = training_batches(*data, SETTINGS, 1.25, skip=len(steps), stopped=run)
        for _ in range(5):
            steps += next(stream).steps
        with pytest.raises(StopIteration) as end:
            stream.send(True)
        run = end.value.value
        assert run.checkpoint.epoch == len(steps)
    begun = []
    real = live_training.toy_steps
    monkeypatch.setattr(live_training, "toy_steps", lambda *args: begun.append(args[3]) or real(*args))
    rest, _, run = followed(training_batches(*data, SETTINGS, 1.25, skip=len(steps), stopped=run))
    assert begun[0].checkpoint.epoch == 15
    assert [step.epoch for step in steps + rest] == list(range(1, 31))
    assert run.losses == whole.losses
    assert [kept.epoch for kept in run.snapshots] == [kept.epoch for kept in whole.snapshots]
    assert [kept.network.digest for kept in run.snapshots] == [kept.network.digest for kept in whole.snapshots]


def test_what_is_too_large_has_no_picture(data, whole, monkeypatch):
    with pytest.raises(OverBudget):
        pictures_of([(30, whole.network)], 1.25, 2)
    monkeypatch.setattr(live_training, "_LIVE_REGIONS", 2)
    _, pictures, run = followed(training_batches(*data, SETTINGS, 1.25))
    assert pictures == [None] * len(pictures)
    assert np.isfinite(run.losses).all()
