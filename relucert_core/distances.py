"""Theorem 3 without rounding bounds: the distances to all faces and decision planes, differentiable, for training.

`hyperplane_distances` is the one place where the formula stands; the certificates wrap it in rounding bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from relucert_core.forward import AffineLayer, activation_masks, affine_layers, at_label, carried, hidden_values
from relucert_core.network import Network
from relucert_core.norms import check_norm, dual, row_norms
from relucert_core.region import forward_rows


def hyperplane_distances(values: torch.Tensor, rows: torch.Tensor, norm: float) -> torch.Tensor:
    """|a.u + b| / ||a||_dual for `values` a.u + b (...) and `rows` a (..., D); infinite for a zero row.

    The formula of P_min and d_min in Theorem 3.
    """
    sizes = row_norms(rows, dual(norm))
    usable = sizes > 0
    return torch.where(usable, values.abs() / torch.where(usable, sizes, torch.ones_like(sizes)), math.inf)


class SimplexDistances(NamedTuple):
    """P_min and d_min of Theorem 3, (B,) each; their minimum is the simplex certificate."""

    faces: torch.Tensor
    decisions: torch.Tensor


def simplex_distances(
    module: Network | torch.nn.Module | Sequence[AffineLayer],
    points: torch.Tensor,
    norm: float = 2.0,
    labels: torch.Tensor | None = None,
) -> SimplexDistances:
    """P_min and d_min (Theorem 3) of a batch (B, D), differentiable in the weights and the points.

    For training and for comparison: computed in the module's own precision and not rounded outward, so not certified.
    `labels` (B,): the class k of each point, by default the predicted one. Memory B x N x D.
    """
    faces, decisions = all_distances(module, points, norm, labels)
    return SimplexDistances(faces.amin(-1), decisions.amin(-1))


def all_distances(
    module: Network | torch.nn.Module | Sequence[AffineLayer],
    points: torch.Tensor,
    norm: float = 2.0,
    labels: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The distance to each face (B, N) and to each rival's decision plane (B, K), infinite at the class itself."""
    norm, layers = check_norm(norm), affine_layers(module)
    values = hidden_values(layers, points)
    masks = activation_masks(layers, values)
    labels = values[-1].argmax(-1) if labels is None else labels
    *faces, logits_rows = forward_rows(layers, masks)
    distances = []
    for layer, z, rows in zip(layers, values[:-1], faces, strict=False):
        found, passed = hyperplane_distances(z, rows, norm), carried(layer)
        distances.append(found if passed is None else found[:, ~passed])
    index = labels.view(-1, 1)
    margins = values[-1].gather(1, index) - values[-1]
    gaps = logits_rows.gather(1, index.unsqueeze(-1).expand(-1, -1, logits_rows.shape[-1])) - logits_rows
    return torch.cat(distances, -1), at_label(hyperplane_distances(margins, gaps, norm), labels, math.inf)
