"""Settings for all tests: one thread (shared cores punish spinning), a quiet hypothesis profile, three processes."""

import gc
import os

for name, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")):
    os.environ.setdefault(name, value)

from typing import Any  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402  (after the settings that it reads on import)
from hypothesis import HealthCheck, settings  # noqa: E402

from tests import scheduling  # noqa: E402

gc.disable()  # while everything is imported, nothing is thrown away

torch.set_num_threads(1)
settings.register_profile("relucert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relucert")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: scheduling.rank(item.nodeid))


def pytest_collection_finish() -> None:
    gc.freeze()  # torch, streamlit and all tests are loaded now: no collection needs to look through them again
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> scheduling.ByFile:
    return scheduling.ByFile(config, log)
