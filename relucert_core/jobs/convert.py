"""Lines as tables: CSV and Parquet, made from the JSON lines, which stay the source."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.jobs.lines import Line, read_lines, unpacked_point
from relucert_core.jobs.schema import columns

FORMATS = (".csv", ".parquet")
_LEFT_OUT = ("witness",)


def whole_lines(paths: Sequence[Path]) -> Iterator[Line]:
    """The lines of several files that parse, file by file. Raises DataUnavailable when a file cannot be read."""
    for path in paths:
        for line in read_lines(path):
            if line.entry is not None:
                yield line.entry


def convert(paths: Sequence[Path], out: Path) -> int:
    """Write the lines of `paths`, sorted by image, as `out` (.csv or .parquet); how many there were."""
    if out.suffix not in FORMATS:
        raise InvalidInput(f"{out.name!r} is no table that can be written: name a .csv or a .parquet file.")
    rows = sorted(whole_lines(paths), key=lambda e: (e["index"], e["method"], e["norm"]))
    partial = out.with_name(f"{out.name}.part{os.getpid()}")
    try:
        (_write_csv if out.suffix == ".csv" else _write_parquet)(rows, partial)
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataUnavailable(f"{out} cannot be written ({error.strerror}).") from None
    return len(rows)


def write_points(paths: Sequence[Path], out: Path, inputs: int) -> int:
    """Write the witnesses of the lines as an .npz: points (S, inputs), index (S,), method (S,); how many there were."""
    rows = [entry for entry in whole_lines(paths) if entry.get("witness")]
    points = np.array([unpacked_point(entry["witness"], inputs) for entry in rows]).reshape(len(rows), inputs)
    partial = out.with_name(f"{out.stem}.part{os.getpid()}.npz")
    try:
        np.savez_compressed(
            partial,
            points=points,
            index=np.array([entry["index"] for entry in rows], dtype=np.int64),
            method=np.array([entry["method"] for entry in rows], dtype=str),
        )
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataUnavailable(f"{out} cannot be written ({error.strerror}).") from None
    return len(rows)


def _names(rows: Iterable[Line]) -> list[str]:
    present = {key for row in rows for key in row}
    return [name for name in columns() if name in present and name not in _LEFT_OUT]


def _cell(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _write_csv(rows: Sequence[Line], path: Path) -> None:
    names = _names(rows)
    with path.open("w", encoding="utf8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _write_parquet(rows: Sequence[Line], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InvalidInput("Parquet files need the package pyarrow: install it, or write a .csv file.") from None
    names = _names(rows)
    table = pa.table({name: [_cell(row.get(name)) for row in rows] for name in names})
    pq.write_table(table, path)
