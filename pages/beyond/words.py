"""The words of the page "Beyond": what a search has found, in a sentence, and why it ended. It computes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pages.shared.words import distance, meaning
from relucert_core.certificates.result import TIE, TIME
from relucert_core.experiments.best_known import shown
from relucert_core.experiments.search_run import STOPPED
from relucert_core.search.ledger import (
    EXACT_STATUS,
    MEMORY,
    NOWHERE,
    REGIONS,
    SEARCHING,
)
from relucert_core.words import down, duration, number, up

if TYPE_CHECKING:
    from relucert_core.experiments.search_run import Reading, SearchRun

_STATUS = {
    EXACT_STATUS: "the witness proves the radius",
    SEARCHING: "still searching",
    STOPPED: "stopped by hand; what is proved stays proved",
    TIME: "the time was up; what is proved stays proved",
    REGIONS: "the limit of polyhedra was reached; what is proved stays proved",
    MEMORY: "the memory limit was reached; what is proved stays proved",
    NOWHERE: "no input at all is read differently",
    TIE: "two answers tie here, so the radius is 0",
}
UNIT = {
    "exact": "pieces of the ball",
    "semidefinite": "steps of the solver",
    "neighbours": "sign patterns of the neurons",
}


def sentence(run: SearchRun, norm: float, *, toy: bool) -> str:
    """What one is looking at."""
    first, unit = run.readings[0].lower, UNIT[run.subject.method]
    grown = f"The ball started at {down(first)}, the nearest face of the polyhedron (the paper's simplex certificate)"
    if first > 0 and run.lower < math.inf and run.lower > first:
        grown += f", and grew {number(shown(run.lower) / shown(first), 3)} times as large"
    worked = (
        f"the search worked through {run.last.regions:,} {unit}" if run.last.regions else "by bounds and attacks alone"
    )
    if run.last.regions and run.subject.method == "neighbours":
        worked += " (it does not ask which of them a point has: most have none)"
    work = f"{grown}: {worked}, in {duration(run.last.seconds)}."
    if toy or not 0 < run.lower < math.inf:
        return work
    return f"{work} {meaning(run.lower, norm)}."


def compared(run: SearchRun) -> str:
    """Three numbers of a search in one line."""
    first = f"Nearest face at {down(run.readings[0].lower)}"
    if run.exact:
        return f"{first}, true distance {down(run.lower)}."
    return f"{first}, safe to {down(run.lower)}, fooled at {up(run.upper)}."


def ended(run: SearchRun) -> str:
    """Why a search is over, as a clause."""
    return _STATUS.get(run.status, run.status)


def labels(run: SearchRun) -> tuple[str, str, str]:
    """What stands at the ends of the two lines."""
    return (
        f"safe to<br><b>{down(run.lower)}</b>",
        f"fooled at<br><b>{up(run.upper)}</b>",
        f"exact:<br><b>{down(run.lower)}</b>",
    )


def makers_sentence(run: SearchRun, titles: Mapping[str, str]) -> str:
    """Which methods raised the lower bound and lowered the upper one, each with the bound that it reached."""
    low = _reached([(r.lower_by, down(r.lower)) for r in run.readings], titles)
    high = _reached([(r.upper_by, _far(run, r)) for r in run.readings], titles)
    said = [f"Raised from below by {low}." if low else "", f"Lowered from above by {high}." if high else ""]
    return " ".join(filter(None, said))


def _reached(bounds: list[tuple[str, str]], titles: Mapping[str, str]) -> str:
    """The methods in the order of their last bound, with that bound; whoever was overtaken at once is left out."""
    last = {maker: bound for maker, bound in bounds if maker}
    order = sorted(last, key=lambda maker: max(i for i, (name, _) in enumerate(bounds) if name == maker))
    return ", ".join(f"{titles.get(maker, maker)} ({last[maker]})" for maker in order)


def readings_table(run: SearchRun, titles: Mapping[str, str], rows: int = 12) -> dict[str, list[str]]:
    """The search as text: a few of its readings, the first and the last always."""
    count = len(run.readings)
    step = max(1, math.ceil((count - 1) / (rows - 1))) if count > 1 else 1
    chosen = [run.readings[i] for i in sorted({*range(0, count, step), count - 1})]
    return {
        "Time": [duration(r.seconds) for r in chosen],
        "Safe to (proved)": [down(r.lower) for r in chosen],
        "Proved by": [titles.get(r.lower_by, r.lower_by) for r in chosen],
        "Fooled at (found)": [_far(run, r) for r in chosen],
        "Found by": [titles.get(r.upper_by, r.upper_by) for r in chosen],
        f"{UNIT[run.subject.method].capitalize()} worked through": [f"{r.regions:,}" for r in chosen],
        "Waiting": [f"{r.queue:,}" for r in chosen],
    }


def way_table(readings: Sequence[int], names: Sequence[str]) -> dict[str, list[str]]:
    """What is read on the way from the digit to the adversary: a line for each stretch that is read the same.

    readings: the class at evenly spaced points of the way, both ends among them.
    """
    steps = len(readings) - 1
    begins = [i for i, k in enumerate(readings) if i == 0 or readings[i - 1] != k]
    ends = [*(i - 1 for i in begins[1:]), steps]
    return {
        "Part of the way": [
            f"{100 * a / steps:.0f} % to {100 * b / steps:.0f} %" for a, b in zip(begins, ends, strict=True)
        ],
        "Read as": [names[readings[i]] for i in begins],
    }


def _far(run: SearchRun, reading: Reading) -> str:
    """The upper bound of a reading: where the search ends exact it is the number that the headline says."""
    return distance(run.lower, reading.upper, exact=run.exact and reading.upper == run.upper)
