"""A server of the app for a measurement, and what its processes hold."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.pages.browser import ROOT, answers, free_port


@dataclass(frozen=True)
class Served:
    """A server: its address and its process."""

    address: str
    pid: int
    log: IO[str]

    def said(self) -> str:
        """What it wrote to stderr so far: the tracebacks that no page shows."""
        self.log.flush()
        with open(self.log.name, encoding="utf8", errors="replace") as stream:
            return stream.read()

    def children(self) -> list[int]:
        """The processes below it."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError, IndexError, ValueError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        found, frontier = [], {self.pid}
        while frontier := {pid for pid, parent in parents.items() if parent in frontier}:
            found += sorted(frontier)
        return found

    def memory(self) -> tuple[float, list[float]]:
        """The MB of the server (with the parent of its workers), and of each worker, as the sum of their PSS."""
        children = self.children()
        workers = [pid for pid in children if _parent(pid) != self.pid]
        server = _pss(self.pid) + sum(_pss(pid) for pid in children if pid not in workers)
        return server, [_pss(pid) for pid in workers]

    def seconds(self) -> tuple[float, float]:
        """The processor's seconds that the server has taken, and all its workers (with the parent that they share)."""
        return _seconds(self.pid), sum(_seconds(pid) for pid in self.children())

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """End it at once, as a machine does that lacks memory; its workers end with it."""
        os.kill(self.pid, signal.SIGKILL)

    def descriptors(self) -> int:
        """How many files the server has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextlib.contextmanager
def served(workers: int, port: int | None = None) -> Iterator[Served]:
    """The app, as `relucert app --public` serves it, with so many workers; at a free port unless one is given."""
    port = port or free_port()
    command = [sys.executable, "-m", "relucert_core", "app", "--public", "--headless", "--port", str(port)]
    environment = {**os.environ, "RELUCERT_WORKERS": str(workers), "OMP_WAIT_POLICY": "PASSIVE"}
    address = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        try:
            if not answers(address, 120):
                raise RuntimeError("The server did not answer within two minutes.")
            yield Served(address, process.pid, log)
        finally:
            process.terminate()
            process.wait(60)


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _seconds(pid: int) -> float:
    """The process's own user and system time."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _pss(pid: int) -> float:
    """The process's proportional share of memory, in MB; 0 when it has gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
