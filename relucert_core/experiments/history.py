"""How safe a network is on a set of points, for one moment of its training or for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relucert_core.arrays import Matrix
from relucert_core.network import Network
from relucert_core.planar.complex import planar_complex
from relucert_core.registry import certify
from relucert_core.training.toy import Snapshot


@dataclass(frozen=True)
class Moment:
    """Radii against the true labels, 0 where the network is wrong, L2.

    safe: (N,) certified radii of Theorem 3. exact: (N,) distances to the decision boundary, float64 geometry. accuracy:
    the share of points that are right. regions: how many activation regions the square has.
    """

    epoch: int
    safe: np.ndarray
    exact: np.ndarray
    accuracy: float
    regions: int

    @property
    def medians(self) -> tuple[float, float]:
        """The medians of the safe radii and of the exact distances."""
        return float(np.median(self.safe)), float(np.median(self.exact))


def moment_of(net: Network, points: Matrix, labels: np.ndarray, *, epoch: int = 0, reach: float = 1.25) -> Moment:
    """The radii of `net` at points (N, 2) with labels (N,); `reach` is half the side of the square of regions.

    Raises InvalidInput as `certify` does, and OverBudget when the square holds too many regions.
    """
    plane = planar_complex(net, ((-reach, reach), (-reach, reach)))
    answers = certify(net, points, method="simplex", norm=2, label=labels)
    right = np.array([c.prediction for c in answers]) == labels
    exact, _, _ = plane.boundary_distance(points)
    return Moment(epoch, answers.radius, np.where(right, exact, 0.0), float(right.mean()), len(plane))


def spread_out(snapshots: Sequence[Snapshot], count: int) -> list[Snapshot]:
    """At most `count` of the snapshots, the first and the last among them."""
    places = np.unique(np.linspace(0, len(snapshots) - 1, min(count, len(snapshots))).round().astype(int))
    return [snapshots[i] for i in places]


def history_table(moments: Sequence[Moment]) -> dict[str, list[float]]:
    """Moments as columns of plain numbers, for a figure or JSON."""
    return {
        "epoch": [m.epoch for m in moments],
        "safe": [m.medians[0] for m in moments],
        "exact": [m.medians[1] for m in moments],
        "accuracy": [m.accuracy for m in moments],
        "regions": [m.regions for m in moments],
    }
