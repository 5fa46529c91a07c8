"""The public page for an hour: visitors go in turns over all pages; is memory flat, and does nothing go wrong?

python -m tests.load.soak --minutes 60 --visitors 10 --workers 2

After the first ten minutes (a sixth of a shorter run) the memory of all processes and the server's open files have to
stay within a tenth. Then the server is killed and started again: every visitor has to come back to the same view.
Needs Linux.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field

from tests.load.served import Served, served
from tests.load.visitor import Visitor

PATIENCE = 120.0
LOOKS = 6  # in the time that counts: each is the median of its part
FLAT = 1.10
SOME_FILES = 30  # descriptors: a visitor more or less has three, and a worker that starts some
PAGES = (
    ("", ""),
    ("playground", "pg_preset=figure-1a&pg_point=0.2~0.1"),
    ("playground", "pg_dataset=moons&pg_epochs=600&pg_hidden=8~8"),
    ("lesson", "step=12"),
    ("digits", "digits_net=mnist-20-20-20&digits_image={image}"),
    ("digits", "digits_net=mnist-1024-512&digits_image={image}"),
    ("experiments", ""),
    ("beyond", "beyond_image={image}"),
)


@dataclass
class Sample:
    """What the processes held at a time."""

    at: float
    memory: float
    files: int


@dataclass
class Soak:
    """Visitors and what was seen. turns: pages that were answered; slow: those that were not within PATIENCE."""

    server: Served
    visitors: int
    samples: list[Sample] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    turns: int = 0
    slow: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    crowd: list[Visitor] = field(default_factory=list)

    def wander(self, number: int) -> None:
        """One visitor: page after page, with a pause to read."""
        rng = random.Random(number)
        page, query = PAGES[number % len(PAGES)]
        visitor = Visitor(self.server.address, page, query.format(image=rng.randrange(1000)))
        self.crowd.append(visitor)
        while True:
            if visitor.wait(lambda: visitor.seen.finished_whole > 0 or self.over.is_set(), PATIENCE):
                self.turns += 1
            elif visitor.seen.closed:
                self.errors.append("the server closed the connection")
                return
            else:
                self.slow += 1
            self.errors += visitor.seen.errors
            visitor.seen.errors.clear()
            if self.over.wait(rng.uniform(4.0, 12.0)):
                return
            page, query = rng.choice(PAGES)
            visitor.go(page, query.format(image=rng.randrange(1000)))

    def run(self, minutes: float) -> None:
        """So many minutes, a look at the processes every ten seconds."""
        threads = [threading.Thread(target=self.wander, args=(i,), daemon=True) for i in range(self.visitors)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        while (at := time.monotonic() - begun) < 60 * minutes:
            server, workers = self.server.memory()
            self.samples.append(Sample(at, server + sum(workers), self.server.descriptors()))
            if len(self.samples) % 30 == 0:
                print(f"{at / 60:.0f} min: {self.samples[-1]}, {self.turns} pages, {self.slow} slow", flush=True)
            time.sleep(min(10.0, minutes))
        self.over.set()
        for thread in threads:
            thread.join(PATIENCE)

    def parts(self, minutes: float) -> list[Sample]:
        """Medians of the parts of the time that counts."""
        first = min(600.0, 10 * minutes)
        length = (60 * minutes - first) / LOOKS
        found = []
        for i in range(LOOKS):
            inside = [s for s in self.samples if first + i * length <= s.at < first + (i + 1) * length]
            if inside:
                files = statistics.median(s.files for s in inside)
                found.append(Sample(inside[0].at, statistics.median(s.memory for s in inside), round(files)))
        return found


def flat(parts: list[Sample]) -> bool:
    """Is no later part above the first by more than a tenth (of the files: or some)?"""
    first = parts[0]
    memory = all(part.memory <= FLAT * first.memory for part in parts)
    return memory and all(part.files <= max(FLAT * first.files, first.files + SOME_FILES) for part in parts)


def came_back(crowd: list[Visitor], killed: Served, workers: int) -> int:
    """How many visitors see the same view after the server was killed and started again at the same address."""
    before = [visitor.address for visitor in crowd]
    killed.kill()
    for visitor in crowd:
        visitor.wait(lambda visitor=visitor: visitor.seen.closed, 30)  # type: ignore[misc]
    with served(workers, killed.port):
        for visitor in crowd:
            visitor.reconnect()
        found = 0
        for visitor, address in zip(crowd, before, strict=True):
            visitor.wait(lambda visitor=visitor: visitor.seen.finished_whole > 0, PATIENCE)  # type: ignore[misc]
            same = visitor.address == address and not visitor.seen.errors
            if not same:
                print(f"{address[:200]} came back as {visitor.address[:200]} {visitor.seen.errors[:1]}")
            found += same
            visitor.close()
    return found


def main() -> int:
    """Soak, print, and say by the exit code whether all was as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with served(asked.workers) as server:
        soak = Soak(server, asked.visitors)
        soak.run(asked.minutes)
        parts = soak.parts(asked.minutes)
        for part in parts:
            print(f"from {part.at / 60:.1f} min: {part.memory:.0f} MB in all, {part.files} files open in the server")
        log = server.said()
        back = came_back(soak.crowd, server, asked.workers)
    good = bool(parts) and flat(parts) and not soak.errors and back == len(soak.crowd)
    print(f"{soak.turns} pages, {soak.slow} slower than {PATIENCE:.0f} s, {len(soak.errors)} errors {soak.errors[:5]}")
    if soak.errors:
        print(log[-6000:])
    print(f"{back} of {len(soak.crowd)} visitors came back to the same view; {'all kept' if good else 'NOT KEPT'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
