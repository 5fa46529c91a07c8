"""How far the search closes the gap: cheap bounds, the search after 1, 10 and 60 seconds, the best attack.

One run of the exact search an image gives all its checkpoints. Results are kept per image, by content, so that a run
can be stopped and goes on; see `store.LineStore`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relucert_core.arrays import Matrix, Vector
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.experiments.records import LOWER, UPPER
from relucert_core.experiments.search_run import Recorder, at_seconds, follow, subject_of
from relucert_core.experiments.store import LineStore, content_key, point_digests
from relucert_core.experiments.tables import rounded
from relucert_core.network import Network

NETWORKS = ("mnist-20-20-20", "mnist-40-40-40", "mnist-1024-512", "mnist-1024-512-regularised")
CHECKPOINTS = (1.0, 10.0, 60.0)
IMAGES = 20
ATTACK = "best"


@dataclass(frozen=True)
class Closing:
    """One image: radii of simplex and CROWN-Ada, the search's lower bound at each checkpoint, what it ended with.

    upper: the nearest adversarial point, of the attack or of the search; attack: of the attack alone (inf: none).
    exact: the radius when the search proved it, else None, after `seconds`. checkpoints: as in the settings.
    """

    image: int
    digest: str
    simplex: float
    crown: float
    checkpoints: tuple[float, ...]
    lower: float
    upper: float
    attack: float
    exact: float | None
    seconds: float
    regions: int
    status: str


@dataclass(frozen=True)
class TableSettings:
    """Which networks, how many of the shipped test images, and the checkpoints in seconds, the last one the budget."""

    networks: tuple[str, ...] = NETWORKS
    images: int = IMAGES
    checkpoints: tuple[float, ...] = CHECKPOINTS


@dataclass(frozen=True)
class TableProgress:
    """Where a run stands: `done` of `total` images, and what comes next."""

    done: int
    total: int
    words: str


def table_settings(networks: Sequence[str] | None, images: int, seconds: float) -> TableSettings:
    """Checked settings: `seconds` is the budget an image; checkpoints past it go. Raises InvalidInput."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise InvalidInput(f"The seconds for an image must be a positive number; {seconds!r} came.")
    if not 1 <= images <= 1000:
        raise InvalidInput(f"There are 1 to 1000 test images to take; {images} came.")
    earlier = tuple(t for t in CHECKPOINTS if t < seconds)
    return TableSettings(tuple(networks or NETWORKS), images, (*earlier, float(seconds)))


def shipped_networks(names: Sequence[str]) -> tuple[dict[str, Network], tuple[str, ...]]:
    """The networks among `names` that ship, and the names of those that do not."""
    from relucert_core.importers.shipped import list_models, load_model

    there = {card.name for card in list_models()}
    missing = tuple(name for name in names if name not in there)
    found = {name: load_model(name) for name in names if name in there}
    if not found:
        raise DataUnavailable(f"None of these networks ships: {', '.join(missing)}; `models` lists those that do.")
    return found, missing


def closing_store(folder: Path, net: Network, checkpoints: tuple[float, ...]) -> LineStore[Closing]:
    """The finished images of one network under one set of checkpoints."""
    key = content_key(digest=net.digest, method="closing", norm="L2", checkpoints=list(checkpoints), attack=ATTACK)
    return LineStore(folder / f"closing-{key}.jsonl", _plain_closing, _read_closing)


def measure(net: Network, name: str, image: int, point: Vector, starts: Matrix, settings: TableSettings) -> Closing:
    """Everything about one image: certificates, attack, and one run of the search with its checkpoints."""
    from relucert_core.attacks import attack
    from relucert_core.registry import certify
    from relucert_core.search import search

    simplex = certify(net, point, method="simplex", norm=2)
    crown = certify(net, point, method="crown-ada", norm=2)
    found = attack(net, point, method=ATTACK, norm=2, starts=starts)
    recorder = Recorder(net, subject_of(net, name, str(image), simplex.prediction, 2.0, "exact"))
    for _ in follow(recorder, search(net, point, 2, "exact", starts=starts, max_seconds=settings.checkpoints[-1])):
        pass
    run = recorder.run()
    distance = found.distance if found.success else math.inf
    return Closing(
        image=image,
        digest=point_digests(point[None])[0],
        simplex=simplex.radius,
        crown=crown.radius,
        checkpoints=tuple(_reached(run, t) for t in settings.checkpoints),
        lower=run.lower,
        upper=min(run.upper, distance),
        attack=distance,
        exact=run.lower if run.exact else None,
        seconds=run.last.seconds,
        regions=run.last.regions,
        status=run.status,
    )


