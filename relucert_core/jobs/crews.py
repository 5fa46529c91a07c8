"""Who carries out the tasks: this process, worker processes kept warm, or a Dask cluster; all behind one interface.

Every worker computes with one thread, so that n workers use n cores and the sums of a product are taken in the same
order everywhere. Only the client writes; workers hand their answers back.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import lru_cache
from typing import Any, Protocol

from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.jobs.tasks import Context, Work
from relucert_core.threads import ONE_THREAD

SCHEDULER_SECONDS = 20  # to answer, before there is none


class Crew(Protocol):
    """Workers that a loop hands tasks to.

    window: how many tasks may be under way. retries: does it try a task again by itself when a worker dies? (Else all
    that is under way falls with the worker, and `mend` is called.)
    """

    window: int
    retries: bool

    def submit(self, task: Work) -> Future[list[Any]]:
        """Begin a task."""

    def died(self, error: BaseException) -> bool:
        """Does this error of a future say that its worker died?"""

    def mend(self) -> None:
        """Be ready again after a death."""

    def kill(self) -> None:
        """End everything at once."""

    def close(self) -> None:
        """End in good order."""


class Alone:
    """This process itself, one task at a time, with one thread as every worker has."""

    window = 1
    retries = False

    def __init__(self, context: Context) -> None:
        import torch

        self._context, self._threads = context, torch.get_num_threads()
        torch.set_num_threads(1)

    def submit(self, task: Work) -> Future[list[Any]]:
        """Carry out the task now."""
        future: Future[list[Any]] = Future()
        future.set_result(task.carry_out(self._context))
        return future

    def died(self, error: BaseException) -> bool:
        """Never: a death of this process is the end of the run."""
        return False

    def mend(self) -> None:
        """Nothing to do."""

    def kill(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Give the threads back."""
        import torch

        torch.set_num_threads(self._threads)


class Processes:
    """`workers` processes of one thread each, kept warm for the whole run."""

    retries = False

    def __init__(self, context: Context, workers: int) -> None:
        self.window = 2 * workers
        self._payload, self._workers = context.payload(), workers
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        kind = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        around = multiprocessing.get_context(kind)
        with _environment(ONE_THREAD):
            if kind == "forkserver":
                around.set_forkserver_preload(["torch", "relucert_core.jobs.tasks"])
            pool = ProcessPoolExecutor(self._workers, around, _begin, (self._payload,))
            pool.submit(_nothing).result()  # the workers start here, with the environment set
        return pool

    def submit(self, task: Work) -> Future[list[Any]]:
        """Hand the task to a free worker."""
        return self._pool.submit(_answer_begun, task)

    def died(self, error: BaseException) -> bool:
        """A broken pool: one worker died, and the pool gave up all that was under way."""
        return isinstance(error, BrokenExecutor)

    def mend(self) -> None:
        """A new pool in place of the broken one."""
        self.kill()
        self._pool = self._new_pool()

    def kill(self) -> None:
        """End the workers at once, whatever they do."""
        processes = list((getattr(self._pool, "_processes", None) or {}).values())  # kill_workers() comes with 3.14
        for process in processes:
            with contextlib.suppress(OSError, ValueError):
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Let the workers end."""
        self._pool.shutdown(wait=True)


class Dask:
    """The workers of a Dask cluster at `address`, or of a local one of `workers` processes for "local"."""

    retries = True

    def __init__(self, context: Context, address: str, workers: int) -> None:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise InvalidInput('Dask is not installed: install the extra "relucert[dask]".') from None
        self._payload, self._cluster = context.payload(), None
        try:
            if address == "local":
                with _environment(ONE_THREAD):
                    self._cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            self._client = Client(self._cluster or address, timeout=SCHEDULER_SECONDS)
        except (OSError, ValueError, RuntimeError) as error:
            raise DataUnavailable(
                f"There is no Dask scheduler at {address[:200]!r} ({type(error).__name__})."
            ) from None
        self._executor: Executor = self._client.get_executor(pure=False)
        self.window = 2 * max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def submit(self, task: Work) -> Future[list[Any]]:
        """Hand the task to the cluster; the context travels with it, and a worker unpacks it once."""
        return self._executor.submit(_answer_packed, self._payload, task)

    def died(self, error: BaseException) -> bool:
        """Dask tries a task again when its worker dies, and gives up after its own number of deaths."""
        return type(error).__name__ == "KilledWorker"

    def mend(self) -> None:
        """Nothing to do: the cluster replaces its workers."""

    def kill(self) -> None:
        """Leave the cluster at once."""
        self.close()

    def close(self) -> None:
        """Leave the cluster, and end it when it is ours."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=1)
        if self._cluster is not None:
            self._cluster.close(timeout=5)


def crew(context: Context, workers: int, dask: str | None = None) -> Crew:
    """The crew that was asked for: a Dask cluster, `workers` processes, or this process for one worker."""
    if dask:
        return Dask(context, dask, workers)
    return Processes(context, workers) if workers > 1 else Alone(context)


_CONTEXT: list[Context] = []  # of a worker process


def _begin(payload: bytes) -> None:
    """What a worker process does first: Ctrl-C is the client's business, one thread, the context unpacked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_client, daemon=True).start()
    _CONTEXT[:] = [_unpacked(payload)]


def _end_with_the_client() -> None:
    """A client that is killed cannot end its workers: they see it die and go, whatever they do."""
    client = multiprocessing.parent_process()
    if client is not None:
        client.join()
        os._exit(1)


def _nothing() -> None:
    """The first task of a pool."""


def _answer_begun(task: Work) -> list[Any]:
    return task.carry_out(_CONTEXT[0])


def _answer_packed(payload: bytes, task: Work) -> list[Any]:
    return task.carry_out(_unpacked(payload))


@lru_cache(maxsize=2)
def _unpacked(payload: bytes) -> Context:
    import pickle

    import torch

    torch.set_num_threads(1)
    context = pickle.loads(payload)  # made by `Context.payload` of the client that we work for
    assert isinstance(context, Context)
    return context


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for the processes that are started within."""
    before: dict[str, Any] = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


if sys.platform != "win32":
    STOPPING = (signal.SIGINT, signal.SIGTERM)
else:  # pragma: no cover
    STOPPING = (signal.SIGINT,)
