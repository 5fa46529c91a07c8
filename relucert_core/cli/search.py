"""`python -m relucert_core search`: watch the certified ball around one image grow, and keep the run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relucert_core.cli.certify import positive
from relucert_core.cli.inputs import (
    DATA_HELP,
    MODEL_HELP,
    add_reading_arguments,
    images_asked_for,
    is_shipped,
    open_network,
)
from relucert_core.cli.progress import ProgressBar
from relucert_core.cli.run_options import add_run_arguments, perform
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.files import check_can_write
from relucert_core.words import down, duration, up

if TYPE_CHECKING:
    from relucert_core.experiments.search_run import SearchRun

_EPILOG = """The lower bound only rises, the upper bound only falls, and every value is proved: Ctrl-C stops at any
moment and what was reached is printed. Method `exact` is the semidefinite bound, then branch and bound, in norm 2,
`semidefinite` that bound alone; `neighbours` walks over the neighbouring regions in norm 1, 2 or inf. With --data many
images are searched from, one a task, and each gets a line of FILE.jsonl as `certify` writes it, with both bounds; the
same command goes on where it was stopped. With --regions, and a time that is long enough, lines do not depend on the
machine's speed. Examples:
  python -m relucert_core search --model mnist-20-20-20 --image 0 --seconds 10
  python -m relucert_core search --model mnist-40-40-40 --data mnist-sample --first 100 --seconds 10 --workers 4 \\
      --out searched.jsonl"""


def add_parser(subparsers: Any) -> None:
    """Add `search` to the command line."""
    parser = subparsers.add_parser(
        "search",
        help="grow the certified ball around one image towards the exact distance",
        description="Search from one of the shipped test images, printing both bounds as they close in, or from many.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default="mnist-20-20-20", metavar="NAME", help=MODEL_HELP)
    parser.add_argument(
        "--image", type=int, default=0, metavar="I", help="which of the shipped test images (default: 0)"
    )
    parser.add_argument("--method", choices=("exact", "semidefinite", "neighbours"), default="exact")
    parser.add_argument("--norm", default="2", help="1, 2 or inf (default: 2; exact: only 2)")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="the longest it may take (default: 60)"
    )
    parser.add_argument(
        "--regions",
        type=int,
        metavar="N",
        help="the most regions, nodes or iterations to work through (default: no limit)",
    )
    parser.add_argument("--ship", action="store_true", help="also store the run in assets/, where the app reads it")
    add_reading_arguments(parser)
    many = parser.add_argument_group("many images")
    many.add_argument("--data", metavar="DATA", help=DATA_HELP)
    many.add_argument("--folder", type=Path, help="MNIST's folder (default: RELUCERT_MNIST, else the user's cache)")
    many.add_argument("--first", type=positive, metavar="N", help="only the first N images")
    add_run_arguments(many, "append JSON lines to FILE.jsonl; without --data: also write the run as packed JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Search, print the result, write it where asked; 0, or 1 when pictures had to be left out."""
    if arguments.data is not None:
        return _many(arguments)
    for name in ("shard", "dask", "first", "points"):
        if getattr(arguments, name):
            raise InvalidInput(f"--{name} is for many images: give --data ({DATA_HELP}).")
    from relucert_core.experiments.search_run import run_path, write_run

    if arguments.out is not None:
        check_can_write(arguments.out)
    if arguments.ship and not is_shipped(arguments.model):
        raise InvalidInput("--ship keeps the runs of shipped networks; write another's with --out FILE.")
    found = _search(arguments)
    name = str(arguments.image)
    paths = [] if arguments.out is None else [arguments.out]
    paths += [run_path(arguments.model, name, arguments.method, found.subject.norm)] if arguments.ship else []
    for path in paths:
        write_run(found, path)
        print(path)
    last = found.last
    interval = f"between {down(last.lower, 6)} and {up(last.upper, 6)}"
    print(
        f"{arguments.model}, image {name}, {found.subject.norm}: {interval} after "
        f"{duration(last.seconds)} and {last.regions:,} worked through: {found.status}"
    )
    return 0


def _many(arguments: argparse.Namespace) -> int:
    """A search an image, each a line; the exit code."""
    from relucert_core.jobs.tasks import CERTIFICATE, Method
    from relucert_core.norms import check_norm
    from relucert_core.registry import CERTIFICATES, supports

    if arguments.ship:
        raise InvalidInput("--ship keeps the run of one image: leave out --data.")
    net, norm = open_network(arguments.model, arguments), check_norm(arguments.norm)
    if reason := supports(CERTIFICATES[arguments.method], net, norm):
        raise Unsupported(reason)
    images = images_asked_for(arguments, net)
    steps = "max_regions" if "max_regions" in CERTIFICATES[arguments.method].options else "max_iterations"
    limits = {"max_seconds": arguments.seconds, steps: arguments.regions}
    options = {key: value for key, value in limits.items() if value is not None}
    method = Method(CERTIFICATE, arguments.method, norm, False, options, 1, arguments.points)
    return perform(arguments, net, images, [method], {**limits, "points": arguments.points})


def _search(arguments: argparse.Namespace) -> SearchRun:
    import torch

    from relucert_core.datasets.mnist import mnist_sample
    from relucert_core.experiments.records import make_header
    from relucert_core.experiments.search_run import Recorder, follow, subject_of
    from relucert_core.norms import check_norm
    from relucert_core.search import search

    images, _ = mnist_sample()
    if not 0 <= arguments.image < len(images):
        raise InvalidInput(f"There are test images 0 to {len(images) - 1}; {arguments.image} was asked for.")
    net, point = open_network(arguments.model, arguments), images[arguments.image]
    norm = check_norm(arguments.norm)
    if net.inputs != len(point):
        raise InvalidInput(f"The network takes {net.inputs} numbers; the shipped images have {len(point)} pixels.")
    label = int(net(point).argmax())
    limits = {"max_seconds": arguments.seconds, "max_regions": arguments.regions}
    steps = search(net, point, norm, arguments.method, starts=images, **limits)
    recorder = Recorder(net, subject_of(net, arguments.model, f"{arguments.image}", label, norm, arguments.method))
    bar = ProgressBar()
    try:
        for now in follow(recorder, steps):
            words = f"{down(now.lower, 5)} to {up(now.upper, 5)}, {now.last.regions:,} worked through"
            bar.show(min(now.last.seconds / arguments.seconds, 1.0), words)
    except KeyboardInterrupt:
        recorder.stop()
    bar.close()
    command = f"python -m relucert_core search --model {arguments.model} --image {arguments.image}"
    command += f" --method {arguments.method} --norm {arguments.norm} --seconds {arguments.seconds:g}"
    command += f" --regions {arguments.regions}" if arguments.regions is not None else ""
    return recorder.run(make_header(command, torch.get_num_threads()))
