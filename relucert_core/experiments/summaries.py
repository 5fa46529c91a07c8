"""What records say in few numbers: medians and quartiles, order by order statistics, and the certified accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from relucert_core.experiments.records import LOWER, Panel, Series


@dataclass(frozen=True)
class Spread:
    """Lower quartile, median and upper quartile; NaN when there is nothing."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Summary:
    """One series in few numbers: its values' spread, how many are 0, how many infinite, and the time an image."""

    method: str
    title: str
    kind: str
    count: int
    values: Spread
    zeros: int
    infinite: int
    seconds: Spread
    paper_seconds: float | None


@dataclass(frozen=True)
class AccuracyCurve:
    """Share of the images, `shares` (S,), read right and, at each of `radii` (S,), proved safe (or not fooled).

    kind "lower bound": at least this share stays right under every change smaller than the radius. "upper bound": at
    most this share does, since the attack fools the others.
    """

    method: str
    title: str
    kind: str
    radii: tuple[float, ...]
    shares: tuple[float, ...]


def spread(values: tuple[float, ...]) -> Spread:
    """The quartiles, interpolated between order statistics as NumPy does; infinite values count as largest."""
    if not values:
        return Spread(math.nan, math.nan, math.nan)
    ordered = sorted(values)
    return Spread(*(_quantile(ordered, share) for share in (0.25, 0.5, 0.75)))


def summarise(series: Series) -> Summary:
    """The few numbers of a series, of the images that the method was run on."""
    series = series.at(series.rows)
    return Summary(
        series.method,
        series.title,
        series.kind,
        len(series.values),
        spread(series.values),
        sum(v == 0 for v in series.values),
        sum(math.isinf(v) for v in series.values),
        spread(series.seconds),
        series.paper_seconds,
    )


def order_by(panel: Panel, method: str) -> list[int]:
    """The panel's rows in rising order of a method's values; in their own order when it has no such series for all."""
    series = panel.find(method)
    rows = range(len(panel.images))
    whole = series is not None and len(series.rows) == len(rows)
    return sorted(rows, key=lambda i: series.values[i]) if series is not None and whole else list(rows)


def ordered_pairs_hold(panel: Panel) -> bool:
    """The law on these images: no lower bound exceeds an attack's distance at the same image."""
    lower = [s.values for s in panel.series if s.kind == LOWER]
    upper = [s.values for s in panel.series if s.kind != LOWER]
    return not any(low > high for a in lower for b in upper for low, high in zip(a, b, strict=True))


def overtaken(panel: Panel, series: Series) -> frozenset[int]:
    """Images on which a method that was run on the first ones only gained nothing over a cheaper lower bound.

    Cheaper is what was run on all images, and what stands before it: a panel has the cheap methods first.
    """
    if series.kind != LOWER or len(series.rows) == len(series.values):
        return frozenset()
    place = [s.method for s in panel.series].index(series.method)
    others = [
        s.values
        for i, s in enumerate(panel.series)
        if s.kind == LOWER and (i < place or len(s.rows) == len(s.values)) and i != place
    ]
    return frozenset(i for i in series.rows if any(series.values[i] <= values[i] for values in others))


def proved_shares(panel: Panel, methods: Sequence[str]) -> dict[str, float]:
    """By method the median share of the nearest attack's distance that it proves, over the images that all were run on.

    Images that no attack fools are left out; a method that the panel lacks is, too.
    """
    series = [found for found in map(panel.find, methods) if found is not None and found.kind == LOWER]
    attacks = [s for s in panel.series if s.kind != LOWER]
    nearest = [min((s.values[i] for s in attacks), default=math.inf) for i in range(len(panel.images))]
    rows = [i for i in range(len(panel.images)) if 0 < nearest[i] < math.inf and all(i in set(s.rows) for s in series)]
    return {s.method: spread(tuple(s.values[i] / nearest[i] for i in rows)).median for s in series} if rows else {}


def accuracy_at(panel: Panel, series: Series, radii: Sequence[float]) -> tuple[float, ...]:
    """The certified accuracy of one method at each of `radii`; images without a label count as wrong.

    For a lower bound the share of images with a right prediction and a value >= radius; for an attack that with a
    value > radius.
    """
    right = [panel.labels[i] == panel.predictions[i] for i in series.rows]
    series = series.at(series.rows)
    values = np.sort([v for v, good in zip(series.values, right, strict=True) if good])
    side: Literal["left", "right"] = "left" if series.kind == LOWER else "right"
    reached = len(values) - np.searchsorted(values, np.asarray(radii, dtype=np.float64), side=side)
    return tuple((reached / max(len(series.values), 1)).tolist())


def accuracy_curve(panel: Panel, series: Series, ends: tuple[float, float]) -> AccuracyCurve:
    """The steps of the certified accuracy between two radii: one at each value of the series."""
    low, high = ends
    radii = (low, *sorted({v for v in series.values if low < v < high}), high)
    return AccuracyCurve(series.method, series.title, series.kind, radii, accuracy_at(panel, series, radii))


def accuracy_range(panels: Sequence[Panel]) -> tuple[float, float]:
    """Radii that hold all positive finite values of the panels between them."""
    values = [v for panel in panels for s in panel.series for v in s.values if 0 < v < math.inf]
    return (min(values) * 0.7, max(values) * 1.4) if values else (1e-3, 1.0)


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below if below == above else below + (above - below) * (place - math.floor(place))
