"""`relucert report`: a run as one self-contained HTML page, or as a LaTeX table."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from relucert_core.errors import DataUnavailable


def add_parser(subparsers: Any) -> None:
    """Add `report` to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="medians, certified accuracy and times of a run, as HTML or LaTeX",
        description="Summarise the lines of a run (or of its shards); without --html and --latex as text.",
        epilog="Example: relucert report radii.jsonl --html radii.html --latex radii.tex --eps 0.1,0.3",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write a booktabs table")
    parser.add_argument("--eps", metavar="E,E", help="also certified and attacked accuracy at these radii")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Summarise and write; 0."""
    from relucert_core.citation import made_by
    from relucert_core.jobs.convert import whole_lines
    from relucert_core.jobs.report import html_report, latex_table, text_table
    from relucert_core.jobs.summary import summarise

    summary = summarise(whole_lines(arguments.files))
    for line in text_table(summary):
        print(line)
    eps = parsed_eps(arguments.eps) if arguments.eps else []
    for line in accuracy_lines(summary, arguments.eps) if eps else ():
        print(line)
    made = made_by(command_of(arguments), network=summary.digest)
    for path, text in (
        (arguments.html, lambda: html_report(summary, made, eps)),
        (arguments.latex, lambda: latex_table(summary, made, eps)),
    ):
        if path is not None:
            try:
                path.write_text(text(), encoding="utf8")
            except OSError as error:
                raise DataUnavailable(f"{path} cannot be written ({error.strerror}).") from None
            print(path)
    return 0


def command_of(arguments: argparse.Namespace) -> str:
    """The command that makes the files again."""
    named = (("--html", arguments.html), ("--latex", arguments.latex), ("--eps", arguments.eps))
    options = [str(part) for name, value in named if value is not None for part in (name, value)]
    return shlex.join(["relucert", "report", *map(str, arguments.files), *options])


def accuracy_lines(summary: Any, text: str) -> list[str]:
    """Certified and attacked accuracy at the radii named in `text`, as lines of text."""
    from relucert_core.jobs.summary import accuracies

    return [
        f"eps {e:g} ({summary.norm}): certified accuracy {100 * low:.1f} %, attacked accuracy {100 * high:.1f} %"
        for e, low, high in accuracies(summary, parsed_eps(text))
    ]


def parsed_eps(text: str) -> list[float]:
    """The radii of "0.1,0.3". Raises InvalidInput."""
    import math

    from relucert_core.errors import InvalidInput

    try:
        values = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        values = []
    if not values or not all(math.isfinite(e) and e >= 0 for e in values):
        raise InvalidInput(f"--eps takes radii of at least 0, separated by commas; {text[:40]!r} came.")
    return values
