"""Results kept by content, so that a run can be stopped, goes on and is never repeated.

A store is a file of JSON lines whose name stands for what was asked: network digest, method, norm, options. Each line
is one image's result under the image's own digest: a run on more images takes over what a run on fewer has found.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

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


_Entry = TypeVar("_Entry")


@dataclass(frozen=True, eq=False)
class LineStore(Generic[_Entry]):
    """Entries by the digests of their images in a file of JSON lines, which grows by whole lines.

    encode: digest and entry -> the object of a line. decode: its inverse; a ValueError, KeyError or TypeError says that
    the line is none of ours.
    """

    path: Path
    encode: Callable[[str, _Entry], Mapping[str, Any]]
    decode: Callable[[Mapping[str, Any]], tuple[str, _Entry]]

    def read(self) -> dict[str, _Entry]:
        """The entries by digest, of two for the same image the later one; a line cut off by a crash is not read."""
        if not self.path.is_file():
            return {}
        found: dict[str, _Entry] = {}
        for line in self.path.read_text(encoding="utf8").splitlines():
            try:
                digest, entry = self.decode(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
            found[digest] = entry
        return found

    def append(self, digests: Iterable[str], entries: Iterable[_Entry]) -> None:
        """Add entries and hand them to the system at once. Raises DataUnavailable when they cannot be written."""
        pairs = zip(digests, entries, strict=True)
        lines = [json.dumps(self.encode(digest, entry), allow_nan=False) + "\n" for digest, entry in pairs]
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
        """Forget the entries."""
        self.path.unlink(missing_ok=True)


def answer_store(folder: Path, settings: Mapping[str, Any]) -> LineStore[Answer]:
    """The answers of one method on one network; `settings` has the method's name and all that its answers depend on."""
    path = folder / f"{settings['method']}-{content_key(**settings)}.jsonl"
    return LineStore(path, _plain_answer, _read_answer)


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


def _plain_answer(image: str, answer: Answer) -> dict[str, Any]:
    value = answer.value if math.isfinite(answer.value) else None
    return {"image": image, "value": value, "status": answer.status, "seconds": round(answer.seconds, 7)}


def _read_answer(line: Mapping[str, Any]) -> tuple[str, Answer]:
    value = math.inf if line["value"] is None else float(line["value"])
    return line["image"], Answer(value, str(line["status"]), float(line["seconds"]))
