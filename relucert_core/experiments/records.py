"""What an experiment says: frozen records, their JSON and CSV, and the header that tells where they come from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from relucert_core.citation import in_csv, made_by
from relucert_core.errors import InvalidInput
from relucert_core.paths import INSTALLED, ROOT

LOWER, UPPER = "lower bound", "upper bound"
NOT_RUN = "not run"  # the status of an image that a method was not asked for; its value is NaN
FORMAT = "relucert experiment 1"
_PACKAGES = ("torch", "numpy", "scipy")
COLUMNS = (
    "experiment",
    "network",
    "image",
    "label",
    "prediction",
    "method",
    "kind",
    "norm",
    "value",
    "status",
    "seconds",
)


@dataclass(frozen=True)
class Header:
    """Where a record comes from: the command that makes it again, the commit, the date (UTC), the machine."""

    command: str
    commit: str
    date: str
    hardware: str
    threads: int
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Series:
    """One method on one network, an entry an image.

    kind: "lower bound" (certified radii) or "upper bound" (distances of adversarial points). values: inf where
    nothing limits the ball, or where an attack found nothing; NaN with the status NOT_RUN where the method was not
    asked. seconds: for an image, see `Record.timing`.
    paper_seconds: the run time that the paper's Table 1 gives, if it does.
    """

    method: str
    title: str
    kind: str
    values: tuple[float, ...]
    statuses: tuple[str, ...]
    seconds: tuple[float, ...]
    paper_seconds: float | None = None

    @property
    def rows(self) -> tuple[int, ...]:
        """The images that the method was run on."""
        return tuple(i for i, status in enumerate(self.statuses) if status != NOT_RUN)

    def at(self, rows: Iterable[int]) -> Series:
        """The series of these images alone."""
        chosen = list(rows)
        return replace(
            self,
            values=tuple(self.values[i] for i in chosen),
            statuses=tuple(self.statuses[i] for i in chosen),
            seconds=tuple(self.seconds[i] for i in chosen),
        )


@dataclass(frozen=True)
class Panel:
    """One network with its images: indices in the data, labels (None: none), predictions, and a series a method.

    weights: how they came about, in words. radii: whether the radii mean something (not for random weights).
    """

    network: str
    title: str
    digest: str
    architecture: tuple[int, ...]
    weights: str
    images: tuple[int, ...]
    labels: tuple[int | None, ...]
    predictions: tuple[int, ...]
    series: tuple[Series, ...]
    radii: bool = True

    def find(self, method: str) -> Series | None:
        """The series of a method, or None."""
        return next((s for s in self.series if s.method == method), None)


@dataclass(frozen=True)
class Record:
    """The result of one experiment: its name, settings, header and a panel a network. `norm` as in "L2".

    timing says how `Series.seconds` were taken.
    """

    experiment: str
    norm: str
    settings: Mapping[str, Any]
    timing: str
    header: Header
    panels: tuple[Panel, ...] = field(default_factory=tuple)

    @property
    def images(self) -> int:
        """The number of images of the largest panel."""
        return max((len(panel.images) for panel in self.panels), default=0)


def make_header(command: str, threads: int) -> Header:
    """The header of a run on this machine, now."""
    versions = {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}
    return Header(command, commit(), today(), hardware(), threads, versions)


def today() -> str:
    """The date and time of now as records have it, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def hardware() -> str:
    """Processor, number of cores, operating system; nothing that names the machine."""
    cores = os.cpu_count() or 1
    return f"{_processor()}, {cores} core{'s' if cores > 1 else ''}, {platform.system()} {platform.machine()}"


def commit() -> str:
    """The project's commit, with a note when other files than stored results differ; "unknown" outside a clone."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if not head:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)assets/experiments")
    return f"{head}, with changes" if changed else head


def to_json(record: Record) -> str:
    """The record as JSON; an infinite value is null (its status stands beside it)."""
    values = {"format": FORMAT, **asdict(record), "made_by": provenance(record)}
    for panel in values["panels"]:
        for series in panel["series"]:
            series["values"] = [v if math.isfinite(v) else None for v in series["values"]]
    return json.dumps(values, allow_nan=False) + "\n"


def from_json(text: str) -> Record:
    """The record that `to_json` wrote; InvalidInput for anything else."""
    try:
        values = json.loads(text)
        if values.pop("format") != FORMAT:
            raise ValueError
        values.pop("made_by", None)  # how to cite it, for whoever reads the file
        values["header"] = Header(**values["header"])
        values["panels"] = tuple(_panel(panel) for panel in values["panels"])
        return Record(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput("This is no stored experiment of ours: run the experiment again to write one.") from None


def provenance(record: Record) -> dict[str, str]:
    """What the record, its tables and its figures say of their making."""
    return made_by(record.header.command, **{panel.network: panel.digest for panel in record.panels})


def to_csv(record: Record) -> str:
    """One line for each image and method, with the columns COLUMNS; infinite values are "inf".

    Before them, in lines that begin with #, how it was made.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for panel in record.panels:
        for series in panel.series:
            for row, (value, status, seconds) in enumerate(
                zip(series.values, series.statuses, series.seconds, strict=True)
            ):
                image = (panel.images[row], panel.labels[row], panel.predictions[row])
                about = (series.method, series.kind, record.norm)
                writer.writerow((record.experiment, panel.network, *image, *about, repr(value), status, repr(seconds)))
    return in_csv(buffer.getvalue(), provenance(record))


def write_record(record: Record, path: Path) -> None:
    """Write JSON to `path`, packed when it ends in .gz (the same bytes for the same record), in one move."""
    data = to_json(record).encode()
    partial = path.with_name(f"{path.name}.part{os.getpid()}")
    partial.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    partial.replace(path)


def read_record(path: Path) -> Record:
    """The record in a file that `write_record` wrote; InvalidInput when it is damaged."""
    data = path.read_bytes()
    try:
        return from_json((gzip.decompress(data) if path.suffix == ".gz" else data).decode())
    except (OSError, EOFError, UnicodeDecodeError):
        raise InvalidInput(f"{path.name} is damaged: run the experiment again to write it.") from None


def _panel(values: dict[str, Any]) -> Panel:
    series = tuple(_series(one) for one in values.pop("series"))
    values |= {key: tuple(values[key]) for key in ("architecture", "images", "labels", "predictions")}
    return Panel(**values, series=series)


def _series(values: dict[str, Any]) -> Series:
    numbers = tuple(
        (math.nan if status == NOT_RUN else math.inf) if v is None else float(v)
        for v, status in zip(values.pop("values"), values["statuses"], strict=True)
    )
    return Series(**values | {key: tuple(values[key]) for key in ("statuses", "seconds")}, values=numbers)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    if INSTALLED:  # a repository around site-packages would be somebody else's
        return ""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
