"""`relucert convert`: the lines of a run as a CSV or Parquet table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `convert` to the command line."""
    parser = subparsers.add_parser(
        "convert",
        help="lines of a run as CSV or Parquet",
        description="Write the lines of one or several files as one table, sorted by image. How it was made (version, "
        "digests, command, how to cite) stands in the metadata of a Parquet file, and beside a CSV file in "
        "FILE.csv.about.json.",
        epilog="Example: relucert convert radii.1-of-2.jsonl radii.2-of-2.jsonl --out radii.csv",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="a .csv or .parquet file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Convert; 0."""
    from relucert_core.jobs.convert import convert

    print(f"{arguments.out}: {convert(arguments.files, arguments.out)} lines")
    return 0
