"""`python -m relucert_core presets`: make the playground's stored networks again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `presets` to the command line."""
    parser = subparsers.add_parser(
        "presets",
        help="make the playground's stored networks again",
        description="Train the playground's prepared networks from their seeds and write them with their snapshots, "
        "and the geometry of the first page's picture, to a folder. Takes about a minute.",
        epilog="Example: python -m relucert_core presets --to assets/presets",
    )
    parser.add_argument("--to", metavar="FOLDER", help="where the files go (default: the folder that the app reads)")
    parser.add_argument("--only", metavar="NAME", action="append", help="make only this one; may be given repeatedly")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; 0."""
    from relucert_core.training.showcase import FOLDER, build_run, runs

    folder = Path(arguments.to) if arguments.to else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or runs():
        data = build_run(name)
        (folder / f"{name}.safetensors").write_bytes(data)
        print(f"{name}: {len(data):,} bytes")
    return 0
