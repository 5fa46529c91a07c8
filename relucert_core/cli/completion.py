"""`relucert completion`: a script that lets the shell complete commands, options and shipped names."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

from relucert_core.errors import DataUnavailable

SHELLS = ("bash", "zsh", "tcsh")
_EPILOG = """The script knows this version's commands: print it again after an update. It completes the command
`relucert`, not `python -m relucert_core`. Needs the package shtab: `pip install "relucert[completion]"`.
Example: relucert completion bash > ~/.local/share/bash-completion/completions/relucert"""


def add_parser(subparsers: Any) -> None:
    """Add `completion` to the command line."""
    parser = subparsers.add_parser(
        "completion",
        help="print a script for the shell's Tab key",
        description="Print a completion script for a shell.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script; 0. DataUnavailable, with a sentence, where shtab is not installed."""
    if importlib.util.find_spec("shtab") is None:
        raise DataUnavailable('Completion needs the package shtab: run `pip install "relucert[completion]"`.')
    import shtab

    from relucert_core.cli import parser

    top = parser("relucert")
    _name_choices(top)
    print(shtab.complete(top, arguments.shell))
    return 0


def _name_choices(top: argparse.ArgumentParser) -> None:
    """Tell a parser that will parse nothing what its arguments may be: shipped names, methods, files and folders."""
    import shtab

    from relucert_core.attacks import ATTACKS
    from relucert_core.importers.shipped import list_models
    from relucert_core.registry import CERTIFICATES
    from relucert_core.training.recipes import RECIPES

    shipped = [card.name for card in list_models()]
    names: dict[tuple[str, str], list[Any]] = {
        ("certify", "method"): list(CERTIFICATES),
        ("certify", "attack"): list(ATTACKS),
        ("attack", "method"): list(ATTACKS),
        ("models", "name"): shipped,
        ("train", "recipe"): list(RECIPES),
    }
    for command, sub in _commands(top).items():
        for action in sub._actions:  # argparse has no public list of them
            if action.dest == "model":
                action.choices = [*shipped, *shtab.Optional.FILE]
            elif action.dest == "norm":
                action.choices = ["1", "2", "inf"]
            elif (command, action.dest) in names:
                action.choices = names[command, action.dest]
            elif action.type is Path:
                action.complete = shtab.DIRECTORY if action.metavar == "FOLDER" else shtab.FILE  # type: ignore[attr-defined]


def _commands(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The sub-commands' parsers by name."""
    return next(dict(action.choices) for action in top._actions if isinstance(action, argparse._SubParsersAction))
