"""How long the exact subdivision takes, in processor time of one thread, a region.

Run with `OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/test_planar_speed.py`. The best of several repeats counts,
as other work on the machine only adds to it. The limits are those of the project's plan.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from relucert_core.network import Network
from relucert_core.planar.complex import box_corners
from relucert_core.planar.decision import decide
from relucert_core.planar.subdivide import Budget, Subdivision, subdivide
from tests.planar_nets import named_net

BOX = np.array([[-1.0, 1.0], [-1.0, 1.0]])
LIMITS = {"w64x3": 3.0, "spiral3_64x64x64": 3.0, "w128x3": 3.0, "w256x3": 5.0}
ROUNDS = {"w256x3": 5}


def enumerate_regions(net: Network) -> Subdivision:
    return subdivide(net.weights, net.biases, box_corners(BOX), Budget(10**6))


def best_of(benchmark: Any, function: Any, arguments: tuple, rounds: int) -> tuple[Any, float]:
    """The result, and the best processor time in seconds."""
    times = []

    def timed() -> Any:
        start = time.process_time()
        result = function(*arguments)
        times.append(time.process_time() - start)
        return result

    result = benchmark.pedantic(timed, rounds=rounds, warmup_rounds=1)
    return result, min(times)


@pytest.mark.parametrize("name", LIMITS)
def test_enumeration_a_region(benchmark: Any, name: str) -> None:
    net = named_net(name)
    cut, seconds = best_of(benchmark, enumerate_regions, (net,), ROUNDS.get(name, 25))
    microseconds = seconds / len(cut.sizes) * 1e6
    benchmark.extra_info.update(regions=len(cut.sizes), microseconds_a_region=microseconds)
    assert microseconds <= LIMITS[name], f"{microseconds:.2f} microseconds a region"


@pytest.mark.parametrize("name", LIMITS)
def test_classes_and_boundary_add_at_most_half(benchmark: Any, name: str) -> None:
    net = named_net(name)
    rounds = ROUNDS.get(name, 25)
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        cut = enumerate_regions(net)
        spent.append(time.process_time() - start)
    _, seconds = best_of(benchmark, decide, (cut, net.weights[-1], net.biases[-1]), rounds)
    benchmark.extra_info.update(share=seconds / min(spent))
    assert seconds <= 0.5 * min(spent), f"{seconds / min(spent):.2f} of the enumeration"


def test_growth_is_near_linear(benchmark: Any) -> None:
    def growth() -> float:
        """Time a region at 19,472 regions over that at 4,667."""
        each = []
        for name in ("w64x3", "w128x3"):
            net, times = named_net(name), []
            for _ in range(15):
                start = time.process_time()
                cut = enumerate_regions(net)
                times.append((time.process_time() - start) / len(cut.sizes))
            each.append(min(times))
        return each[1] / each[0]

    assert benchmark.pedantic(growth, rounds=1) < 1.5