def run_table(settings: TableSettings, folder: Path) -> Iterator[TableProgress]:
    """Find the missing images, those of all networks in turn; a report before each and one at the end."""
    from relucert_core.datasets.mnist import mnist_sample

    images, _ = mnist_sample()
    digests = point_digests(images[: settings.images])
    networks, _ = shipped_networks(settings.networks)
    stores = {name: closing_store(folder, net, settings.checkpoints) for name, net in networks.items()}
    known = {name: set(store.read()) & set(digests) for name, store in stores.items()}
    total = len(networks) * settings.images
    for image in range(settings.images):
        for name, net in networks.items():
            if digests[image] in known[name]:
                continue
            yield TableProgress(sum(map(len, known.values())), total, f"{name}, image {image}")
            entry = measure(net, name, image, images[image], images, settings)
            stores[name].append([entry.digest], [entry])
            known[name].add(digests[image])
    yield TableProgress(total, total, "done")


def finished(settings: TableSettings, folder: Path) -> dict[str, list[Closing]]:
    """The finished images of every network that ships, in the order of the images."""
    from relucert_core.datasets.mnist import mnist_sample

    digests = point_digests(mnist_sample()[0][: settings.images])
    networks, _ = shipped_networks(settings.networks)
    found = {name: closing_store(folder, net, settings.checkpoints).read() for name, net in networks.items()}
    return {name: [kept[d] for d in digests if d in kept] for name, kept in found.items()}


def closing_table(results: dict[str, list[Closing]], checkpoints: tuple[float, ...]) -> dict[str, list[str]]:
    """Medians by network: columns by name, a row a network; lower bounds rounded down, upper bounds up.

    "Closed" is the share of images whose exact distance was proved; "lower / upper" the median of that ratio.
    """
    rows = [(name, entries) for name, entries in results.items() if entries]
    columns = {
        "Network": [name for name, _ in rows],
        "Images": [str(len(entries)) for _, entries in rows],
        "Simplex": [_median([e.simplex for e in entries], LOWER) for _, entries in rows],
        "CROWN-Ada": [_median([e.crown for e in entries], LOWER) for _, entries in rows],
    }
    for i, seconds in enumerate(checkpoints):
        columns[f"Search {seconds:g} s"] = [_median([e.checkpoints[i] for e in entries], LOWER) for _, entries in rows]
    columns["Exact (where reached)"] = [
        _median([e.exact for e in entries if e.exact is not None], "") for _, entries in rows
    ]
    columns["Best attack"] = [_median([e.attack for e in entries], UPPER) for _, entries in rows]
    columns["lower / upper"] = [_median([_ratio(e) for e in entries], LOWER) for _, entries in rows]
    columns["Closed"] = [f"{sum(e.exact is not None for e in entries)} of {len(entries)}" for _, entries in rows]
    return columns


def _reached(run: Any, seconds: float) -> float:
    """The lower bound at a checkpoint: what was known by then; nothing was when the first bound came later."""
    reading = at_seconds(run, seconds)
    return float(reading.lower) if reading.seconds <= seconds else 0.0


def _ratio(entry: Closing) -> float:
    return 1.0 if entry.lower == entry.upper else entry.lower / entry.upper if entry.upper > 0 else 1.0


def _median(values: Sequence[float], kind: str) -> str:
    """The median for print; the middle pair of an even number is averaged, and of an infinite one it is infinite."""
    if not values:
        return "-"
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return rounded((low + high) / 2 if low != high else low, kind, 3)


def _plain_closing(digest: str, entry: Closing) -> dict[str, Any]:
    """As JSON: infinite numbers are null."""
    values = asdict(entry)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()} | {
        "checkpoints": [v if math.isfinite(v) else None for v in entry.checkpoints],
        "exact": entry.exact if entry.exact is None or math.isfinite(entry.exact) else "inf",
    }


def _read_closing(values: Mapping[str, Any]) -> tuple[str, Closing]:
    """The record of a JSON line: null is infinity, but for `exact`, where it is "not reached"."""
    numbers = ("simplex", "crown", "lower", "upper", "attack", "seconds")
    read = {k: math.inf if k in numbers and v is None else v for k, v in values.items()}
    read["checkpoints"] = tuple(math.inf if v is None else float(v) for v in values["checkpoints"])
    read["exact"] = math.inf if values["exact"] == "inf" else values["exact"]
    return str(read["digest"]), Closing(**read)  # type: ignore[arg-type]
