"""The lesson's "same in a few lines of Python": code that runs as it is printed. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def lesson_code(weights: Sequence[Any], biases: Sequence[Any], point: tuple[float, float]) -> str:
    """The code that computes what the lesson shows at a point."""
    lists = [[[list(row) for row in w] for w in weights], [list(b) for b in biases]]
    return f"""import relucert_core as rc
from relucert_core.words import down

weights = {lists[0]}
biases = {lists[1]}
u = {list(point)}
net = rc.Network(weights, biases)
region = rc.activation_region(net, u)  # Algorithm 1
print(region.pattern, region.P, region.q, region.C, region.d, sep="\\n")
cert = rc.certify(net, u, method="simplex")  # Theorem 3
print(f"safe radius {{down(cert.radius, 4)}} ({{cert.guarantee}}), limited by {{cert.limit}}")
plane = rc.planar_complex(net, box=((-3, 3), (-3, 3)))
print(f"{{len(plane)}} regions, true distance {{down(plane.boundary_distance([u])[0][0], 4)}}")
lower = rc.Network(weights[:2], biases[:2])  # two layers, for Theorem 4
print(f"Theorem 4: {{down(rc.certify(lower, u, method='decision-boundary').radius, 4)}}")
"""
