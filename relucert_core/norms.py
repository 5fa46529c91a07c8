"""The norms 1, 2 and inf: their duals, plain values, nearest points on hyperplanes and projections.

Distances in a p-norm to a hyperplane {x : a.x + b = 0} are |a.u + b| / ||a||_q with 1/p + 1/q = 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from relucert_core.errors import Unsupported

NORMS = (1.0, 2.0, math.inf)
_SPELLINGS = {"1": 1.0, "l1": 1.0, "2": 2.0, "l2": 2.0, "inf": math.inf, "linf": math.inf, "oo": math.inf}


def check_norm(norm: Any) -> float:
    """The norm as 1.0, 2.0 or inf; accepts the numbers and the words "1", "l2", "inf" and the like.

    Raises Unsupported for anything else.
    """
    norm = plain_number(norm)
    if isinstance(norm, str):
        value = _SPELLINGS.get(norm.strip().lower())
    else:
        value = float(norm) if isinstance(norm, (int, float)) and not isinstance(norm, bool) else None
    if value not in NORMS:
        raise Unsupported(f"norm={norm!r} is not one that Relucert knows: use 1, 2 or inf.")
    return float(value)


def plain_number(value: Any) -> Any:
    """A NumPy scalar, or an array or tensor of no dimension, as Python's own number; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def dual(norm: float) -> float:
    """The dual order q with 1/p + 1/q = 1."""
    return {1.0: math.inf, 2.0: 2.0, math.inf: 1.0}[norm]


def row_norms(rows: torch.Tensor, norm: float) -> torch.Tensor:
    """Plain `norm` of each row, (..., n) -> (...); differentiable, not rounded outward."""
    if norm == math.inf:
        return rows.abs().amax(-1)
    if norm == 1:
        return rows.abs().sum(-1)
    return torch.linalg.vector_norm(rows, dim=-1)


def unit_step(rows: torch.Tensor, norm: float) -> torch.Tensor:
    """For each row a the direction v with ||v||_norm = 1 and a.v = ||a||_dual, (..., n) -> (..., n).

    Moving from u by t v changes a.x the fastest; zero rows give zero.
    """
    if norm == 2:
        largest = rows.abs().amax(-1, keepdim=True)
        scaled = rows / torch.where(largest > 0, largest, 1.0)
        return scaled / row_norms(scaled, 2.0).clamp(min=1.0).unsqueeze(-1)
    if norm == math.inf:
        return rows.sign()
    step = torch.zeros_like(rows)
    index = rows.abs().argmax(-1, keepdim=True)
    return step.scatter(-1, index, rows.gather(-1, index).sign())


def nearest_on_hyperplane(point: np.ndarray, row: np.ndarray, value: float, norm: float) -> np.ndarray:
    """The point (D,) of {x : a.x + b = 0} nearest to `point` (D,) in `norm`: a = `row` (D,), `value` = a.point + b.

    Not rounded outward. A zero row gives the point itself, one that has overflowed gives NaN.
    """
    sizes = np.abs(row)
    largest = int(sizes.argmax())
    if sizes[largest] == 0:
        return point.copy()
    if not math.isfinite(sizes[largest]):
        return np.full_like(point, math.nan)
    if norm == 1:
        near = point.copy()
        near[largest] -= value / row[largest]
        return near
    if norm == math.inf:
        return point - (value / sizes.sum()) * np.sign(row)
    scaled = row / sizes[largest]  # squares of the row itself might under- or overflow
    return point - (value / sizes[largest] / (scaled @ scaled)) * scaled


def project_ball(offset: torch.Tensor, radius: torch.Tensor, norm: float) -> torch.Tensor:
    """The rows of `offset` (B, D) pulled back to `norm` <= `radius` (B,): clipped for inf, shrunk for 1 and 2.

    For norm 1 the rows are scaled, which lands inside the ball but is not the Euclidean projection.
    """
    limit = radius.unsqueeze(-1)
    if norm == math.inf:
        return torch.maximum(torch.minimum(offset, limit), -limit)
    size = row_norms(offset, norm).unsqueeze(-1)
    return offset * torch.where(size > limit, limit / torch.where(size > 0, size, 1.0), 1.0)
