"""The command line: `relucert certify | attack | search | train | reproduce | models | app`, and a few more.

`python -m relucert_core` is the same from a checkout, and in an environment that is not activated.

Exit codes: 0 all done; 1 done, but some inputs could not be used; 2 nothing done, with one sentence on stderr;
130 interrupted (what was written stays valid, and the same command goes on from there).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from relucert_core import __version__
from relucert_core.errors import LONGEST, RelucertError, one_line, shown
from relucert_core.threads import spare_threads

_COMMANDS = (
    "certify",
    "attack",
    "property",
    "search",
    "train",
    "reproduce",
    "closing",
    "records",
    "check",
    "convert",
    "report",
    "schema",
    "models",
    "app",
    "data",
    "presets",
    "completion",
)
_DESCRIPTION = """Certify the robustness of ReLU networks: how far can an input move before the prediction can change?

Lower bounds come from `certify`, upper bounds from `attack`; the truth lies between. Try:
  python -m relucert_core certify --model mnist-1024-512 --data mnist-sample --first 10"""


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are as short as the engine's, whatever was typed."""

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if arg_strings == ["--"] and action.option_strings and action.nargs is None:
            self.error(f"argument {action.option_strings[-1]}: '--' is no value")  # argparse would make [] of it
        return super()._get_values(action, arg_strings)

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message, LONGEST - len(f"{self.prog}: error: ")))


def parser(name: str = "python -m relucert_core") -> argparse.ArgumentParser:
    """The parser with all sub-commands; `name` is what the command is called in its help."""
    top = _Parser(prog=name, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"relucert {__version__}")
    subparsers = top.add_subparsers(required=True, metavar="command")
    for name in _COMMANDS:
        importlib.import_module(f"relucert_core.cli.{name}").add_parser(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    spare_threads()
    called = Path(sys.argv[0]).stem
    chosen = (parser(called) if called == "relucert" else parser()).parse_args(arguments)
    try:
        code = int(chosen.run(chosen))
        sys.stdout.flush()  # a full disk shows here, not when Python has ended
        return code
    except RelucertError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; run the same command again to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (OSError, MemoryError) as error:
        print(_sentence(error), file=sys.stderr)
        _forget_output()
        return 2


def _sentence(error: OSError | MemoryError) -> str:
    """What the system refused: a full disk, a limit on files or memory, a folder where a file was meant."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this: give fewer images, or a smaller network."
    words = error.strerror or str(error) or type(error).__name__
    name = "standard output" if error.filename is None else shown(str(error.filename))
    return f"{words}: {name} could not be read or written; what was complete before has been kept."


def _forget_output() -> None:
    """Point standard output to nowhere: what it still holds would fail once more as Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
