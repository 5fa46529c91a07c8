"""The public page with many visitors: times of clicks and answers, and memory, against what is promised.

python -m tests.load --visitors 20 --workers 2

Needs Linux and a quiet machine. The limits hold for 20 visitors on 2 cores; with more it has only to be slower.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.load.served import Served, served
from tests.load.visitor import PATIENCE, Visitor

LIMITED_TO = 20
TRAINING = "pg_dataset=moons&pg_epochs=5000&pg_hidden=16~16&pg_size=500"
U = "u, x"
LARGE = "digits_net=mnist-1024-512"


@dataclass(frozen=True)
class Figure:
    """A measured number, its limit, its unit."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        """Is it within its limit?"""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "kept" if self.kept else "NOT KEPT"
        return f"{self.name:45} {self.value:8.2f} {self.unit:3} (at most {self.limit:g})  {verdict}"


def together(visitors: int, address: str, page: str, query: Callable[[int], str]) -> list[Visitor]:
    """So many tabs on a page, opened at once."""
    with ThreadPoolExecutor(visitors) as pool:
        return list(pool.map(lambda i: Visitor(address, page, query(i)), range(visitors)))


def ready(visitor: Visitor) -> bool:
    """Does the Playground show its numbers and controls? (While it trains, a run of the whole page may never end as
    one: a tick takes over.)"""
    return visitor.seen.numbers > 0 and U in visitor.seen.controls


def playground(address: str, visitors: int, clicks: int) -> tuple[list[Figure], list[str]]:
    """Everybody trains, and everybody types a place for u again and again."""
    crowd = together(visitors, address, "playground", lambda i: f"{TRAINING}&pg_seed={i}")
    for visitor in crowd:
        visitor.wait(lambda visitor=visitor: ready(visitor))

    def click(visitor: Visitor) -> list[float]:
        times = []
        for turn in range(clicks):
            times.append(visitor.type_in(U, round(0.1 + 0.01 * turn, 3), "pg_point"))
            time.sleep(1.0)
        return times

    with ThreadPoolExecutor(visitors) as pool:
        times = [seconds for found in pool.map(click, crowd) for seconds in found]
    figures = [
        Figure("Playground: a click, median", statistics.median(times), 2.0, "s"),
        Figure("Playground: a click, worst", max(times), 5.0, "s"),
    ]
    ticks = sum(visitor.seen.ticks for visitor in crowd)
    print(f"Playground: {ticks} ticks of training, {len(times)} clicks")
    return figures, leave(crowd)


def digits(address: str, visitors: int) -> tuple[list[Figure], list[str]]:
    """Everybody opens another digit on the large network at the same moment."""
    crowd = together(visitors, address, "digits", lambda i: f"{LARGE}&digits_image={10 + i}")
    for visitor in crowd:
        visitor.wait(lambda visitor=visitor: visitor.seen.finished_whole > 0)
    complete = [time.monotonic() - visitor.begun for visitor in crowd]
    first = [visitor.said("Safe to") or visitor.said("Reads") or PATIENCE for visitor in crowd]
    figures = [
        Figure("Digits: first number, median", statistics.median(first), 3.0, "s"),
        Figure("Digits: first number, worst", max(first), 3.0, "s"),
        Figure("Digits: everybody's complete answer", max(complete), 60.0, "s"),
    ]
    return figures, leave(crowd)


def leave(crowd: list[Visitor]) -> list[str]:
    """Everybody goes; what went wrong."""
    errors = [error for visitor in crowd for error in visitor.seen.errors]
    errors += ["the server closed the connection" for visitor in crowd if visitor.seen.closed]
    for visitor in crowd:
        visitor.close()
    return errors


def memory(server: Served) -> list[Figure]:
    """What the processes hold."""
    whole, workers = server.memory()
    return [
        Figure("Memory of the server", whole, 700.0, "MB"),
        Figure(f"Memory of a worker, largest of {len(workers)}", max(workers, default=0.0), 190.0, "MB"),
    ]


@contextlib.contextmanager
def worked(server: Served, what: str) -> Iterator[None]:
    """Say what the processor did meanwhile, and how busy the machine was: then times are no measure."""
    before, begun = server.seconds(), time.monotonic()
    yield
    own, workers = (after - first for after, first in zip(server.seconds(), before, strict=True))
    print(
        f"{what}: {time.monotonic() - begun:.0f} s, of them the server computed {own:.1f} s and its workers "
        f"{workers:.1f} s; the machine's load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> int:
    """Measure, print, and say by the exit code whether all was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=LIMITED_TO)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clicks", type=int, default=5, help="of each visitor on the Playground")
    parser.add_argument("--only", choices=("playground", "digits"))
    asked = parser.parse_args()
    kept, errors = True, list[str]()

    def tell(found: list[Figure], wrong: list[str]) -> None:
        nonlocal kept
        kept &= all(figure.kept for figure in found)
        errors.extend(wrong)
        for figure in found:
            print(figure, flush=True)

    with served(asked.workers) as server:
        first = Visitor(
            server.address, "digits", "digits_net=mnist-20-20-20"
        )  # a server that has just begun has its imports to make
        first.wait(lambda: first.seen.finished_whole > 0)
        tell([], leave([first]))
        if asked.only != "playground":
            with worked(server, "Digits"):
                tell(*digits(server.address, asked.visitors))
        if asked.only != "digits":
            with worked(server, "Playground"):
                tell(*playground(server.address, asked.visitors, asked.clicks))
        tell(memory(server), [])
    print(f"{asked.visitors} visitors, {asked.workers} workers; errors: {len(errors)} {sorted(set(errors))[:5]}")
    return int(bool(errors) or (asked.visitors <= LIMITED_TO and not kept))


if __name__ == "__main__":
    sys.exit(main())
