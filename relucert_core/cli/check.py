"""`relucert check`: verify the lines of a run against the network and the data, without trusting the run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from relucert_core.cli.inputs import add_image_arguments, for_network, open_network, read_images

_EPILOG = """Every witness that the lines hold (a run with --points) is evaluated again, with a proven error or in
rational arithmetic, and its distance is compared exactly; every lower bound is held against every upper bound of its
image; the network's digest and the images' hashes are those of the files given. Damaged lines are named; the exit code
is 1 only when a claim is false or the image of a damaged line has no whole one. Example:
  relucert check radii.jsonl --model mnist-1024-512 --data mnist-sample"""
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
    add_image_arguments(parser, model_help="the network that the lines speak of")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and print what was found; 0, or 1 when a claim is false or an image is lost."""
    from relucert_core.jobs.check import check

    net = open_network(arguments.model, arguments)
    images = for_network(read_images(arguments.data, arguments.folder), arguments.model, net)
    found = check(arguments.files, net, images.points)
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
