"""What section 5 of the paper says of its figures and table, counted on our records."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from relucert_core.experiments.records import Panel, Record

Count = tuple[int, int]


def claims(record: Record) -> list[tuple[str, str, str]]:
    """(network, the paper's statement, what we find) for each statement that the record has the methods for."""
    rows = []
    for panel in record.panels:
        for statement, methods, count in _STATEMENTS[record.experiment]:
            if panel.images and all(panel.find(method) is not None for method in methods):
                holds, of = count(panel)
                unit = "other methods" if record.experiment == "table-1" else "images"
                rows.append((panel.network, statement, f"{holds} of {of} {unit}"))
    return rows


def _values(panel: Panel, method: str) -> tuple[float, ...]:
    series = panel.find(method)
    return () if series is None else series.values  # the paper's methods are run on all images


def _above(larger: str, smaller: str) -> Callable[[Panel], Count]:
    """On how many images one method's value exceeds another's."""

    def count(panel: Panel) -> Count:
        pairs = list(zip(_values(panel, larger), _values(panel, smaller), strict=True))
        return sum(a > b for a, b in pairs), len(pairs)

    return count


def _below_both(panel: Panel) -> Count:
    """On how many images the simplex radius stays below both attacks."""
    pairs = list(zip(*(_values(panel, name) for name in ("simplex", "ifgsm", "deepfool")), strict=True))
    return sum(low <= min(a, b) for low, a, b in pairs), len(pairs)


def _near(panel: Panel) -> Count:
    """On how many images DeepFool's distance is less than twice the simplex radius."""
    pairs = list(zip(_values(panel, "deepfool"), _values(panel, "simplex"), strict=True))
    return sum(a < 2 * b for a, b in pairs), len(pairs)


def _ten_times_faster(panel: Panel) -> Count:
    """How many methods take ten times the median time of simplex or more."""
    medians = {series.method: statistics.median(series.seconds) for series in panel.series if series.seconds}
    own = medians.pop("simplex")
    return sum(value >= 10 * own for value in medians.values()), len(medians)


_SAFE = ("simplex stays below I-FGSM and DeepFool, on all images", ("simplex", "ifgsm", "deepfool"), _below_both)
_DEEPFOOL = (
    "DeepFool finds a nearer point than I-FGSM (no number given)",
    ("ifgsm", "deepfool"),
    _above("ifgsm", "deepfool"),
)
_STATEMENTS: dict[str, list[tuple[str, tuple[str, ...], Callable[[Panel], Count]]]] = {
    "figure-2a": [
        (
            "simplex exceeds the decision boundary certificate, on all images",
            ("simplex", "decision-boundary"),
            _above("simplex", "decision-boundary"),
        ),
        _SAFE,
        _DEEPFOOL,
    ],
    "figure-2b": [
        _SAFE,
        _DEEPFOOL,
        ("DeepFool is near simplex on some images (here: within twice)", ("simplex", "deepfool"), _near),
    ],
    "table-1": [("simplex is an order of magnitude faster than the other methods", ("simplex",), _ten_times_faster)],
}
