"""`python -m relucert_core property`: write VNN-LIB; and the answer of `certify --property`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from relucert_core.cli.inputs import add_image_arguments, for_network, open_network, read_images
from relucert_core.errors import InvalidInput
from relucert_core.files import check_can_write


def add_parser(subparsers: Any) -> None:
    """Add `property` to the command line."""
    parser = subparsers.add_parser(
        "property",
        help="write the question of local robustness as a VNN-LIB file",
        description="Write a VNN-LIB file: is there an input within eps of an image that another class reaches?",
    )
    add_image_arguments(parser)
    parser.add_argument("--image", type=int, default=0, metavar="I", help="which image, from 0 (default: 0)")
    parser.add_argument("--eps", type=float, required=True, help="the distance")
    parser.add_argument("--norm", default="inf", help="inf: a box; 2: a ball, in version 2 alone (default: inf)")
    parser.add_argument("--bounds", metavar="A,B", help="cut the region to inputs from A to B, such as 0,1")
    parser.add_argument("--version", type=int, choices=(1, 2), default=2, help="of VNN-LIB (default: 2)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write one property; 0."""
    from relucert_core.norms import check_norm
    from relucert_core.properties.writer import write_property

    net, norm = open_network(arguments.model, arguments), check_norm(arguments.norm)
    images = for_network(read_images(arguments.data, arguments.folder), arguments.model, net)
    if not 0 <= arguments.image < len(images.points):
        raise InvalidInput(f"--image must be from 0 to {len(images.points) - 1}; {arguments.image} came.")
    if arguments.out is not None:
        check_can_write(arguments.out)
    point = images.points[arguments.image]
    text = write_property(net, point, arguments.eps, norm, version=arguments.version, bounds=_bounds(arguments.bounds))
    if arguments.out is None:
        print(text, end="")
    else:
        arguments.out.write_text(text, encoding="utf8")
    return 0


def answer(arguments: argparse.Namespace) -> int:
    """Answer `certify --property FILE` on standard output, or in --out, in the competition's format; 0."""
    from relucert_core.properties.decide import decide
    from relucert_core.properties.reader import read_property

    if arguments.data is not None or arguments.eps is not None:
        raise InvalidInput("--property has its own region: leave --data and --eps out.")
    if arguments.out is not None:
        check_can_write(arguments.out)
    net = open_network(arguments.model, arguments)
    found = decide(net, read_property(arguments.property), max_seconds=arguments.max_seconds)
    text = "\n".join(found.lines()) + "\n"
    if arguments.out is None:
        print(text, end="")
    else:
        arguments.out.write_text(text, encoding="utf8")
        print(f"{arguments.out}: {found.answer} after {found.seconds:.2f} s", file=sys.stderr)
    return 0


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(n) for n in text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high:
        raise InvalidInput("--bounds takes two numbers in order, such as 0,1.")
    return low, high
