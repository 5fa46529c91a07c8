"""`python -m relucert_core train`: make a network by a named recipe, with a progress bar on stderr."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from relucert_core.cli.progress import ProgressBar
from relucert_core.errors import RelucertError
from relucert_core.files import check_can_write

_EPILOG = """Writes FILE (safetensors, as a torch state_dict) and its card beside it (FILE with .json).
The recipes are those of the paper's Tables 2-4 and the smaller networks; `models` lists what is shipped.
Example: python -m relucert_core train --recipe mnist-20-20-20 --out my-network.safetensors"""


def add_parser(subparsers: Any) -> None:
    """Add `train` to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a network by a named recipe",
        description="Train a network by a named recipe, the way the shipped networks were made.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipe", required=True, metavar="NAME", help="for example mnist-1024-512; 'list' lists them")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: NAME.safetensors)")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST's folder (default: RELUCERT_MNIST, cache)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, write network and card, print one line; 0, or 2 with a sentence on stderr."""
    from relucert_core.importers.shipped import write_model
    from relucert_core.training.recipes import RECIPES, find_recipe, run_recipe

    if arguments.recipe == "list":
        for recipe in RECIPES.values():
            print(f"{recipe.name:30s} {'-'.join(map(str, recipe.widths)):22s} {recipe.title}")
        return 0
    try:
        recipe = find_recipe(arguments.recipe)
        path = check_can_write(Path(f"{recipe.name}.safetensors") if arguments.out is None else arguments.out)
        check_can_write(path.with_suffix(".json"))
        bar = ProgressBar()
        net, card = run_recipe(
            recipe, folder=arguments.data, seed=arguments.seed, on_progress=lambda p: bar.show(p.done, _words(p))
        )
        bar.close()
        write_model(net, card, path)
    except (RelucertError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path}: test accuracy {100 * card.test_accuracy:.2f} %, seed {card.seed}")
    return 0


def _words(progress: Any) -> str:
    return f"epoch {progress.epoch}, loss {progress.loss:.4f}, {100 * progress.accuracy:.1f} % right"
