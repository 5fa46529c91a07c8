"""The command line: `python -m relucert_core certify | attack | train | reproduce | models | data`.

Exit codes: 0 all done; 1 done, but some inputs could not be used; 2 nothing done, with one sentence on stderr;
130 interrupted (what was written stays valid, and the same command goes on from there).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from relucert_core.errors import RelucertError

_COMMANDS = ("certify", "attack", "train", "reproduce", "models", "data", "presets", "search", "closing")
_DESCRIPTION = """Certify the robustness of ReLU networks: how far can an input move before the prediction can change?

Lower bounds come from `certify`, upper bounds from `attack`; the truth lies between. Try:
  python -m relucert_core certify --model mnist-1024-512 --data mnist-sample --first 10"""


def parser() -> argparse.ArgumentParser:
    """The parser with all sub-commands."""
    top = argparse.ArgumentParser(
        prog="python -m relucert_core", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subparsers = top.add_subparsers(required=True, metavar="command")
    for name in _COMMANDS:
        importlib.import_module(f"relucert_core.cli.{name}").add_parser(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except RelucertError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; run the same command again to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
