"""The step that all certificates share: who wins at the point, by how much, and is that proved?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.result import OK, OVERFLOW, TIE, WRONG
from relucert_core.forward import ProvenForward, QuickForward
from relucert_core.network import Network
from relucert_core.rounding import above, below, distance_above
from relucert_core.witness import proved_adversarial

WITNESS_SLACK = 1e-6
_PUSHES = (0.0, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 4e-7, 9e-7)


@dataclass(frozen=True, eq=False)
class Margins:
    """The classes of a batch and proven lower bounds on the margins.

    prediction, label: (B,) int64. lower: (B, K), a lower bound >= 0 on f_label - f_j; infinite at the label itself.
    status: per point "ok", "tie for the first place" (also when rounding leaves the winner open), "wrong prediction"
    or "overflow". Where it is not "ok" every certificate is 0 (SPEC, section 3.3).
    """

    prediction: torch.Tensor
    label: torch.Tensor
    lower: torch.Tensor
    status: list[str]

    @property
    def ok(self) -> torch.Tensor:
        """(B,) bool: where the label is proved to win."""
        return torch.tensor([s == OK for s in self.status], dtype=torch.bool)


def margins(forward: ProvenForward | QuickForward, labels: torch.Tensor | None) -> Margins:
    """The margins of a proven forward pass against the labels, or against the predicted classes when None."""
    logits, errors = np.asarray(forward.values[-1]), np.asarray(forward.errors[-1])
    every = np.arange(len(logits))
    finite = (np.isfinite(logits) & np.isfinite(errors)).all(-1)
    calm = bool(finite.all())
    prediction = (logits if calm else np.where(np.isnan(logits), -np.inf, logits)).argmax(-1)
    label = prediction if labels is None else labels.numpy()
    with np.errstate(all="ignore"):  # overflow has its own status
        gap = logits[every, label, None] - logits
        lower = below(below(gap) - above(errors[every, label, None] + errors))
    if not calm:
        lower[~finite] = 0.0
    lower[every, label] = np.inf
    status = [
        OVERFLOW if not f else WRONG if p != k else OK if m > 0 else TIE
        for f, p, k, m in zip(finite.tolist(), prediction.tolist(), label.tolist(), lower.min(-1).tolist())
    ]
    return Margins(torch.from_numpy(prediction), torch.from_numpy(label), torch.from_numpy(lower), status)


def witness_beyond(
    net: Network, point: torch.Tensor, near: torch.Tensor, label: int, radius: float, norm: float
) -> tuple[torch.Tensor, float] | None:
    """A proved adversarial point within (1 + 1e-6) `radius`, on the ray from `point` (D,) through `near` (D,).

    `near` should lie on the decision plane; steps of growing size beyond it are tried. Returns the point and its
    distance, rounded up, or None when no step is proved.
    """
    pushes = torch.tensor(_PUSHES, dtype=torch.float64).unsqueeze(-1)
    candidates = point + (near - point) * (1 + pushes)
    proved = proved_adversarial(net, candidates, torch.full((len(candidates),), label))
    distances = distance_above(candidates, point, norm)
    allowed = below(radius * (1 + WITNESS_SLACK))
    for candidate, good, distance in zip(candidates, proved.tolist(), distances.tolist()):
        if good and distance <= allowed:
            return candidate, distance
    return None
