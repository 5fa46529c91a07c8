"""A prepared experiment: which answers it needs, the run that finds the missing ones, and the record of them all.

The run is a generator: whoever drives it may stop at any report, nothing runs on behind, and what was found is kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from relucert_core.experiments.records import LOWER, NOT_RUN, UPPER, Panel, Record, Series, make_header
from relucert_core.experiments.store import Answer, LineStore, point_digests
from relucert_core.network import Network
from relucert_core.words import norm_name

NOTHING_FOUND = "nothing found"
_NOT_RUN = Answer(math.nan, NOT_RUN, 0.0)
Work = Callable[[np.ndarray], list[Answer]]


@dataclass(frozen=True, eq=False)
class Task:
    """One method on one network: its series without the answers, where they are kept, how they are found.

    work: points (B, D) -> B answers. chunk: how many points it takes at a time. first: it is run on the first so many
    images only.
    """

    method: str
    title: str
    kind: str
    store: LineStore[Answer]
    work: Work
    chunk: int = 10
    paper_seconds: float | None = None
    first: int | None = None


@dataclass(frozen=True, eq=False)
class PanelPlan:
    """A network, its points (B, D) and its tasks; the rest as in `Panel`."""

    network: str
    title: str
    net: Network
    weights: str
    points: np.ndarray
    images: tuple[int, ...]
    labels: tuple[int | None, ...]
    tasks: tuple[Task, ...]
    radii: bool = True


@dataclass(frozen=True)
class Progress:
    """Where a run stands: answers found (`done` of `total`), images with all answers, what comes next, seconds left.

    An image is counted once, and is done when every network of the experiment that has it is done with it.

    `seconds_left` is None until something was measured in this run.
    """

    done: int
    total: int
    images_done: int
    images: int
    words: str
    seconds_left: float | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """An experiment that is ready to run; `settings` and `command` make it again. `timing`: see `Record`."""

    experiment: str
    norm: float
    settings: Mapping[str, Any]
    command: str
    timing: str
    panels: tuple[PanelPlan, ...]

    def standing(self) -> Progress:
        """Where the experiment stands, from what is kept; nothing is computed."""
        return _Standing(self).progress("")

    def run(self) -> Iterator[Progress]:
        """Find the missing answers, a chunk of images at a time; a report before every chunk, and one at the end."""
        standing = _Standing(self)
        for plan, task, rows in standing.missing():
            last = f" to {plan.images[rows[-1]]}" if len(rows) > 1 else ""
            yield standing.progress(f"{task.title} on {plan.network}, image {plan.images[rows[0]]}{last}")
            begun = time.perf_counter()
            answers = task.work(plan.points[rows])
            standing.enter(task, rows, answers, time.perf_counter() - begun)
        yield standing.progress("done")

    def forget(self) -> None:
        """Throw away what is kept, so that the next run starts afresh."""
        for plan in self.panels:
            for task in plan.tasks:
                task.store.clear()

    def record(self) -> Record:
        """The images that have all their answers, as a record; nothing is computed but the predictions."""
        header = make_header(self.command, torch.get_num_threads())
        panels = tuple(_panel(plan) for plan in self.panels)
        return Record(self.experiment, norm_name(self.norm), dict(self.settings), self.timing, header, panels)


class _Standing:
    """What is known so far in a run, kept beside the stores so that they are read once."""

    def __init__(self, prepared: Prepared) -> None:
        self.plans = prepared.panels
        self.names = {id(plan): point_digests(plan.points) for plan in self.plans}
        self.known = {
            id(task): set(task.store.read()) & set(self.names[id(plan)][: task.first])
            for plan in self.plans
            for task in plan.tasks
        }
        self.wanted = {id(task): set(self.names[id(plan)][: task.first]) for plan in self.plans for task in plan.tasks}
        self.owner = {id(task): plan for plan in self.plans for task in plan.tasks}
        self.pace: dict[int, float] = {}

    def missing(self) -> Iterator[tuple[PanelPlan, Task, list[int]]]:
        """The chunks of rows without an answer: the first images of all networks and methods first.

        What is run on the first images only takes long, and comes after all the rest.
        """
        tasks = [(plan, task) for plan in self.plans for task in plan.tasks]
        for late in (False, True):
            yield from self._missing([pair for pair in tasks if (pair[1].first is not None) == late])

    def _missing(self, tasks: list[tuple[PanelPlan, Task]]) -> Iterator[tuple[PanelPlan, Task, list[int]]]:
        longest = max((len(plan.images) for plan, _ in tasks), default=0)
        step = max((task.chunk for _, task in tasks), default=1)
        for start in range(0, longest, step):
            for plan, task in tasks:
                end = min(start + step, len(plan.images[: task.first]))
                yield from self._chunks(plan, task, range(start, end))

    def _chunks(self, plan: PanelPlan, task: Task, rows: Sequence[int]) -> Iterator[tuple[PanelPlan, Task, list[int]]]:
        names, known = self.names[id(plan)], self.known[id(task)]
        open_rows = [row for row in rows if names[row] not in known]
        for first in range(0, len(open_rows), task.chunk):
            yield plan, task, open_rows[first : first + task.chunk]

    def enter(self, task: Task, rows: list[int], answers: list[Answer], seconds: float) -> None:
        """Keep new answers; `seconds` is how long they took, all in all."""
        names = [self.names[id(self.owner[id(task)])][row] for row in rows]
        task.store.append(names, answers)
        self.known[id(task)] |= set(names)
        self.pace[id(task)] = seconds / len(rows)

    def progress(self, words: str) -> Progress:
        """The state of the standing."""
        done = sum(map(len, self.known.values()))
        total = sum(map(len, self.wanted.values()))
        images = max((len(plan.images) for plan in self.plans), default=0)
        ready = sum(all(self._ready(plan, row) for plan in self.plans) for row in range(images))
        return Progress(done, total, ready, images, words, self._seconds_left())

    def _ready(self, plan: PanelPlan, row: int) -> bool:
        """Has the network all its answers for the image in this row, if it has such a row?"""
        for name in self.names[id(plan)][row : row + 1]:
            return all(name in self.known[id(task)] or name not in self.wanted[id(task)] for task in plan.tasks)
        return True

    def _seconds_left(self) -> float | None:
        """Each task at its own latest pace; a task not yet met at the mean pace of the others."""
        if not self.pace:
            return None
        usual = sum(self.pace.values()) / len(self.pace)
        return sum(
            self.pace.get(task, usual) * (len(self.wanted[task]) - len(known)) for task, known in self.known.items()
        )


def _panel(plan: PanelPlan) -> Panel:
    names, stores = point_digests(plan.points), [task.store.read() for task in plan.tasks]
    wanted = [set(names[: task.first]) for task in plan.tasks]
    rows = [
        i for i, name in enumerate(names)
        if all(name in answers or name not in asked for answers, asked in zip(stores, wanted, strict=True))
    ]  # fmt: skip
    net = plan.net
    predictions = tuple(net(plan.points[rows]).argmax(-1).tolist()) if rows else ()
    series = tuple(
        _series(task, [answers[names[i]] if names[i] in asked else _NOT_RUN for i in rows])
        for task, answers, asked in zip(plan.tasks, stores, wanted, strict=True)
    )
    return Panel(
        network=plan.network,
        title=plan.title,
        digest=net.digest,
        architecture=(net.inputs, *net.widths, net.classes),
        weights=plan.weights,
        images=tuple(plan.images[i] for i in rows),
        labels=tuple(plan.labels[i] for i in rows),
        predictions=predictions,
        series=series,
        radii=plan.radii,
    )


def _series(task: Task, answers: list[Answer]) -> Series:
    values, statuses = tuple(a.value for a in answers), tuple(a.status for a in answers)
    seconds = tuple(a.seconds for a in answers)
    return Series(task.method, task.title, task.kind, values, statuses, seconds, task.paper_seconds)


def certificate_work(net: Network, method: str, norm: float) -> Work:
    """Points (B, D) -> the radii of a certificate, with each point's share of the time."""

    def work(points: np.ndarray) -> list[Answer]:
        from relucert_core.certificates.result import CertificateBatch
        from relucert_core.registry import certify

        batch = certify(net, points, method=method, norm=norm)
        assert isinstance(batch, CertificateBatch)
        return [Answer(c.radius, c.status, c.seconds) for c in batch]

    return work


def attack_work(net: Network, method: str, norm: float) -> Work:
    """Points (B, D) -> the distances of an attack without starts, with each point's share of the time."""

    def work(points: np.ndarray) -> list[Answer]:
        from relucert_core.attacks import AttackBatch, attack

        found = attack(net, points, method=method, norm=norm)
        assert isinstance(found, AttackBatch)
        return [Answer(a.distance, "ok" if a.success else NOTHING_FOUND, a.seconds) for a in found]

    return work


def kind_of(method: str) -> str:
    """LOWER for a certificate, UPPER for an attack."""
    from relucert_core.attacks import ATTACKS

    return UPPER if method in ATTACKS else LOWER
