"""Time of the bounds over a ball: 100 images of mnist-1024-512, norm 2, one thread, radius to a relative 1e-3."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest
import torch

import relucert_core as rc
from tests.hunt_bounds import ENTRIES

SECONDS = {"interval": 2.0, "fast-lin": 8.0, "crown-ada": 8.0, "fast-lip": 16.0, "lipschitz": 1.0}
MEGABYTES = 2000


@pytest.mark.parametrize("name", list(SECONDS))
def test_hundred_images(benchmark, name):
    torch.set_num_threads(1)
    net = rc.load_model("mnist-1024-512")
    points = torch.tensor(np.asarray(rc.mnist_sample()[0][:100]), dtype=torch.float64)
    ENTRIES[name].run(net, points[:2], norm=2.0, labels=None)

    def measured():
        began = time.process_time()
        found = ENTRIES[name].run(net, points, norm=2.0, labels=None)
        return found, time.process_time() - began

    found, seconds = benchmark.pedantic(measured, rounds=1, iterations=1)
    radii = np.array([c.radius for c in found])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    trials = np.mean([c.parts.get("trials", 1) for c in found if c.radius > 0])
    benchmark.extra_info.update(processor_seconds=seconds, median_radius=float(np.median(radii)), megabytes=memory)
    print(
        f"\n{name}: {seconds:.2f} s of one processor for 100 images, median radius {np.median(radii):.5f}, "
        f"{trials:.1f} trial radii an image, {memory:.0f} MB"
    )
    assert seconds <= SECONDS[name]
    assert memory <= MEGABYTES
    assert (radii > 0).sum() >= 95
