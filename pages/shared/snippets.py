"""The same in a few lines of Python: code that runs as it is printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def digit_code(network: str, digit: str, norm: float, attack: str, *, valid_pixels: bool = False) -> str:
    """The code that certifies and attacks a digit. `digit`: an index as digits only, or a packed digit."""
    shipped = digit.isdigit()
    point = f"rc.mnist_sample()[0][{digit}]" if shipped else f'unpack_digit("{digit}")'
    order = '"inf"' if norm == math.inf else f"{norm:.0f}"
    extra = "" if shipped else "from relucert_core.datasets.packing import unpack_digit\n"
    box = ", bounds=(0, 1)" if valid_pixels else ""
    return f"""import relucert_core as rc
{extra}
net = rc.load_model("{network}")
x = {point}
cert = rc.certify(net, x, method="simplex", norm={order})
adv = rc.attack(net, x, method="{attack}", norm={order}{box})
print(f"reads class {{cert.prediction}}, safe to {{cert.radius:.4g}} ({{cert.guarantee}}), limited by {{cert.limit}}")
print(f"read as class {{adv.prediction}} at {{adv.distance:.4g}}")
"""


def lesson_code(weights: Sequence[Any], biases: Sequence[Any], point: tuple[float, float]) -> str:
    """The code that computes what the lesson shows at a point."""
    lists = [[[list(row) for row in w] for w in weights], [list(b) for b in biases]]
    return f"""import relucert_core as rc

weights = {lists[0]}
biases = {lists[1]}
u = {list(point)}
net = rc.Network(weights, biases)
region = rc.activation_region(net, u)  # Algorithm 1
print(region.pattern, region.P, region.q, region.C, region.d, sep="\\n")
cert = rc.certify(net, u, method="simplex")  # Theorem 3
print(f"safe radius {{cert.radius:.3f}} ({{cert.guarantee}}), limited by {{cert.limit}}")
plane = rc.planar_complex(net, box=((-3, 3), (-3, 3)))
print(f"{{len(plane)}} regions, true distance {{plane.boundary_distance([u])[0][0]:.3f}}")
lower = rc.Network(weights[:2], biases[:2])  # two layers, for Theorem 4
print(f"Theorem 4: {{rc.certify(lower, u, method='decision-boundary').radius:.3f}}")
"""
