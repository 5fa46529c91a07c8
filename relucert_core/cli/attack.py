"""`python -m relucert_core attack`: adversarial examples and their distances, one JSON line an image and attack."""

from __future__ import annotations

import argparse
from typing import Any

from relucert_core.cli.certify import add_common, attack_method, split_attacks
from relucert_core.cli.inputs import images_asked_for, open_network
from relucert_core.cli.run_options import perform
from relucert_core.errors import InvalidInput

_EPILOG = """Each line: image, label, method, kind "attack", norm, distance (null: not found), success, attacked (the
class that is left), prediction (the class it becomes), seconds, run. With --starts, images of other classes are
starting points where an attack fails.
Example:
  python -m relucert_core attack --model mnist-1024-512 --data mnist-sample --first 5 --method deepfool,ddn"""


def add_parser(subparsers: Any) -> None:
    """Add `attack` to the command line."""
    parser = subparsers.add_parser(
        "attack",
        help="adversarial examples (upper bounds)",
        description="Attack images: how near is an input with another prediction?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser)
    parser.add_argument("--method", default="best", help="attacks, separated by commas (default: best)")
    parser.add_argument("--pixels", action="store_true", help="keep every input within [0, 1]")
    parser.add_argument("--starts", action="store_true", help="use the images themselves as starting points")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Attack; 0, or 1 when pictures had to be left out."""
    from relucert_core.norms import check_norm

    net, norm = open_network(arguments.model, arguments), check_norm(arguments.norm)
    methods = split_attacks(arguments.method)
    if not methods:
        raise InvalidInput("Name at least one attack with --method.")
    images = images_asked_for(arguments, net)
    options = {"bounds": (0.0, 1.0)} if arguments.pixels else {}
    chosen = [attack_method(method, norm, False, arguments.points, **options) for method in methods]
    starts = images.points if arguments.starts else None
    settings = {"pixels": arguments.pixels, "starts": arguments.starts, "points": arguments.points}
    return perform(arguments, net, images, chosen, settings, starts)
