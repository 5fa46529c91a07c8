"""Speed of the two searches on one thread: regions a second of the walk, share closed and time of the exact search."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.network import Network
from relucert_core.search import search


def trained_like(widths: tuple[int, ...]) -> Network:
    """A random network with a first layer that is as smooth as a trained one's: its regions lie as densely."""
    rng = np.random.default_rng(0)
    sizes = (784, *widths, 10)
    weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
    return Network(weights, [rng.normal(size=b) * 0.1 for b in sizes[1:]], name="784-" + "-".join(map(str, widths)))


@pytest.mark.parametrize(("widths", "goal"), [((40, 40, 40), 20_000), ((128, 64), 4_000)])
def test_regions_a_second(benchmark, widths, goal):
    net = rc.load_model("mnist-40-40-40") if widths == (40, 40, 40) else trained_like(widths)
    points = np.asarray(rc.mnist_sample()[0][:3])

    def measured():
        rates = []
        for point in points:
            began = regions = None
            for step in search(net, point, method="neighbours", max_seconds=6):
                if began is None and step.regions > 1000:
                    began, regions = time.process_time(), step.regions
            rates.append((step.regions - regions) / (time.process_time() - began))
        return float(np.median(rates))

    rate = benchmark.pedantic(measured, rounds=1, iterations=1)
    benchmark.extra_info.update(regions_a_second=rate)
    print(f"\n{net.name}: {rate:,.0f} regions a second of one processor")
    assert rate >= goal


@pytest.mark.parametrize(("name", "count"), [("mnist-20-20-20", 100), ("mnist-40-40-40", 20)])
def test_exact_within_ten_seconds(benchmark, name, count):
    net = rc.load_model(name)
    points = np.asarray(rc.mnist_sample()[0][:count])

    def measured():
        rows = []
        for point in points:
            began = time.process_time()
            *_, step = search(net, point, max_seconds=10)
            rows.append((step.exact, step.lower / step.upper, time.process_time() - began))
        return np.array(rows, dtype=float)

    rows = benchmark.pedantic(measured, rounds=1, iterations=1)
    closed, ratio, seconds = rows[:, 0].mean(), np.median(rows[:, 1]), np.median(rows[:, 2])
    benchmark.extra_info.update(closed=closed, ratio=ratio, processor_seconds=seconds)
    print(f"\n{name}: {closed:.0%} exact, median lower / upper {ratio:.3f}, median {seconds:.2f} s of one processor")
    if name == "mnist-20-20-20":
        assert closed >= 0.85
        assert seconds <= 1
    assert ratio >= 0.6
