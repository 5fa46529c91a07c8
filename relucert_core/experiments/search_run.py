"""A search from one point as a record: its bounds over time, its witness, and where it comes from; stored as JSON."""

from __future__ import annotations

import base64
import gzip
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.experiments.records import Header
from relucert_core.forward import rival_logits
from relucert_core.network import Network
from relucert_core.paths import RESULTS
from relucert_core.rounding import below
from relucert_core.search.ledger import SEARCHING, SearchStep
from relucert_core.witness import WITNESS_SLACK
from relucert_core.words import norm_name

FORMAT = "relucert search 1"
STOPPED = "stopped"
_MOST = 400  # readings that are kept: more than a figure can show
_APART = 1.02  # two readings with the same bounds are this factor apart in time


@dataclass(frozen=True)
class Reading:
    """Both bounds, regions (or nodes) worked through and waiting, at a time in seconds since the start.

    lower_by, upper_by: the method that made either bound, as in `SearchStep`; empty where that is not known.
    """

    seconds: float
    lower: float
    upper: float
    regions: int
    queue: int
    lower_by: str = ""
    upper_by: str = ""


@dataclass(frozen=True)
class Subject:
    """What is searched: network name and digest, name of the point, class defended, norm ("L2"), method."""

    network: str
    digest: str
    point: str
    label: int
    norm: str
    method: str


@dataclass(frozen=True, eq=False)
class SearchRun:
    """A search as far as it got.

    The exact radius lies in [lower, upper]. status: why it ended, "stopped" by hand, or "searching". witness: (D,), an
    adversarial point at the distance `upper`, or None. rival: the class that the witness is read as. header: for
    stored runs, the command and commit that made it.
    """

    subject: Subject
    readings: tuple[Reading, ...]
    status: str
    witness: np.ndarray | None = None
    rival: int | None = None
    header: Header | None = None

    @property
    def last(self) -> Reading:
        """The newest reading."""
        return self.readings[-1]

    @property
    def lower(self) -> float:
        """The certified radius."""
        return self.last.lower

    @property
    def upper(self) -> float:
        """The distance of the witness; inf without one."""
        return self.last.upper

    @property
    def exact(self) -> bool:
        """Does the witness prove the radius, up to the factor 1 + 1e-6?"""
        return self.witness is not None and self.upper <= below(self.lower * (1 + WITNESS_SLACK))


@dataclass(eq=False)
class Recorder:
    """Takes the steps of a search as they come; `run` is the record so far. patterns: those worked through."""

    net: Network
    subject: Subject
    readings: list[Reading] = field(default_factory=list)
    status: str = SEARCHING
    witness: np.ndarray | None = None
    patterns: list[np.ndarray] = field(default_factory=list)

    def add(self, step: SearchStep, *, keep_patterns: bool = False) -> None:
        """One more step."""
        new = Reading(
            step.seconds, step.lower, step.upper, step.regions, step.queue, step.lower_by, step.upper_by
        )  # fmt: skip
        old = self.readings[-2:]
        same = len(old) == 2 and all((r.lower, r.upper) == (new.lower, new.upper) for r in old)
        if same and new.seconds < _APART * old[0].seconds:
            self.readings.pop()
        self.readings.append(new)
        self.status, self.witness = step.status, step.witness
        if keep_patterns and step.patterns.size:
            self.patterns.append(step.patterns)

    def stop(self) -> None:
        """The search was stopped from outside; what is known stays valid."""
        if self.status == SEARCHING:
            self.status = STOPPED

    def run(self, header: Header | None = None) -> SearchRun:
        """The record so far."""
        rival = rival_at(self.net, self.witness, self.subject.label)
        return SearchRun(self.subject, thinned(self.readings), self.status, self.witness, rival, header)


def subject_of(net: Network, name: str, point: str, label: int, norm: float, method: str) -> Subject:
    """The subject of a search; `name` is the network's, `point` that of the point, for people to read."""
    return Subject(name, net.digest, point, label, norm_name(norm), method)


