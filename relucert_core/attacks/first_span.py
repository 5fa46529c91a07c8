"""The problem in the span of the first layer's rows: as many inputs as that layer has outputs, the same L2 distances.

The first layer sees W x, W = W^(1). Let the columns of Q (D, N_1) be orthonormal with W = W Q Q^T. Then
f(x) = g(Q^T x) with g(y) = f(Q y), and among the points x with the same Q^T x the one nearest to u in L2 differs from u
in the span of Q alone, where Q keeps lengths. So a search in L2 loses nothing by working with y. Without a box only: in
the others coordinates a box is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from relucert_core.attacks.problem import Problem

_BEYOND = 1e-6  # of the distance: beyond what rounding takes on the way back
_GAIN = 2  # inputs for each output of the first layer, from which on the change of coordinates saves time


@dataclass(frozen=True, eq=False)
class FirstSpan:
    """A problem in fewer inputs. problem: around y = Q^T u. basis: Q, (D, N_1). origin: the u themselves, (B, D)."""

    problem: Problem
    basis: torch.Tensor
    origin: torch.Tensor

    def lift(self, points: torch.Tensor) -> torch.Tensor:
        """The x (B, D) nearest to u with Q^T x = y, for y (B, N_1) a millionth farther away than the points."""
        return self.origin + (1 + _BEYOND) * (points - self.problem.points) @ self.basis.T


def in_first_span(problem: Problem) -> FirstSpan | None:
    """The same problem in the span of the first layer's rows; None where that is no gain or would change distances."""
    net = problem.net
    if problem.norm != 2 or problem.bounds is not None or not net.is_chain or net.widths[0] * _GAIN > net.inputs:
        return None
    basis = torch.linalg.qr(net.affine[0].weight.T)[0]
    if not torch.isfinite(basis).all():
        return None
    narrow = net.compose(basis, torch.zeros_like(problem.points[0]))
    return FirstSpan(replace(problem, net=narrow, points=problem.points @ basis, starts=None), basis, problem.points)
