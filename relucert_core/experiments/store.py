"""Answers of one method on one network, kept by content, so that a run can be stopped, goes on and is never repeated.

A shelf holds the answers of one (network digest, method, norm, options) in a file of JSON lines, one an image, under
the image's own digest: a run on more images takes over what a run on fewer has found. Answers are appended as they are
known; a line that was cut off by a crash is not read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable
from relucert_core.experiments.records import Record, read_record
from relucert_core.paths import RESULTS, user_cache

ENGINE = 2  # raise it when a method's numbers change: answers of older versions are then not taken over


@dataclass(frozen=True)
class Answer:
    """One method at one image: the radius or distance (inf allowed), its status and the seconds it took."""

    value: float
    status: str
    seconds: float


def content_key(**settings: Any) -> str:
    """Sixteen hexadecimal digits that stand for the settings; equal settings, in any order, give equal keys."""
    text = json.dumps({"engine": ENGINE, **settings}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def point_digests(points: np.ndarray) -> list[str]:
    """For each row of (B, D) sixteen hexadecimal digits of the SHA-256 of its float64 bytes."""
    rows = np.ascontiguousarray(points, dtype="<f8")
    return [hashlib.sha256(row.tobytes()).hexdigest()[:16] for row in rows]


class Shelf:
    """The answers kept under one content key in `folder`."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / f"{settings['method']}-{content_key(**settings)}.jsonl"

    def read(self) -> dict[str, Answer]:
        """The answers by the images' digests; of two for the same image the later one."""
        if not self.path.is_file():
            return {}
        found: dict[str, Answer] = {}
        for line in self.path.read_text(encoding="utf8").splitlines():
            try:
                entry = json.loads(line)
                value = math.inf if entry["value"] is None else float(entry["value"])
                found[entry["image"]] = Answer(value, str(entry["status"]), float(entry["seconds"]))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def append(self, images: Iterable[str], answers: Iterable[Answer]) -> None:
        """Add answers and hand them to the system at once."""
        lines = [_line(image, answer) for image, answer in zip(images, answers, strict=True)]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            cut_off = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
            with self.path.open("a", encoding="utf8", newline="\n") as stream:
                stream.write(("\n" if cut_off else "") + "".join(lines))
        except OSError as error:
            raise DataUnavailable(
                f"Results cannot be kept in {self.path.parent} ({error.strerror}); name another in RELUCERT_RUNS."
            ) from None

    def clear(self) -> None:
        """Forget the answers."""
        self.path.unlink(missing_ok=True)


def store_folder() -> Path:
    """Where answers are kept: the folder RELUCERT_RUNS, else one in the user's cache folder."""
    named = os.environ.get("RELUCERT_RUNS")
    return Path(named) if named else user_cache() / "experiments"


def shipped_record(experiment: str) -> Record:
    """The stored result that ships with the project; DataUnavailable when there is none."""
    path = shipped_path(experiment)
    if not path.is_file():
        raise DataUnavailable(
            f"No result of {experiment} is stored; run `python -m relucert_core reproduce {experiment}`."
        )
    return read_record(path)


def shipped_path(experiment: str) -> Path:
    """The file of the stored result of an experiment."""
    return RESULTS / f"{experiment}.json.gz"


def _line(image: str, answer: Answer) -> str:
    value = answer.value if math.isfinite(answer.value) else None
    entry = {"image": image, "value": value, "status": answer.status, "seconds": round(answer.seconds, 7)}
    return json.dumps(entry, allow_nan=False) + "\n"
