"""`python -m relucert_core data`: where MNIST is looked for, its download, and the cutting of the shipped sample."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from relucert_core.errors import RelucertError


def add_parser(subparsers: Any) -> None:
    """Add `data` to the command line."""
    parser = subparsers.add_parser(
        "data",
        help="find, download or check the MNIST data",
        description="Say where MNIST is looked for and whether it is whole; download it there on request.",
        epilog="Training needs the full set; the app needs only what is shipped.",
    )
    parser.add_argument("--folder", type=Path, help="MNIST's folder (default: RELUCERT_MNIST, else the cache folder)")
    parser.add_argument("--download", action="store_true", help="fetch the four files (11.6 MB), checked by MD5")
    parser.add_argument("--write-sample", action="store_true", help="cut assets/mnist anew from the test set")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the data are there and whole, 2 with a sentence on stderr otherwise."""
    from relucert_core.datasets import mnist

    try:
        if arguments.download:
            mnist.download_mnist(arguments.folder, progress=_show)
            print(file=sys.stderr)
        counts = {split: len(mnist.load_mnist_bytes(split, arguments.folder)[1]) for split in ("train", "test")}
        if arguments.write_sample:
            for path in mnist.write_sample(arguments.folder):
                print(path)
    except (RelucertError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{mnist.mnist_folder(arguments.folder)}: {counts['train']} training and {counts['test']} test images")
    return 0


def _show(name: str, size: int) -> None:
    print(f"\r{name:<30} {size / 1e6:6.1f} MB", end="", file=sys.stderr, flush=True)
