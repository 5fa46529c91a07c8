"""A local Dask cluster over TCP: the same lines, and nothing lost when a worker is killed."""

import os
import signal
import threading

import pytest

from relucert_core.errors import DataUnavailable
from relucert_core.jobs import crews
from relucert_core.jobs.crews import Dask
from relucert_core.jobs.run import run
from relucert_core.jobs.tasks import Context
from tests.jobs.test_loop import METHODS, wanted, whole

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Dask warns of event loops and sockets that it closes late


@pytest.mark.slow
def test_a_killed_worker_costs_nothing(small, tmp_path):
    run(wanted(small), tmp_path / "alone.jsonl")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp") as cluster:
        killed = threading.Event()

        def kill(progress):
            if not killed.is_set():
                killed.set()
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        run(wanted(small), tmp_path / "dask.jsonl", dask=cluster.scheduler_address, show=kill)
    assert killed.is_set()
    assert whole(tmp_path / "dask.jsonl") == whole(tmp_path / "alone.jsonl")
    assert len(whole(tmp_path / "dask.jsonl")) == 200 * len(METHODS)


def test_no_scheduler_is_one_sentence(small, monkeypatch):
    monkeypatch.setattr(crews, "SCHEDULER_SECONDS", 1)
    with pytest.raises(DataUnavailable, match="no Dask scheduler"):
        Dask(Context(small[2]), "tcp://127.0.0.1:1", 1)
