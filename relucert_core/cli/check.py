"""`relucert check`: verify the lines of a run against the network and the data, without trusting the run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relucert_core.cli.inputs import DATA_HELP, add_image_arguments, for_network, is_shipped, open_network, read_images
from relucert_core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

    from relucert_core.network import Network

_EPILOG = """Every witness that the lines hold (a run with --points) is evaluated again, with a proven error or in
rational arithmetic, and its distance is compared exactly; every lower bound is held against every upper bound of its
image; the network's digest and the images' hashes are those of the files given. Damaged lines are named; the exit code
is 1 only when a claim is false or the image of a damaged line has no whole one. A record that a page or best_known
gives away names its network and carries its point: --model is needed only for a network of one's own. Examples:
  relucert check radii.jsonl --model mnist-1024-512 --data mnist-sample
  relucert check relucert-record.json"""
_MOST = 20


def add_parser(subparsers: Any) -> None:
    """Add `check` to the command line."""
    parser = subparsers.add_parser(
        "check",
        help="verify the lines of a run",
        description="Verify the lines of a run (or of its shards) without trusting the run.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    add_image_arguments(
        parser, data_required=False, model_required=False,
        model_help="the network that the lines speak of (default: the shipped one that they name)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and print what was found; 0, or 1 when a claim is false or an image is lost."""
    from relucert_core.jobs.check import check

    arguments.model = arguments.model or _named_network(arguments.files[0])
    net = open_network(arguments.model, arguments)
    found = check(arguments.files, net, _points(arguments, net))
    for kind, sentences in (("false", found.false), ("lost", found.lost), ("damaged", found.damaged)):
        for sentence in sentences[:_MOST]:
            print(f"{kind}: {sentence}")
        if len(sentences) > _MOST:
            print(f"{kind}: and {len(sentences) - _MOST} more")
    print(
        f"{found.lines} lines on {found.images} images: {found.compared} lower bounds held against the distances, "
        f"{found.witnesses} witnesses proved again, {found.unproved} distances without a stored point, "
        f"{len(found.damaged)} damaged lines, {len(found.false)} false claims."
    )
    return 0 if found.good else 1


def _named_network(path: Path) -> str:
    """The shipped network that the first line of a file names. Raises InvalidInput."""
    from relucert_core.jobs.lines import read_lines

    first = next(read_lines(path), None) if path.is_file() else None
    name = str(first.entry.get("network")) if first is not None and first.entry is not None else ""
    if not is_shipped(name):
        raise InvalidInput(f"{path.name} names no shipped network: give the one that its lines speak of as --model.")
    return name


def _points(arguments: argparse.Namespace, net: Network) -> np.ndarray:
    """The points (B, D) of --data, else those that the lines themselves carry. Raises InvalidInput."""
    from relucert_core.jobs.records import points_of

    if arguments.data is not None:
        return for_network(read_images(arguments.data, arguments.folder), arguments.model, net).points
    carried = points_of(arguments.files[0], net.inputs) if len(arguments.files) == 1 else None
    if carried is None:
        raise InvalidInput(f"The lines do not carry their points: give the data that they speak of, {DATA_HELP}.")
    return carried
