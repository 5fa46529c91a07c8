"""What commands share of a run: how many workers, which shard, where the lines go, in which form."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.cli.inputs import Images
from relucert_core.cli.progress import ProgressBar
from relucert_core.errors import InvalidInput
from relucert_core.files import check_can_write
from relucert_core.network import Network

_TABLES = (".csv", ".parquet")


def add_run_arguments(
    parser: argparse._ActionsContainer, lines: str = "append JSON lines to FILE.jsonl (default: standard output)"
) -> None:
    """--out (with that help), --workers, --shard, --dask, --points."""
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"{lines}; FILE.csv and FILE.parquet are made from FILE.jsonl"
    )
    add_worker_arguments(parser, "only part i of n, written to FILE.i-of-n.jsonl")
    parser.add_argument(
        "--points", action="store_true", help="keep the adversarial points in the lines, and write them as FILE.npz"
    )


def add_worker_arguments(parser: argparse._ActionsContainer, shard: str) -> None:
    """--workers, --shard (with that help), --dask."""
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes of one thread (default: 1)")
    parser.add_argument("--shard", metavar="i/n", help=shard)
    parser.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler's address, or 'local' (extra: dask)")


def shard_of(arguments: argparse.Namespace) -> Any:
    """The shard that was asked for, or the whole. Raises InvalidInput."""
    from relucert_core.jobs.tasks import Shard

    return Shard() if arguments.shard is None else Shard.parse(arguments.shard)


def perform(
    arguments: argparse.Namespace,
    net: Network,
    images: Images,
    methods: Sequence[Any],
    settings: Mapping[str, Any],
    starts: np.ndarray | None = None,
) -> int:
    """Carry out the run that the arguments ask for; the exit code."""
    from relucert_core.jobs.convert import convert, write_points
    from relucert_core.jobs.run import Run, run
    from relucert_core.jobs.tasks import Context

    if arguments.out is not None:
        check_can_write(arguments.out)
    shard = shard_of(arguments)
    lines, table = _places(arguments.out, shard)
    if arguments.points and lines is None:
        raise InvalidInput("--points needs --out FILE, beside which the points can be written.")
    wanted = Run(
        Context(net, starts), arguments.model, images.points, images.labels, images.names, methods, settings, shard
    )
    bar = ProgressBar()
    try:
        run(
            wanted,
            lines,
            workers=arguments.workers,
            dask=arguments.dask,
            show=lambda p: None if lines is None else bar.show(p.done / p.total, _words(p), p.seconds_left),
        )
    finally:
        bar.close()
    if lines is not None and table is not None:
        print(f"{table}: {convert([lines], table)} lines", file=sys.stderr)
    if lines is not None and arguments.points:
        target = lines.with_suffix(".npz")
        print(f"{target}: {write_points([lines], target, net.inputs)} points", file=sys.stderr)
    return 1 if images.skipped else 0


def lines_of(arguments: argparse.Namespace) -> Path:
    """The file of lines of a run with --out."""
    path, _ = _places(arguments.out, shard_of(arguments))
    assert path is not None
    return path


def _words(progress: Any) -> str:
    return f"{progress.done} of {progress.total}, {progress.rate:.3g} a second"


def _places(out: Path | None, shard: Any) -> tuple[Path | None, Path | None]:
    """The file of lines, and the table to be made from it at the end, if one was asked for."""
    if out is None:
        if shard.count > 1:
            raise InvalidInput("--shard needs --out FILE: each shard writes a file of its own.")
        return None, None
    part = f".{shard.number}-of-{shard.count}" if shard.count > 1 else ""
    table = out.with_name(f"{out.stem}{part}{out.suffix}") if out.suffix in _TABLES else None
    suffix = ".jsonl" if table is not None else out.suffix
    return out.with_name(f"{out.stem}{part}{suffix}"), table


def _workers(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 4096:
        raise argparse.ArgumentTypeError("give a number of workers from 1 to 4096")
    return value
