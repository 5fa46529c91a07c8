"""The closing table's images carried out by a crew: one image a task, each kept as soon as it is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from relucert_core.datasets.mnist import mnist_sample
from relucert_core.errors import DataUnavailable
from relucert_core.experiments.search_table import (
    Asked,
    Closing,
    TableProgress,
    TableSettings,
    closing_store,
    measure,
    shipped_networks,
    stored,
)
from relucert_core.experiments.store import point_digests
from relucert_core.files import reason
from relucert_core.jobs.crews import crew
from relucert_core.jobs.locks import locked
from relucert_core.jobs.loop import carry_out
from relucert_core.jobs.tasks import MEMORY, Context, Shard
from relucert_core.network import Network


@dataclass(frozen=True)
class ImageTask:
    """One shipped test image by its number and digest, searched for at most so many seconds of the processor."""

    image: int
    digest: str
    seconds: float

    def carry_out(self, context: Context) -> list[Closing]:
        """Everything about the image."""
        try:
            return [measure(context.net, self.image, self.seconds)]
        except MemoryError:
            return self.failed(MEMORY)

    def failed(self, status: str) -> list[Closing]:
        """What is said when there is no answer: nothing is proved, nothing was found."""
        return [Closing(self.image, self.digest, 0.0, math.inf, 0.0, math.inf, 0.0, 0, status, "", "", ())]


def run_table(
    settings: TableSettings,
    folder: Path,
    *,
    workers: int = 1,
    shard: Shard | None = None,
    dask: str | None = None,
    show: Callable[[TableProgress], None] = lambda progress: None,
) -> None:
    """Find the missing images, network after network; `show` gets a report at the beginning and after every image.

    workers: processes of one thread. shard: of the images; each shard keeps its own file in `folder`. dask: a
    scheduler's address, or "local". Raises DataUnavailable when results cannot be kept, InvalidInput when another run
    writes the same file, KeyboardInterrupt after SIGINT or SIGTERM; what was measured is kept in each case.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataUnavailable(f"Results cannot be kept in {folder} ({reason(error)}); name another folder.") from None
    part = shard or Shard()
    networks, _ = shipped_networks([asked.network for asked in settings.asked])
    plan = [asked for asked in settings.asked if asked.network in networks]
    count = _Count(sum(len(_images(settings, asked, part)) * asked.seconds[-1] for asked in plan), show)
    for asked in plan:
        _network(asked, _images(settings, asked, part), networks[asked.network], folder, part, workers, dask, count)
    count.tell("done")


class _Count:
    """Seconds that the images done may have taken at most, of all."""

    def __init__(self, total: float, show: Callable[[TableProgress], None]) -> None:
        self._done, self._total, self._show = 0.0, total, show

    def add(self, seconds: float) -> None:
        """Some more are done."""
        self._done += seconds

    def tell(self, words: str) -> None:
        """A report."""
        self._show(TableProgress(self._done, self._total, words))


def _images(settings: TableSettings, asked: Asked, shard: Shard) -> list[int]:
    return [image for image in settings.images_of(asked) if shard.has(image)]


def _network(
    asked: Asked,
    images: list[int],
    net: Network,
    folder: Path,
    shard: Shard,
    workers: int,
    dask: str | None,
    count: _Count,
) -> None:
    """One network's missing images."""
    seconds, part = asked.seconds[-1], f"{shard.number}-of-{shard.count}" if shard.count > 1 else ""
    store = closing_store(folder, net, seconds, part)
    with locked(store.path):
        known = stored(folder, net, seconds)
        digests = point_digests(mnist_sample()[0][images])
        missing = [
            ImageTask(i, digest, seconds) for i, digest in zip(images, digests, strict=True) if digest not in known
        ]
        count.add((len(images) - len(missing)) * seconds)
        count.tell(f"{asked.network}, {len(missing)} of {len(images)} images to go")
        if not missing:
            return

        def take(task: ImageTask, answers: list[Closing]) -> None:
            if answers[0].digest in known:
                return
            store.append([answers[0].digest], answers)
            known[answers[0].digest] = answers[0]
            count.add(seconds)
            count.tell(f"{asked.network}, image {task.image}")

        with closing(crew(Context(net), workers, dask)) as workforce:
            carry_out(iter(missing), workforce, take)
