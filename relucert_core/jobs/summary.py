"""The lines of a run, method by method: medians, certified accuracy, lower against upper bounds, times."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.jobs.lines import Line
from relucert_core.jobs.tasks import ATTACK


@dataclass(frozen=True, eq=False)
class MethodSummary:
    """One method of a run, on all its images.

    values (S,): radii of a certificate or distances of an attack, inf where nothing limits or nothing was found.
    right (S,): does the prediction agree with the label (True where no label is known)? seconds (S,), NaN: not known.
    indices (S,): the images.
    """

    method: str
    kind: str
    guarantee: str
    indices: np.ndarray
    values: np.ndarray
    right: np.ndarray
    seconds: np.ndarray

    @property
    def median(self) -> float:
        """The median value; infinite where more than half of the values are."""
        return float(np.median(self.values)) if len(self.values) else math.nan

    def accuracy(self, eps: float) -> float:
        """Share of the images that are read rightly and stay so within `eps`: proved (a certificate's radius is larger)
        or not refuted (the attack's distance is larger)."""
        return float(np.mean(self.right & (self.values > eps))) if len(self.values) else math.nan


@dataclass(frozen=True, eq=False)
class RunSummary:
    """A run on one network in one norm. best_lower, best_upper (S,): of all methods but estimates, by image.

    digest: SHA-256 of the network's contents.
    """

    network: str
    digest: str
    norm: str
    methods: tuple[MethodSummary, ...]
    indices: np.ndarray
    best_lower: np.ndarray
    best_upper: np.ndarray


def summarise(lines: Iterable[Line]) -> RunSummary:
    """The summary of the lines of one run. Raises InvalidInput for none, or for lines of several runs."""
    kept: dict[tuple[str, int], Line] = {(entry["method"], entry["index"]): entry for entry in lines}
    if not kept:
        raise InvalidInput("There is no whole line of a run in what was given.")
    if len({entry["run"] for entry in kept.values()}) > 1:
        raise InvalidInput("These lines belong to runs with different settings; give the files of one run.")
    groups: dict[str, list[Line]] = defaultdict(list)
    for (method, _), entry in sorted(kept.items(), key=lambda item: item[0][1]):
        groups[method].append(entry)
    right = _readings(kept.values())
    methods = tuple(_summary(name, group, right) for name, group in groups.items())
    indices = np.array(sorted({entry["index"] for entry in kept.values()}))
    lower, upper = np.zeros(len(indices)), np.full(len(indices), math.inf)
    place = {int(index): i for i, index in enumerate(indices)}
    for entry in kept.values():
        i = place[entry["index"]]
        upper[i] = min(upper[i], _number(entry.get("distance" if entry["kind"] == ATTACK else "upper"), math.inf))
        if entry["kind"] != ATTACK and entry["guarantee"] != "estimate":
            lower[i] = max(lower[i], _value(entry))
    one = next(iter(kept.values()))
    return RunSummary(str(one["network"]), str(one["digest"]), str(one["norm"]), methods, indices, lower, upper)


def accuracies(summary: RunSummary, eps: Sequence[float]) -> list[tuple[float, float, float]]:
    """For each eps: the share certified by the best lower bound and the share that no attack refuted."""
    right = {int(i): bool(r) for m in summary.methods for i, r in zip(m.indices, m.right, strict=True)}
    reads = np.array([right[int(i)] for i in summary.indices])
    return [
        (e, float(np.mean(reads & (summary.best_lower > e))), float(np.mean(reads & (summary.best_upper > e))))
        for e in eps
    ]


def _readings(lines: Iterable[Line]) -> dict[int, bool]:
    """Whether each image is read as its label says; the class at the image is a certificate's prediction or the class
    that an attack left. Images without a label count as right."""
    found: dict[int, bool] = {}
    for entry in lines:
        reading = entry.get("attacked") if entry["kind"] == ATTACK else entry.get("prediction")
        if reading is not None and (entry["kind"] != ATTACK or entry["index"] not in found):
            found[entry["index"]] = entry["label"] is None or entry["label"] == reading
    return found


def _summary(method: str, group: Sequence[Line], right: dict[int, bool]) -> MethodSummary:
    return MethodSummary(
        method,
        str(group[0]["kind"]),
        "upper bound" if group[0]["kind"] == ATTACK else _weakest(group),
        np.array([entry["index"] for entry in group]),
        np.array([_value(entry) for entry in group]),
        np.array([right.get(entry["index"], False) for entry in group]),
        np.array([_number(entry.get("seconds"), math.nan) for entry in group]),
    )


def _weakest(group: Sequence[Line]) -> str:
    order = ("estimate", "lower bound", "exact")
    return min((str(entry["guarantee"]) for entry in group), key=order.index)


def _value(entry: Line) -> float:
    if entry["kind"] == ATTACK:
        return _number(entry["distance"], math.inf)
    return _number(entry["radius"], math.inf if entry["status"] == "ok" else 0.0)


def _number(value: object, missing: float) -> float:
    return float(value) if isinstance(value, (int, float)) else missing
