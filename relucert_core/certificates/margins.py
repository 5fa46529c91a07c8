"""The step that all certificates share: who wins at the point, by how much, and is that proved?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from relucert_core.certificates.result import OK, OVERFLOW, TIE, WRONG
from relucert_core.forward import ProvenForward, QuickForward
from relucert_core.rounding import above, below


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
    all_finite = bool(finite.all())
    prediction = (logits if all_finite else np.where(np.isnan(logits), -np.inf, logits)).argmax(-1)
    label = prediction if labels is None else labels.numpy()
    with np.errstate(all="ignore"):  # overflow has its own status
        gap = logits[every, label, None] - logits
        lower = below(below(gap) - above(errors[every, label, None] + errors))
    if not all_finite:
        lower[~finite] = 0.0
    lower[every, label] = np.inf
    status = [
        OVERFLOW if not f else WRONG if p != k else OK if m > 0 else TIE
        for f, p, k, m in zip(finite.tolist(), prediction.tolist(), label.tolist(), lower.min(-1).tolist())
    ]
    return Margins(torch.from_numpy(prediction), torch.from_numpy(label), torch.from_numpy(lower), status)
