"""`python -m relucert_core models`: the shipped networks and their cards."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relucert_core.cli.inputs import add_reading_arguments
from relucert_core.cli.inspect_file import inspect
from relucert_core.errors import RelucertError


def add_parser(subparsers: Any) -> None:
    """Add `models` to the command line."""
    parser = subparsers.add_parser(
        "models",
        help="list the shipped networks",
        description="List the shipped networks; with a NAME, print its card: architecture, classes, recipe, accuracy.",
        epilog="Example: python -m relucert_core models mnist-1024-512",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="print the card of this network as JSON")
    parser.add_argument(
        "--inspect", metavar="FILE", help="read a network's file, in a process of its own; print its card"
    )
    parser.add_argument("--data", metavar="DATA", help="with --inspect: images with labels, for the accuracy")
    parser.add_argument("--folder", type=Path, help="MNIST's folder, for --data")
    add_reading_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print every card as one JSON line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list or a card; 0, or 2 with a sentence on stderr."""
    from relucert_core.importers.shipped import list_models, load_card

    try:
        if arguments.inspect:
            return inspect(arguments)
        if arguments.name:
            print(json.dumps(asdict(load_card(arguments.name)), indent=2))
            return 0
        cards = list_models()
    except RelucertError as error:
        print(error, file=sys.stderr)
        return 2
    for card in cards:
        if arguments.json:
            print(json.dumps(asdict(card)))
        else:
            shape = "-".join(map(str, card.architecture))
            print(f"{card.name:28s} {shape:18s} {100 * card.test_accuracy:6.2f} %  {card.title}")
    return 0
