"""How far the exact search closes the gap between certificate and attack, network by network, in processor seconds.

One run of the exact search an image, with the network's largest budget: its trace gives what smaller budgets reach, and
the curve of the ratio against seconds. It ends early where the two sides meet within `CLOSED`. Results are kept per
image, by content, so that a run can be stopped and goes on; see `store.LineStore`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from relucert_core.arrays import Vector
from relucert_core.deadline import counted_by
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.experiments.records import LOWER
from relucert_core.experiments.search_run import Reading, thinned
from relucert_core.experiments.store import LineStore, content_key, point_digests
from relucert_core.experiments.tables import rounded
from relucert_core.network import Network

CLOSED = 1e-3  # sides this near to each other, relatively, have met
ATTACK = "best"
FIRST = 100  # of the shipped test images: those before it served to develop the methods
CURVE = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
_MOST_READINGS = 100


@dataclass(frozen=True)
class Asked:
    """What is asked for on one network.

    seconds: the budgets of an image; medians: of lower / upper, for each budget; least: of every image at `at` seconds,
    None without; closed: how many images are to be closed within the last budget, None without; images: how many.
    """

    network: str
    seconds: tuple[float, ...]
    medians: tuple[float, ...]
    images: int = 20
    closed: int | None = None
    least: tuple[float, float] | None = None


ASKED = (
    Asked("mnist-20-20-20", (1.0,), (1.0,), closed=20),
    Asked("mnist-40-40-40", (10.0,), (1.0,), closed=19),
    Asked("mnist-gt5-1024", (30.0,), (0.995,)),
    Asked("mnist-256-256", (10.0, 60.0), (0.90, 0.98)),
    Asked("mnist-5x100", (10.0, 60.0), (0.85, 0.97), images=10),
    Asked("mnist-1024-512-regularised", (60.0,), (0.99,), images=10),
    Asked("mnist-1024-512", (10.0, 60.0, 300.0), (0.75, 0.90, 0.95), images=10, least=(60.0, 0.6)),
)


@dataclass(frozen=True)
class Closing:
    """One image: both sides as they moved, in processor seconds, and what it ended with.

    trace: (seconds, lower, upper), thinned. upper: the nearest adversarial point, of the search or of the attack alone;
    attack: of the attack alone, started from the other images as well (inf: none). crown: CROWN-Ada's radius.
    lower_by, upper_by: the methods that made the search's last bounds.
    """

    image: int
    digest: str
    crown: float
    attack: float
    lower: float
    upper: float
    seconds: float
    regions: int
    status: str
    lower_by: str
    upper_by: str
    trace: tuple[tuple[float, float, float], ...]

    @property
    def closed(self) -> bool:
        """Have the two sides met, within `CLOSED`?"""
        return self.lower >= self.upper * (1 - CLOSED)

    def ratio_at(self, seconds: float) -> float:
        """The lower bound that a budget of `seconds` gives, over the nearest adversarial point of all."""
        lower = max((low for at, low, _ in self.trace if at <= seconds), default=0.0)
        return 1.0 if lower >= self.upper else lower / self.upper


@dataclass(frozen=True)
class TableSettings:
    """What is measured on each network, with which images: the shipped test images from number `first` on."""

    asked: tuple[Asked, ...] = ASKED
    first: int = FIRST

    def images_of(self, asked: Asked) -> range:
        """The numbers of the images."""
        return range(self.first, self.first + asked.images)


@dataclass(frozen=True)
class TableProgress:
    """Where a run stands: seconds that the images done and those missing may take at most, and what comes next."""

    done: float
    total: float
    words: str


def table_settings(
    networks: Sequence[str] | None, images: int | None, seconds: float | None, first: int = FIRST
) -> TableSettings:
    """Checked settings: the networks' own budgets and numbers of images, cut to at most `images` and `seconds`.

    A network that nothing is asked of gets 20 images and 60 s. Raises InvalidInput.
    """
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise InvalidInput(f"The seconds for an image must be a positive number; {seconds!r} came.")
    if images is not None and images < 1:
        raise InvalidInput(f"At least one image has to be taken; {images} came.")
    known = {asked.network: asked for asked in ASKED}
    chosen = [known.get(name, Asked(name, (60.0,), (math.nan,))) for name in networks or known]
    cut = tuple(_cut(asked, images, seconds) for asked in chosen)
    if not 0 <= first <= 1000 - max(asked.images for asked in cut):
        raise InvalidInput(f"There are test images 0 to 999; {max(a.images for a in cut)} from {first} on came.")
    return TableSettings(cut, first)


def _cut(asked: Asked, images: int | None, seconds: float | None) -> Asked:
    """No more images and seconds than these; the goals that are left are those of the budgets that are left."""
    budgets = [(s, m) for s, m in zip(asked.seconds, asked.medians, strict=True) if seconds is None or s <= seconds]
    if seconds is not None and not (budgets and budgets[-1][0] == seconds) and seconds < asked.seconds[-1]:
        budgets.append((seconds, math.nan))
    count = asked.images if images is None else min(images, asked.images) if asked in ASKED else images
    whole = count == asked.images and len(budgets) == len(asked.seconds)
    least = asked.least if asked.least and any(s == asked.least[0] for s, _ in budgets) else None
    times, medians = zip(*budgets, strict=True)
    return Asked(asked.network, times, medians, count, asked.closed if whole else None, least)


def shipped_networks(names: Sequence[str]) -> tuple[dict[str, Network], tuple[str, ...]]:
    """The networks among `names` that ship, and the names of those that do not."""
    from relucert_core.importers.shipped import list_models, load_model

    there = {card.name for card in list_models()}
    missing = tuple(name for name in names if name not in there)
    found = {name: load_model(name) for name in names if name in there}
    if not found:
        raise DataUnavailable(f"None of these networks ships: {', '.join(missing)}; `models` lists those that do.")
    return found, missing


def closing_store(folder: Path, net: Network, seconds: float, part: str = "") -> LineStore[Closing]:
    """The finished images of one network under one budget; `part` names the file of a shard."""
    key = content_key(digest=net.digest, method="closing 2", norm="L2", seconds=seconds, attack=ATTACK)
    return LineStore(folder / f"closing-{key}{part and '.'}{part}.jsonl", _plain_closing, _read_closing)


def stored(folder: Path, net: Network, seconds: float) -> dict[str, Closing]:
    """The finished images of one network under one budget by digest, of all shards."""
    whole = closing_store(folder, net, seconds).path
    found: dict[str, Closing] = {}
    for path in sorted({whole, *folder.glob(f"{whole.stem}.*.jsonl")}):
        found |= LineStore(path, _plain_closing, _read_closing).read()
    return found


def measure(net: Network, image: int, seconds: float) -> Closing:
    """Everything about one image: CROWN-Ada, the attack, and the search, until it has met itself or the time is up."""
    from relucert_core.attacks import attack
    from relucert_core.datasets.mnist import mnist_sample
    from relucert_core.registry import certify
    from relucert_core.search import search

    images, _ = mnist_sample()
    point: Vector = images[image]
    crown = certify(net, point, method="crown-ada", norm=2)
    found = attack(net, point, method=ATTACK, norm=2, starts=images)
    distance = found.distance if found.success else math.inf
    trace = []
    with counted_by(time.process_time):
        for step in search(net, point, 2, "exact", max_seconds=seconds):
            trace.append(Reading(step.seconds, step.lower, step.upper, step.regions, step.queue))
            if step.lower >= step.upper * (1 - CLOSED):
                break
    return Closing(
        image=image,
        digest=point_digests(point[None])[0],
        crown=crown.radius,
        attack=distance,
        lower=step.lower,
        upper=min(step.upper, distance),
        seconds=step.seconds,
        regions=step.regions,
        status=step.status,
        lower_by=step.lower_by,
        upper_by=step.upper_by,
        trace=tuple((r.seconds, r.lower, r.upper) for r in thinned(trace, _MOST_READINGS)),
    )


def finished(settings: TableSettings, folder: Path) -> dict[str, list[Closing]]:
    """The finished images of every network that ships, in the order of the images."""
    from relucert_core.datasets.mnist import mnist_sample

    images, _ = mnist_sample()
    networks, _ = shipped_networks([asked.network for asked in settings.asked])
    found: dict[str, list[Closing]] = {}
    for asked in settings.asked:
        if asked.network in networks:
            kept = stored(folder, networks[asked.network], asked.seconds[-1])
            wanted = settings.images_of(asked)
            digests = point_digests(images[wanted.start : wanted.stop])
            found[asked.network] = [kept[digest] for digest in digests if digest in kept]
    return found


def closing_table(results: Mapping[str, list[Closing]], settings: TableSettings) -> dict[str, list[str]]:
    """A row a network and budget, what was asked beside what was reached; ratios are rounded down.

    "lower / upper": the median over the images; "least": the smallest; "closed": how many images met within 0.1 %.
    "CROWN-Ada / upper", "attack / upper": medians of how far the bounds of before were off.
    """
    rows = []
    for asked in settings.asked:
        entries = results.get(asked.network, [])
        for seconds, goal in zip(asked.seconds, asked.medians, strict=True):
            if entries:
                rows.append(_row(asked, entries, seconds, goal))
    names = (
        "network", "images", "seconds", "asked", "lower / upper", "least asked", "least", "closed asked", "closed",
        "CROWN-Ada / upper", "attack / upper",
    )  # fmt: skip
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _row(asked: Asked, entries: list[Closing], seconds: float, goal: float) -> tuple[str, ...]:
    ratios = [entry.ratio_at(seconds) for entry in entries]
    last, least = seconds == asked.seconds[-1], asked.least is not None and asked.least[0] == seconds
    closed = sum(ratio >= 1 - CLOSED for ratio in ratios)
    crowns = [entry.crown / entry.upper for entry in entries if 0 < entry.upper < math.inf]
    attacks = [entry.attack / entry.upper for entry in entries if 0 < entry.upper < math.inf]
    return (
        asked.network,
        str(len(entries)),
        f"{seconds:g}",
        _number(goal),
        rounded(median(ratios), LOWER, 3 if median(ratios) < 0.99 else 4),
        _number(asked.least[1]) if least and asked.least is not None else "",
        rounded(min(ratios), LOWER, 3),
        str(asked.closed) if last and asked.closed is not None else "",
        f"{closed} of {len(entries)}",
        rounded(median(crowns), LOWER, 2) if crowns else "-",
        rounded(median(attacks), "upper bound", 3) if attacks else "-",
    )


def curve_table(results: Mapping[str, list[Closing]], settings: TableSettings) -> dict[str, list[str]]:
    """The median of lower / upper against seconds: a row a network, a column a time up to its budget."""
    rows = [(asked, results[asked.network]) for asked in settings.asked if results.get(asked.network)]
    longest = max((asked.seconds[-1] for asked, _ in rows), default=0.0)
    columns = {"lower / upper after": [asked.network for asked, _ in rows]}
    for seconds in (t for t in CURVE if t <= longest):
        columns[f"{seconds:g} s"] = [
            rounded(median(entry.ratio_at(seconds) for entry in entries), LOWER, 3)
            if seconds <= asked.seconds[-1]
            else ""
            for asked, entries in rows
        ]
    return columns


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def _plain_closing(digest: str, entry: Closing) -> dict[str, Any]:
    """As JSON: infinite numbers are null."""
    values = asdict(entry) | {"trace": [[_plain(v) for v in row] for row in entry.trace]}
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_closing(values: Mapping[str, Any]) -> tuple[str, Closing]:
    """The record of a JSON line: null is infinity."""
    read: dict[str, Any] = {key: math.inf if value is None else value for key, value in values.items()}
    read["trace"] = tuple(tuple(math.inf if v is None else float(v) for v in row) for row in values["trace"])
    return str(read["digest"]), Closing(**read)
