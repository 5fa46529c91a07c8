"""The parent of the worker processes: it imports torch once and forks a worker for every line that it reads.

What the workers share with it they need not load, nor hold, a second time: a worker is there in some milliseconds and
takes some 80 MB less than one that is started by itself. (multiprocessing's own fork server runs the main program in
every worker, which here would be the app.) Where forking after such imports is not safe, workers start by themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import IO

from relucert_core.threads import ONE_THREAD

FORKS = sys.platform == "linux"


class Nursery:
    """The pool's end of it: starts workers that connect to `address` and prove by `key` that they are ours."""

    def __init__(self, address: str, key: bytes) -> None:
        self._address, self._key = address, key
        self._process: subprocess.Popen[bytes] | None = None
        self._single: list[subprocess.Popen[bytes]] = []

    def one_more(self) -> None:
        """Start a worker; raises OSError when the system refuses."""
        if FORKS:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._process = self._start("relucert_core.places.nursery")
            _write(self._process, b"fork\n")
        else:
            self._single = [process for process in self._single if process.poll() is None]
            self._single.append(self._start("relucert_core.places.worker"))

    @property
    def pid(self) -> int | None:
        """The process that forks workers, where there is one."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """End the process; workers end when their pipes close."""
        for process in [*self._single, *([self._process] if self._process is not None else [])]:
            if process.stdin is not None:
                process.stdin.close()
            process.kill()
            process.wait()
        self._process, self._single = None, []

    def _start(self, module: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **ONE_THREAD}
        command = [sys.executable, "-m", module, self._address]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        _write(process, self._key.hex().encode() + b"\n")
        return process


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


def _tend(address: str, orders: IO[bytes]) -> None:
    """The process: fork a worker for every line, end when the pool does."""
    import torch  # noqa: F401 - what the workers share

    from relucert_core.places.worker import begin

    key = bytes.fromhex(orders.readline().decode().strip())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    while orders.readline():
        if os.fork() == 0:
            code = 1
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.dup2(os.open(os.devnull, os.O_RDONLY), orders.fileno())
                begin(address, key)
                code = 0
            finally:
                os._exit(code)


if __name__ == "__main__":
    with open(sys.stdin.fileno(), "rb", buffering=0) as stream:
        _tend(sys.argv[1], stream)
