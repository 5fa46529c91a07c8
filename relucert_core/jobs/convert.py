"""Lines as tables: CSV and Parquet, made from the JSON lines, which stay the source.

How a table was made (`citation.made_by`) stands in the metadata of a Parquet file. A CSV file is data alone, which any
reader takes: there it stands beside it, in NAME.csv.about.json.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.citation import made_by
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.jobs.lines import Line, read_lines, unpacked_point
from relucert_core.jobs.schema import columns

FORMATS = (".csv", ".parquet")
ABOUT = ".about.json"
_LEFT_OUT = ("witness",)


def whole_lines(paths: Sequence[Path]) -> Iterator[Line]:
    """The lines of several files that parse, file by file. Raises DataUnavailable when a file cannot be read."""
    for path in paths:
        for line in read_lines(path):
            if line.entry is not None:
                yield line.entry


def convert(paths: Sequence[Path], out: Path) -> int:
    """Write the lines of `paths`, sorted by image, as `out` (.csv or .parquet); how many there were.

    A .csv file gets a second one beside it, see above. Raises InvalidInput for another ending, DataUnavailable where a
    file cannot be read or written.
    """
    if out.suffix not in FORMATS:
        raise InvalidInput(f"{out.name!r} is no table that can be written: name a .csv or a .parquet file.")
    rows = sorted(whole_lines(paths), key=lambda e: (e["index"], e["method"], e["norm"]))
    partial = out.with_name(f"{out.name}.part{os.getpid()}")
    about = _about(rows, paths, out)
    try:
        if out.suffix == ".csv":
            _write_csv(rows, partial)
            partial.replace(out)
            partial.write_text(json.dumps(about, indent=2) + "\n", encoding="utf8")
            partial.replace(out.with_name(out.name + ABOUT))
        else:
            _write_parquet(rows, partial, about)
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


def _about(rows: Sequence[Line], paths: Sequence[Path], out: Path) -> dict[str, str]:
    """What the table says of its making; the digests are those of the networks."""
    command = shlex.join(["relucert", "convert", *map(str, paths), "--out", str(out)])
    return made_by(command, **{str(row["network"]): str(row["digest"]) for row in rows})


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


def _write_parquet(rows: Sequence[Line], path: Path, about: Mapping[str, str]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InvalidInput("Parquet files need the package pyarrow: install it, or write a .csv file.") from None
    names = _names(rows)
    table = pa.table({name: [_cell(row.get(name)) for row in rows] for name in names})
    pq.write_table(table.replace_schema_metadata(dict(about)), path)
