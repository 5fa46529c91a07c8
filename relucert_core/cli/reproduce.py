"""`python -m relucert_core reproduce`: the paper's Figure 2a, Figure 2b and Table 1, run again on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relucert_core.cli.progress import ProgressBar
from relucert_core.experiments.catalogue import EXPERIMENTS
from relucert_core.files import make_folder, write_whole

if TYPE_CHECKING:
    from relucert_core.experiments.records import Record
    from relucert_core.experiments.runs import Prepared

_EPILOG = """Writes FOLDER/NAME.json and NAME.csv (every image and method) and each figure as SVG and PNG, and prints
the medians; for table-1 the paper's run times beside this machine's, and the radius that each method reaches.
Every answer is kept as soon as it is known, in RELUCERT_RUNS or the user's cache folder, under the network's digest
and the settings: Ctrl-C stops, the same command goes on, and a run on more images takes over what a smaller one found.
For honest times run table-1 with OMP_NUM_THREADS=1 on a machine that does nothing else, with --fresh.
Example:
  python -m relucert_core reproduce figure-2b --images 100 --out runs"""


def add_parser(subparsers: Any) -> None:
    """Add `reproduce` to the command line."""
    parser = subparsers.add_parser(
        "reproduce",
        help="the paper's Figure 2 and Table 1, run again",
        description="Run an experiment of the paper again on this machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", choices=tuple(EXPERIMENTS), help="which one")
    parser.add_argument("--images", type=int, metavar="N", help="the first N test images (default: 200; table-1: 20)")
    parser.add_argument("--cifar-images", type=int, default=3, metavar="N", help="table-1: pictures for CIFAR 7x[1024]")
    parser.add_argument("--norm", default="2", help="figures: 1, 2 or inf (default: 2)")
    parser.add_argument(
        "--methods", metavar="A,B", help="figures: certificates and attacks (default: all with a proof)"
    )
    parser.add_argument("--train", action="store_true", help="table-1: train the MNIST networks that are not there yet")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST's folder (default: RELUCERT_MNIST, cache)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="FOLDER", help="where to write (default: runs)"
    )
    parser.add_argument("--fresh", action="store_true", help="throw away the kept answers to these settings first")
    parser.add_argument("--ship", action="store_true", help="also store the record in assets/, where the app reads it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the experiment, write its files and print its numbers; 0."""
    prepared = _prepare(arguments)
    make_folder(arguments.out)
    if arguments.fresh:
        prepared.forget()
    bar = ProgressBar()
    for progress in prepared.run():
        words = f"{progress.images_done} of {progress.images} images"
        bar.show(progress.done / max(progress.total, 1), words, progress.seconds_left)
    bar.close()
    record = prepared.record()
    for path in _write(record, arguments.out, arguments.ship):
        print(path)
    _print(record)
    return 0


def _prepare(arguments: argparse.Namespace) -> Prepared:
    images = arguments.images if arguments.images is not None else EXPERIMENTS[arguments.experiment].images
    if arguments.experiment == "table-1":
        return _prepare_table(arguments, images)
    from relucert_core.experiments.figure2 import figure2_settings, prepare_figure2

    methods = None
    if arguments.methods is not None:
        methods = tuple(name.strip() for name in arguments.methods.split(",") if name.strip())
    settings = figure2_settings(arguments.experiment, images, norm=arguments.norm, methods=methods)
    return prepare_figure2(settings, data=arguments.data)


def _prepare_table(arguments: argparse.Namespace, images: int) -> Prepared:
    from relucert_core.experiments.table1 import prepare_table1, table1_settings, train_missing

    settings = table1_settings(images, arguments.cifar_images)
    if arguments.train:
        bar = ProgressBar()
        train_missing(data=arguments.data, report=lambda name, p: bar.show(p.done, f"training {name}, epoch {p.epoch}"))
        bar.close()
    return prepare_table1(settings)


def _write(record: Record, folder: Path, ship: bool) -> list[Path]:
    """The record's files."""
    from relucert_core.experiments.records import provenance, to_csv, write_record
    from relucert_core.experiments.store import shipped_path
    from relucert_core.figures.export import exported
    from relucert_core.figures.reports import pictures_of

    paths = [folder / f"{record.experiment}.json", folder / f"{record.experiment}.csv"]
    write_record(record, paths[0])
    write_whole(paths[1], to_csv(record).encode("utf8"))
    for name, figure in pictures_of(record).items():
        for kind in ("svg", "png"):
            paths.append(folder / f"{name}.{kind}")
            write_whole(paths[-1], exported(figure, kind, provenance(record)))
    if ship:
        paths.append(shipped_path(record.experiment))
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        write_record(record, paths[-1])
    return paths


def _print(record: Record) -> None:
    from relucert_core.experiments.tables import claims_table, summary_table

    header = record.header
    print(
        f"\n{record.experiment}, {record.norm}; {header.hardware}, {header.threads} thread(s); commit {header.commit}"
    )
    print(f"{', '.join(f'{name} {number}' for name, number in header.versions.items())}; {record.timing}")
    for panel in record.panels:
        print(f"\n{panel.title} ({panel.network}), {len(panel.images)} images, {panel.weights}")
        for line in _lines(summary_table(record, panel)):
            print(line)
    print()
    for line in _lines(claims_table(record)):
        print(line)
    sys.stdout.flush()


def _lines(table: dict[str, list[str]]) -> list[str]:
    """A table as aligned text."""
    columns = [[name, *values] for name, values in table.items()]
    widths = [max(map(len, column)) for column in columns]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in zip(*columns)]
