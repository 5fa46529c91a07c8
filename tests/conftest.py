"""Settings for all tests: one torch thread (shared cores punish spinning), a quiet hypothesis profile."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)
settings.register_profile("relucert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relucert")
