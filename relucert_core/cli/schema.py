"""`relucert schema`: the JSON Schema of a line of a run."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add `schema` to the command line."""
    parser = subparsers.add_parser(
        "schema",
        help="the JSON Schema of a line",
        description="Print the JSON Schema (draft 2020-12) of a line.",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print; 0."""
    from relucert_core.jobs.schema import line_schema

    print(json.dumps(line_schema(), indent=1))
    return 0
