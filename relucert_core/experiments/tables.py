"""Records as tables of text: for the command line, and beside every figure of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relucert_core.experiments.claims import claims
from relucert_core.experiments.records import LOWER, Panel, Record
from relucert_core.experiments.summaries import Spread, Summary, accuracy_at, summarise
from relucert_core.words import NONE, bound


def summary_table(record: Record, panel: Panel) -> dict[str, list[str]]:
    """The panel's methods with their medians: columns by name, a row a method."""
    return _times_table(record, panel) if record.experiment == "table-1" else _bounds_table(record, panel)


def text_table(table: Mapping[str, Sequence[str]]) -> str:
    """A table, columns by name, as aligned lines of text."""
    columns = [[name, *values] for name, values in table.items()]
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def accuracy_table(panel: Panel, radii: tuple[float, ...]) -> dict[str, list[str]]:
    """The certified accuracy of all methods at a few radii."""
    columns = {"Method": [s.title for s in panel.series], "Kind": [s.kind for s in panel.series]}
    shares = [accuracy_at(panel, series, radii) for series in panel.series]
    return columns | {f"at {r:g}": [f"{100 * row[i]:.1f} %" for row in shares] for i, r in enumerate(radii)}


def claims_table(record: Record) -> dict[str, list[str]]:
    """What the paper says of its figure or table, and on how many of our images (or methods) it holds."""
    rows = claims(record)
    names = ("Network", "The paper says", "It holds here for")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def rounded(value: float, kind: str = "", digits: int = 3) -> str:
    """Significant digits; a lower bound is rounded down, an upper bound up, everything else to the nearest."""
    return bound(value, kind, digits, power="e", unknown=NONE)


def _bounds_table(record: Record, panel: Panel) -> dict[str, list[str]]:
    rows = [summarise(series) for series in panel.series]
    return {
        "Method": [s.title for s in rows],
        "Kind": [s.kind for s in rows],
        "Images": [str(s.count) for s in rows],
        f"Median ({record.norm})": [rounded(s.values.median, s.kind) for s in rows],
        "Quartiles": [_quartiles(s.values, s.kind) for s in rows],
        "Zero": [str(s.zeros) for s in rows],
        "Nothing found": [str(s.infinite) if s.kind != LOWER else NONE for s in rows],
        "Seconds an image": [rounded(s.seconds.median) for s in rows],
    }


def _times_table(record: Record, panel: Panel) -> dict[str, list[str]]:
    rows = [summarise(series) for series in panel.series]
    simplex = next((s for s in rows if s.method == "simplex"), None)
    units = (None, None) if simplex is None else (simplex.seconds.median, simplex.paper_seconds)
    here = [_ratio(s.seconds.median, units[0]) for s in rows]
    there = [_ratio(s.paper_seconds, units[1]) for s in rows]
    return {
        "Method": [s.title for s in rows],
        "Paper (s)": [NONE if s.paper_seconds is None else f"{s.paper_seconds:g}" for s in rows],
        "Here (s)": [rounded(s.seconds.median) for s in rows],
        "Quartiles (s)": [_quartiles(s.seconds, "") for s in rows],
        "Times simplex, paper": there,
        "Times simplex, here": here,
        f"Radius ({record.norm})": [_radius(panel, s) for s in rows],
    }


def _ratio(value: float | None, unit: float | None) -> str:
    return rounded(value / unit) if value is not None and unit else NONE


def _radius(panel: Panel, summary: Summary) -> str:
    """Median and quartiles of the radii; for random weights nothing."""
    if not panel.radii:
        return "(time only)"
    return f"{rounded(summary.values.median, LOWER)} ({_quartiles(summary.values, LOWER)})"


def _quartiles(spread: Spread, kind: str) -> str:
    return f"{rounded(spread.low, kind)} – {rounded(spread.high, kind)}"
