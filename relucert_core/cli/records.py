"""`python -m relucert_core records`: make the records of the best known bounds that ship with the project."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relucert_core.cli.certify import split_names
from relucert_core.cli.progress import ProgressBar
from relucert_core.errors import InvalidInput
from relucert_core.files import make_folder
from relucert_core.norms import check_norm
from relucert_core.words import down, norm_name, up

if TYPE_CHECKING:
    from relucert_core.experiments.best_known import BestKnown

_EPILOG = """The pages show one headline for a digit and a network: the best proved radius and the nearest adversarial
digit. For shipped digits and networks they are worked out here, in processor seconds of one thread, and kept as lines
that `relucert check` verifies. What a file holds already is only ever improved, and every digit is kept as soon as it
is done: Ctrl-C stops, and the same command goes on. Example, and what ships:
  python -m relucert_core records --images 0-11,105 --seconds 60
  python -m relucert_core records --images 0-11,105 --seconds 2 --norms inf,1 --networks mnist-20-20-20,mnist-1024-512
  relucert check assets/records/mnist-20-20-20.jsonl --model mnist-20-20-20 --data mnist-sample"""


def add_parser(subparsers: Any) -> None:
    """Add `records` to the command line."""
    parser = subparsers.add_parser(
        "records",
        help="make the records of the best known bounds that the pages show at once",
        description="Find the best proved radius and the nearest adversarial digit of shipped digits.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--networks", metavar="A,B", help="shipped networks (default: all that read digits)")
    parser.add_argument("--images", default="0-11,105", metavar="I-J,K", help="shipped images (default: 0-11,105)")
    parser.add_argument("--norms", default="2", metavar="P,Q", help="the norms, of 2, inf and 1 (default: 2)")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="at most S seconds a digit (20)")
    parser.add_argument("--to", metavar="FOLDER", help="where the files go (default: the folder that the app reads)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work out what is missing, network by network; 0."""
    import torch

    from relucert_core.importers.shipped import list_models
    from relucert_core.paths import RECORDS

    torch.set_num_threads(1)
    known = [card.name for card in list_models() if card.architecture[0] == 784]
    names = split_names(arguments.networks, known, "network of digits") if arguments.networks else known
    rows = parsed_rows(arguments.images)
    norms = [check_norm(part) for part in arguments.norms.split(",")]
    folder = make_folder(RECORDS if arguments.to is None else arguments.to)
    for name in names:
        for norm in norms:
            _network(folder, name, rows, arguments.seconds, norm)
    return 0


def parsed_rows(text: str, most: int = 999) -> list[int]:
    """The numbers that "0-3,7" names, in order. Raises InvalidInput."""
    rows: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            span = range(int(first), int(last or first) + 1)
        except ValueError:
            span = range(0)
        if not span or span[0] < 0 or span[-1] > most:
            raise InvalidInput(f"--images takes numbers from 0 to {most} such as 0-11,105; {text[:60]!r} came.")
        rows.update(span)
    return sorted(rows)


def _network(folder: Path, name: str, rows: list[int], seconds: float, norm: float) -> None:
    """The records of one network in one norm, one digit after the other."""
    from relucert_core.cli.inputs import for_network, read_images
    from relucert_core.experiments.best_known import content
    from relucert_core.importers.shipped import load_model
    from relucert_core.jobs.lines import read_lines
    from relucert_core.jobs.records import read_records, record_line, write_records

    net, path = load_model(name), folder / f"{name}.jsonl"
    images = for_network(read_images("mnist-sample"), name, net)
    wanted = [i for i, image in enumerate(images.names) if int(image.rpartition("/")[2]) in rows]
    before = {record.key: record for record in read_records(path)} if path.is_file() else {}
    kept = [line.entry for line in read_lines(path) if line.entry] if before else []
    lines = {(str(entry["image"])[-16:], str(entry["norm"])): entry for entry in kept}
    option = "" if norm == 2 else f" --norms {norm:g}"
    bar = ProgressBar()
    for done, row in enumerate(wanted):
        point, index = images.points[row], int(images.names[row].rpartition("/")[2])
        old = before.get(content(net, point, norm))
        found = _best(net, name, index, point, images.points, seconds, norm, old)
        if found is None:
            continue
        bar.show(done / len(wanted), f"{name}, {images.names[row]}: {down(found.lower)} to {up(found.upper)}")
        command = f"python -m relucert_core records --networks {name} --images {index} --seconds {seconds:g}{option}"
        label = None if images.labels is None else int(images.labels[row])
        lines[found.image, norm_name(norm)] = record_line(
            found, name, command, index=row, name=images.names[row], label=label
        )
        write_records(path, list(lines.values()))
    bar.close()
    print(f"{path.name}: {len(lines)} records")


def _best(
    net: Any, name: str, index: int, point: Any, starts: Any, seconds: float, norm: float, old: Any
) -> BestKnown | None:
    """The record of a point, at least as good as `old` and as the stored search; None when there is nothing new."""
    from relucert_core.deadline import counted_by
    from relucert_core.experiments.best_known import improved, nothing_known, with_run
    from relucert_core.experiments.search_run import stored_run

    before = nothing_known(net, point, norm, int(net(point).argmax())) if old is None else old
    run = stored_run(net, name, str(index), norm=norm_name(norm))
    known = before if run is None else with_run(before, run)
    if not (known.settled or known.seconds >= 0.9 * seconds):
        with counted_by(time.process_time):
            *_, found = improved(net, point, norm, max_seconds=seconds, starts=starts)
        known = found.better(known)
    same = (known.lower, known.upper, known.seconds) == (before.lower, before.upper, before.seconds)
    return None if same else known
