"""`python -m relucert_core closing`: how far the exact search closes the gap between certificate and attack."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from relucert_core.cli.progress import ProgressBar
from relucert_core.cli.run_options import add_worker_arguments, shard_of
from relucert_core.files import check_can_write, write_whole

_EPILOG = """For every network and budget: the median over the test images from number 100 on of the distance that
certify(method="exact", max_seconds=...) proves, against all rivals, as a share of the nearest adversarial point known,
with what was asked for beside it, and how many images were closed to 0.1 %. Below, the same median against seconds.
All in L2 and in processor seconds of one thread. One run an image, with the largest budget, gives the smaller ones.
Every image is kept as soon as it is done, in RELUCERT_RUNS or the user's cache folder: Ctrl-C stops, the same command
goes on, and a run on more images takes over what a smaller one found. Everything together takes an hour to an hour and
a half of one processor; --workers shares it out. Example:
  python -m relucert_core closing --networks mnist-20-20-20,mnist-40-40-40 --workers 2"""


def add_parser(subparsers: Any) -> None:
    """Add `closing` to the command line."""
    parser = subparsers.add_parser(
        "closing",
        help="how much of the distance is proved in how many seconds, network by network",
        description="Measure how far the exact search closes the gap, network by network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--networks", metavar="A,B", help="shipped networks (default: seven MNIST networks)")
    parser.add_argument("--images", type=int, metavar="N", help="at most N test images (default: 20 or 10)")
    parser.add_argument("--first", type=int, default=100, metavar="I", help="the first test image (default: 100)")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="at most S seconds an image (default: each network's own)"
    )
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="where results are kept (default: see below)")
    add_worker_arguments(parser, "only part i of n of the images, kept in a file of its own; the tables show all parts")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write every image's numbers as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure what is missing and print the tables; 1 when a network was left out because it does not ship."""
    from relucert_core.experiments.search_table import (
        closing_table,
        curve_table,
        finished,
        shipped_networks,
        table_settings,
    )
    from relucert_core.experiments.store import store_folder
    from relucert_core.experiments.tables import text_table
    from relucert_core.jobs.closing import run_table

    names = [n.strip() for n in arguments.networks.split(",") if n.strip()] if arguments.networks else None
    settings = table_settings(names, arguments.images, arguments.seconds, arguments.first)
    folder = arguments.store or store_folder()
    _, missing = shipped_networks([asked.network for asked in settings.asked])
    if arguments.out is not None:
        check_can_write(arguments.out)
    for name in missing:
        print(f"{name} does not ship and is left out.", file=sys.stderr)
    bar = ProgressBar()
    try:
        run_table(
            settings, folder, workers=arguments.workers, shard=shard_of(arguments), dask=arguments.dask,
            show=lambda p: bar.show(p.done / max(p.total, 1e-9), p.words, (p.total - p.done) / arguments.workers),
        )  # fmt: skip
    finally:
        bar.close()
        results = finished(settings, folder)
        for table in (closing_table(results, settings), curve_table(results, settings)):
            print(text_table(table), end="\n\n")
        sys.stdout.flush()
    if arguments.out is not None:
        _write(arguments.out, results)
    return 1 if missing else 0


def _write(path: Path, results: dict[str, Any]) -> None:
    """All images' numbers; infinite ones are null."""
    from dataclasses import asdict

    from relucert_core.jobs.lines import plain

    values = {name: [plain(asdict(entry)) for entry in entries] for name, entries in results.items()}
    write_whole(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode("utf8"))
    print(path)
