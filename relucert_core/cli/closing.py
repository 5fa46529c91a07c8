"""`python -m relucert_core closing`: how far the search closes the gap between certificate and attack."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from relucert_core.cli.progress import ProgressBar
from relucert_core.files import check_can_write, write_whole

_EPILOG = """For each network the medians over the images of the simplex and CROWN-Ada certificates, of the search's
lower bound after 1, 10 and 60 seconds (checkpoints of one run), of the exact distance where it was reached and of the
best attack, and the share of images that were closed. All in L2.
Every image is kept as soon as it is done, in RELUCERT_RUNS or the user's cache folder: Ctrl-C stops, the same command
goes on, and a run on more images takes over what a smaller one found. With the default 60 seconds and 20 images it may
take an hour and more; --seconds shortens it. For honest times set OMP_NUM_THREADS=1 on an idle machine. Example:
  python -m relucert_core closing --images 5 --seconds 10"""


def add_parser(subparsers: Any) -> None:
    """Add `closing` to the command line."""
    parser = subparsers.add_parser(
        "closing",
        help="medians of simplex, CROWN-Ada, search and attack, and the share that the search closes",
        description="Measure how far the exact search closes the gap, network by network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--networks", metavar="A,B", help="shipped networks (default: four MNIST networks)")
    parser.add_argument("--images", type=int, default=20, metavar="N", help="the first N test images (default: 20)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="budget an image (default: 60)")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="where results are kept (default: see below)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write every image's numbers as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure what is missing and print the table; 1 when a network was left out because it does not ship."""
    from relucert_core.experiments.search_table import closing_table, finished, run_table, shipped_networks
    from relucert_core.experiments.search_table import table_settings as checked
    from relucert_core.experiments.store import store_folder

    names = [n.strip() for n in arguments.networks.split(",") if n.strip()] if arguments.networks else None
    settings = checked(names, arguments.images, arguments.seconds)
    folder = arguments.store or store_folder()
    _, missing = shipped_networks(settings.networks)
    if arguments.out is not None:
        check_can_write(arguments.out)
    for name in missing:
        print(f"{name} does not ship and is left out.", file=sys.stderr)
    bar = ProgressBar()
    try:
        for progress in run_table(settings, folder):
            left = settings.checkpoints[-1] * (progress.total - progress.done)
            bar.show(progress.done / progress.total, f"at most: {progress.words}", left)
    finally:
        bar.close()
        results = finished(settings, folder)
        for line in _lines(closing_table(results, settings.checkpoints)):
            print(line)
        sys.stdout.flush()
    if arguments.out is not None:
        _write(arguments.out, results)
    return 1 if missing else 0


def _lines(table: dict[str, list[str]]) -> list[str]:
    """The table as aligned text."""
    columns = [[name, *values] for name, values in table.items()]
    widths = [max(map(len, column)) for column in columns]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in zip(*columns)]


def _write(path: Path, results: dict[str, Any]) -> None:
    """All images' numbers; infinite ones are null."""
    from dataclasses import asdict

    from relucert_core.jobs.lines import plain

    values = {name: [plain(asdict(entry)) for entry in entries] for name, entries in results.items()}
    write_whole(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode("utf8"))
    print(path)
