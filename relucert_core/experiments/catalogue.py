"""The experiments by name: what each is, and which methods the paper's figure shows. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relucert_core.experiments.records import Record


@dataclass(frozen=True)
class Experiment:
    """name as the command line has it, title as a page has it; `images`: how many by default.

    in_paper: the methods of the paper's figure; aids: those that we draw beside them for the reader.
    networks: the shipped networks it runs on, as far as they ship. first: methods that take long, with how many images
    they are run on, the first ones.
    """

    name: str
    title: str
    images: int
    in_paper: tuple[str, ...]
    aids: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    first: Mapping[str, int] = field(default_factory=dict)


_FIRST = {"quadratic": 50, "semidefinite": 50}
_ALL = (
    Experiment(
        "figure-2a",
        "Figure 2a",
        200,
        ("simplex", "decision-boundary", "ifgsm", "deepfool"),
        ("crown-ada", "quadratic", "semidefinite", "ddn"),
        ("mnist-gt5-1024",),
        _FIRST,
    ),
    Experiment(
        "figure-2b",
        "Figure 2b",
        200,
        ("simplex", "ifgsm", "deepfool"),
        ("crown-ada", "quadratic", "semidefinite", "ddn"),
        ("mnist-1024-512", "mnist-1024-512-regularised", "mnist-conv"),
        _FIRST,
    ),
    Experiment("table-1", "Table 1", 20, ("fast-lin", "fast-lip", "crown-ada", "simplex")),
)
EXPERIMENTS: dict[str, Experiment] = {entry.name: entry for entry in _ALL}
FIGURES = tuple(name for name, entry in EXPERIMENTS.items() if entry.networks)


def shown_methods(record: Record) -> tuple[str, ...]:
    """The methods that a figure shows of a record: the paper's and the aids, or all of them when it has none."""
    entry = EXPERIMENTS[record.experiment]
    there = tuple(dict.fromkeys(series.method for panel in record.panels for series in panel.series))
    return tuple(name for name in (*entry.in_paper, *entry.aids) if name in there) or there
