"""A run: methods on images, carried out by a crew, each answer a line of a file that a later run goes on with."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.jobs.crews import crew
from relucert_core.jobs.lines import FORMAT, Line, point_digest
from relucert_core.jobs.loop import carry_out
from relucert_core.jobs.output import Output, answered, opened
from relucert_core.jobs.tasks import Answer, Context, Method, Shard, Task, blocks, open_tasks
from relucert_core.words import norm_name


@dataclass(frozen=True, eq=False)
class Run:
    """What is to be answered, and how.

    points (B, D), labels (B,) or None, names: one an image. settings: what else the answers depend on; with the
    network and the norm they give the run's identity, so that lines of different runs are never mixed in one file.
    """

    context: Context
    network: str
    points: np.ndarray
    labels: np.ndarray | None
    names: Sequence[str]
    methods: Sequence[Method]
    settings: Mapping[str, Any] = field(default_factory=dict)
    shard: Shard = field(default_factory=Shard)

    @property
    def identity(self) -> str:
        """Twelve hexadecimal digits that stand for all that the answers depend on but images and methods."""
        norms = sorted({method.norm for method in self.methods})
        text = repr((FORMAT, self.context.net.digest, norms, sorted(self.settings.items())))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Progress:
    """`done` of `total` answers, of which `now` were found in this run, in `seconds`."""

    done: int
    total: int
    now: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second in this run."""
        return self.now / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At this rate; None before the first answer."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None


def run(
    wanted: Run,
    out: Path | None,
    *,
    workers: int = 1,
    dask: str | None = None,
    show: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Find every answer that `out` does not hold yet, and append it as it comes.

    Raises InvalidInput when `out` belongs to a run of other settings or images, or is being written by another run;
    DataUnavailable when it cannot be written (any further); KeyboardInterrupt after SIGINT or SIGTERM. What was
    written is whole in each case, and the same call goes on from there.
    """
    keys = [f"{name}#{point_digest(point)}" for name, point in zip(wanted.names, wanted.points, strict=True)]
    with opened(out) as output:
        done = _known(wanted, out, keys)
        total = sum(len(rows) for _, rows in blocks(wanted.methods, len(keys), wanted.shard))
        tasks = open_tasks(wanted.methods, wanted.points, wanted.labels, set(done), wanted.shard)
        taker = _Taker(wanted, keys, output, done, total, show)
        first = next(tasks, None)
        if first is None:
            return
        with closing(crew(wanted.context, workers, dask)) as workforce:
            carry_out(_again(first, tasks), workforce, taker.take)


def _again(first: Task, rest: Any) -> Any:
    yield first
    yield from rest


def _known(wanted: Run, out: Path | None, keys: list[str]) -> set[tuple[int, str]]:
    """The answers of this run's methods that `out` holds; InvalidInput when they are about other images."""
    names = {method.name for method in wanted.methods}
    known = set()
    for (index, method), image in answered(out, wanted.identity).items():
        if index < len(keys):
            if image != keys[index]:
                raise InvalidInput(f"Line {image[:80]!r} is about another image; name another --out file.")
            if method in names:
                known.add((index, method))
    return known


class _Taker:
    """Writes answers as lines, each once, and says how far the run is."""

    def __init__(
        self,
        wanted: Run,
        keys: list[str],
        output: Output,
        done: set[tuple[int, str]],
        total: int,
        show: Callable[[Progress], None],
    ) -> None:
        self._wanted, self._keys, self._output, self._show = wanted, keys, output, show
        self._done, self._total, self._begun = done, total, time.monotonic()
        self._before = self._count = self._in_shard(done)

    def _in_shard(self, done: set[tuple[int, str]]) -> int:
        sizes = {method.name: method.block for method in self._wanted.methods}
        return sum(self._wanted.shard.has(index // sizes[name]) for index, name in done)

    def take(self, task: Task, answers: list[Answer]) -> None:
        """Write the answers of a task that are not written yet."""
        name = task.method.name
        fresh = [(i, a) for i, a in zip(task.wanted, answers, strict=True) if (i, name) not in self._done]
        if not fresh:
            return
        self._output.write(self._line(task.method, i, answer) for i, answer in fresh)
        self._done |= {(i, name) for i, _ in fresh}
        self._count += len(fresh)
        now, seconds = self._count - self._before, time.monotonic() - self._begun
        self._show(Progress(self._count, self._total, now, seconds))

    def _line(self, method: Method, index: int, answer: Answer) -> Line:
        wanted = self._wanted
        return {
            "format": FORMAT,
            "index": index,
            "image": self._keys[index],
            "label": None if wanted.labels is None else int(wanted.labels[index]),
            "network": wanted.network,
            "digest": wanted.context.net.digest,
            "method": method.name,
            "norm": norm_name(method.norm),
            "run": wanted.identity,
            **answer,
        }
