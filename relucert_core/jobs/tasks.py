"""The units of a run: a block of images for one method, cut so that any number of workers computes the same lines.

Blocks are cut by the images' index in the data, never by shard or by what is already done: some methods work on a
block in one go, and the last digits of a radius may depend on how the work was cut. Where an answer of a block is
missing, the whole block is computed again, and only what is missing is written.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from relucert_core.arrays import Matrix
from relucert_core.errors import InvalidInput
from relucert_core.network import Network

BLOCK = 64
CERTIFICATE, ATTACK = "certificate", "attack"
DIED, MEMORY = "the worker died three times", "out of memory"
Answer = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """What is computed: a certificate or an attack, its options, and whether the true labels are what it is about.

    block: images a task. witnesses: keep the adversarial points in the answers.
    """

    kind: str
    name: str
    norm: float
    use_labels: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    block: int = BLOCK
    witnesses: bool = False


class Work(Protocol):
    """What a crew carries out, and a loop hands on: all answers of a task, or what is said when there are none."""

    def carry_out(self, context: Context) -> list[Any]:
        """The answers; called in a worker."""

    def failed(self, status: str) -> list[Any]:
        """As many answers that say nothing but the status."""


@dataclass(frozen=True, eq=False)
class Task:
    """One method on the images `start`, `start` + 1, ...: points (b, D), labels (b,) or None; `wanted`: the indices
    whose answers are to be written."""

    method: Method
    start: int
    points: Matrix
    labels: np.ndarray | None
    wanted: tuple[int, ...]

    def carry_out(self, context: Context) -> list[Answer]:
        """See `answers`."""
        return answers(context, self)

    def failed(self, status: str) -> list[Answer]:
        """What is said of `wanted` when there is no answer: a radius of 0 holds always, no attack found nothing."""
        if self.method.kind == ATTACK:
            one: Answer = {"distance": None, "success": False, "status": status, "prediction": None, "attacked": None}
        else:
            one = {"radius": 0.0, "guarantee": "lower bound", "status": status, "prediction": None, "upper": None}
        return [{"kind": self.method.kind, **one, "seconds": None} for _ in self.wanted]


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `count`: of the blocks 0, 1, 2, ... every count-th one."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard "i/n". Raises InvalidInput."""
        try:
            number, count = (int(part) for part in text.split("/"))
        except ValueError:
            number, count = 0, 0
        if not 1 <= number <= count <= 1_000_000:
            raise InvalidInput(f"--shard takes i/n with 1 <= i <= n, such as 1/8; {text[:40]!r} came.")
        return cls(number, count)

    def has(self, block: int) -> bool:
        """Does this shard compute that block?"""
        return block % self.count == self.number - 1


@dataclass(frozen=True, eq=False)
class Context:
    """What every task needs and a worker keeps: the network, and the starting points of attacks, (S, D) or None."""

    net: Network
    starts: Matrix | None = None

    def payload(self) -> bytes:
        """The context as bytes, to be sent to workers."""
        return pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)


def blocks(methods: Collection[Method], images: int, shard: Shard) -> Iterator[tuple[Method, range]]:
    """The blocks of a shard, the first images of every method first."""
    longest = max((method.block for method in methods), default=BLOCK)
    for start in range(0, images, longest):
        for method in methods:
            for first in range(start, min(start + longest, images), method.block):
                if shard.has(first // method.block):
                    yield method, range(first, min(first + method.block, images))


def open_tasks(
    methods: Collection[Method],
    points: np.ndarray,
    labels: np.ndarray | None,
    done: Collection[tuple[int, str]],
    shard: Shard,
) -> Iterator[Task]:
    """The tasks of a shard that have an answer missing; `done` holds the (index, method) answered already."""
    for method, rows in blocks(methods, len(points), shard):
        wanted = tuple(i for i in rows if (i, method.name) not in done)
        if wanted:
            part = slice(rows.start, rows.stop)
            yield Task(method, rows.start, points[part], None if labels is None else labels[part], wanted)


def answers(context: Context, task: Task) -> list[Answer]:
    """The answers to `task.wanted`, in order. A lack of memory is an answer too: radius 0, or nothing found."""
    try:
        found = _certified(context, task) if task.method.kind == CERTIFICATE else _attacked(context, task)
    except MemoryError:
        return task.failed(MEMORY)
    return [found[i - task.start] for i in task.wanted]


def _certified(context: Context, task: Task) -> list[Answer]:
    from relucert_core.jobs.lines import packed_point
    from relucert_core.registry import certify

    method = task.method
    labels = task.labels if method.use_labels else None
    batch = certify(context.net, task.points, method=method.name, norm=method.norm, label=labels, **method.options)
    return [
        {
            "kind": CERTIFICATE,
            "radius": c.radius,
            "guarantee": c.guarantee,
            "status": c.status,
            "prediction": c.prediction,
            "against": c.label,
            "limit": None if c.limit is None else str(c.limit),
            "upper": c.upper,
            "ratio": c.ratio,
            **({"witness": packed_point(c.witness)} if method.witnesses and c.witness is not None else {}),
            "parts": dict(c.parts),
            "seconds": c.seconds,
        }
        for c in batch
    ]


def _attacked(context: Context, task: Task) -> list[Answer]:
    from relucert_core.attacks import attack
    from relucert_core.jobs.lines import packed_point

    method = task.method
    labels = task.labels if method.use_labels else None
    own = {**method.options, "label": labels, "starts": context.starts}
    found = attack(context.net, task.points, method=method.name, norm=method.norm, **own)
    return [
        {
            "kind": ATTACK,
            "distance": a.distance,
            "success": a.success,
            "status": "ok" if a.success else "nothing was found",
            "prediction": a.prediction,
            "attacked": a.label,
            **({"witness": packed_point(a.point)} if method.witnesses and a.success else {}),
            "seconds": a.seconds,
        }
        for a in found
    ]