def follow(recorder: Recorder, steps: Iterator[SearchStep], *, keep_patterns: bool = False) -> Iterator[SearchRun]:
    """The record after every step; closing this generator closes the search."""
    try:
        for step in steps:
            recorder.add(step, keep_patterns=keep_patterns)
            yield recorder.run()
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()
        recorder.stop()


def thinned(readings: list[Reading], most: int = _MOST) -> tuple[Reading, ...]:
    """At most `most` of the readings, evenly over the logarithm of time; the first and the last always."""
    if len(readings) <= most:
        return tuple(readings)
    times = np.log(np.maximum([r.seconds for r in readings], 1e-3))
    wanted = np.linspace(times[0], times[-1], most)
    rows = np.unique(np.clip(np.searchsorted(times, wanted), 0, len(readings) - 1))
    return tuple(readings[i] for i in sorted({0, *rows.tolist(), len(readings) - 1}))


def at_seconds(run: SearchRun, seconds: float) -> Reading:
    """The last reading not after `seconds`; the first one if there is none."""
    return next((r for r in reversed(run.readings) if r.seconds <= seconds), run.readings[0])


def explored_patterns(recorder: Recorder) -> np.ndarray:
    """All patterns that `neighbours` has worked through so far, (S, N) bool, in the order of the walk."""
    return np.concatenate(recorder.patterns) if recorder.patterns else np.zeros((0, 0), dtype=bool)


def run_path(model: str, point: str, method: str = "exact", norm: str = "L2") -> Path:
    """Where the stored run on a shipped network is."""
    return RESULTS / f"search-{model}-{point}-{method}-{norm}.json.gz"


def write_run(run: SearchRun, path: Path) -> None:
    """Write a run, packed, in one move; the same bytes for the same record."""
    values: dict[str, Any] = {"format": FORMAT, **asdict(run)}
    values["readings"] = [
        [r.seconds, r.lower, r.upper if math.isfinite(r.upper) else None, r.regions, r.queue, r.lower_by, r.upper_by]
        for r in run.readings
    ]
    if run.witness is not None:
        values["witness"] = base64.b64encode(np.ascontiguousarray(run.witness, "<f8").tobytes()).decode("ascii")
    partial = path.with_name(f"{path.name}.part{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(gzip.compress(json.dumps(values, allow_nan=False).encode(), mtime=0))
    partial.replace(path)


def read_run(path: Path) -> SearchRun:
    """The run that `write_run` wrote; InvalidInput when the file is damaged."""
    try:
        values = json.loads(gzip.decompress(path.read_bytes()))
        if values.pop("format") != FORMAT:
            raise ValueError
        readings = tuple(
            Reading(t, low, math.inf if up is None else up, *rest) for t, low, up, *rest in values["readings"]
        )
        packed = values["witness"]
        witness = None if packed is None else np.frombuffer(base64.b64decode(packed), "<f8").astype(np.float64)
        header = None if values["header"] is None else Header(**values["header"])
        subject = Subject(**values["subject"])
        return SearchRun(subject, readings, str(values["status"]), witness, values["rival"], header)
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        raise InvalidInput(f"{path.name} is no stored search of ours: run the search again to write it.") from None


def stored_run(net: Network, model: str, point: str, method: str = "exact", norm: str = "L2") -> SearchRun | None:
    """The run that ships for this network and point; None when there is none, or when the weights are others."""
    path = run_path(model, point, method, norm)
    if not path.is_file():
        return None
    run = read_run(path)
    return run if run.subject.digest == net.digest else None


def rival_at(net: Network, witness: np.ndarray | None, label: int) -> int | None:
    """The best class besides `label` at the witness: there it leads, or ties. None without a witness."""
    return None if witness is None else int(rival_logits(np.asarray(net(witness)), label).argmax())
