"""Settings for all tests: one thread (shared cores punish spinning), a quiet hypothesis profile."""

import os

for name, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")):
    os.environ.setdefault(name, value)

import torch  # noqa: E402  (after the settings that it reads on import)
from hypothesis import HealthCheck, settings  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("relucert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relucert")
