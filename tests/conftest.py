"""Settings for all tests: one thread (shared cores punish spinning), a quiet hypothesis profile, three processes.

The browser tests stay together in one process, where they share a server and Chromium, and mostly wait: the other two
keep two cores busy meanwhile.
"""

import os

for name, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")):
    os.environ.setdefault(name, value)

import pytest  # noqa: E402
import torch  # noqa: E402  (after the settings that it reads on import)
from hypothesis import HealthCheck, settings  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("relucert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relucert")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
