"""The simplex regulariser: push the nearest faces and decision planes of each point beyond a margin.

The paper proposes its certificate as a training objective; the form here, max(0, 1 - distance / margin) over the few
nearest faces and the nearest decision plane, is that of MMR (Croce, Andriushchenko, Hein: "Provable Robustness of ReLU
networks via Maximization of Linear Regions", 2018), who found the same certificate. The distances are Theorem 3's, by
`relucert_core.region`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from relucert_core.distances import all_distances, hyperplane_distances
from relucert_core.forward import activation_masks, at_label, hidden_values
from relucert_core.layers import Dense
from relucert_core.norms import project_ball, unit_step
from relucert_core.region import forward_rows
from relucert_core.training.model import Trainable


@dataclass(frozen=True)
class SimplexPenalty:
    """A penalty for the training loop: the mean over the points of weight * the faces' hinge + the decisions' hinge.

    face_margin, decision_margin: the distances (L2) asked for. faces: how many of the nearest faces count, None for
    all; their hinges are averaged. decision_weight: that of the decisions' hinge, None for the same. warm_up: the share
    of the training over which the weights rise from 0.

    For wide networks, whose faces are hundreds: first_margin, where the faces' margin begins, to fall to face_margin by
    the share `settled` of the training; the weight grows as the margin falls, for fewer faces are left within it.
    points: how many of a minibatch are looked at. sketch: from how many columns the rows' norms are estimated (see
    `sketched_distances`); None takes them exactly.
    """

    weight: float
    face_margin: float
    decision_margin: float
    faces: int | None = 4
    decision_weight: float | None = None
    warm_up: float = 0.3
    first_margin: float | None = None
    settled: float = 0.7
    points: int | None = None
    sketch: int | None = None

    def __call__(self, model: Trainable, points: torch.Tensor, labels: torch.Tensor, done: float) -> torch.Tensor:
        """The scalar penalty; points that are wrongly classified count by their faces alone."""
        points, labels = points[: self.points], labels[: self.points]
        faces, decisions = self._distances(model, points, labels, done)
        with torch.no_grad():
            right = (model(points).argmax(1) == labels).to(points.dtype)
        margin = self.margin(done)
        growth = (self.first_margin or margin) / margin
        nearest = faces if self.faces is None else faces.topk(min(self.faces, faces.shape[1]), largest=False).values
        face_hinge = (1 - nearest / margin).relu().mean()
        decision_hinge = (right * (1 - decisions.amin(1) / self.decision_margin).relu()).mean()
        decision_weight = self.weight if self.decision_weight is None else self.decision_weight
        share = min(1.0, done / max(self.warm_up, 1e-9))
        return share * (self.weight * growth * face_hinge + decision_weight * decision_hinge)

    def margin(self, done: float) -> float:
        """The faces' margin after the share `done` of the training."""
        if self.first_margin is None:
            return self.face_margin
        fall = self.face_margin / self.first_margin
        return float(self.first_margin * fall ** min(1.0, done / self.settled))

    def _distances(
        self, model: Trainable, points: torch.Tensor, labels: torch.Tensor, done: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.sketch is None:
            return all_distances(model.layers, points, 2.0, labels)
        seed = round(done * 2**40)  # a fresh sketch each step, the same ones in each run
        return sketched_distances(
            model.layers, points, labels, draw_sketch(points.shape[1], self.sketch, seed, points.dtype)
        )


def sketched_distances(
    layers: Sequence[Dense], points: torch.Tensor, labels: torch.Tensor, sketch: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As region's `all_distances` in L2, with the rows' norms estimated: (B, N) and (B, K), differentiable.

    `sketch` (D, s) has independent normal entries of variance 1/s, so that ||P_i sketch||^2 is ||P_i||^2 on average
    (Johnson and Lindenstrauss); s = 16 is right to about 18 %. Multiplying it into the first layer's weights shrinks
    Algorithm 1's products from D columns to s. The first layer's own norms are exact, and so are all numerators. Good
    for training wide networks; no bound.
    """
    values = hidden_values(layers, points)
    masks = activation_masks(layers, values)
    narrow = [Dense(layers[0].weight @ sketch, layers[0].bias), *layers[1:]]
    _, *rows = forward_rows(narrow, masks)
    faces = [hyperplane_distances(values[0], layers[0].weight, 2.0)]
    faces += [hyperplane_distances(z, part, 2.0) for z, part in zip(values[1:-1], rows, strict=False)]
    own = labels.view(-1, 1)
    margins = values[-1].gather(1, own) - values[-1]
    gaps = rows[-1].gather(1, own.unsqueeze(-1).expand(-1, -1, sketch.shape[1])) - rows[-1]
    decisions = at_label(hyperplane_distances(margins, gaps, 2.0), labels, math.inf)
    return torch.cat(faces, 1), decisions


def draw_sketch(inputs: int, columns: int, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """A sketch for `sketched_distances`, (inputs, columns)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(inputs, columns, generator=generator, dtype=dtype) / math.sqrt(columns)


@dataclass(frozen=True)
class PgdPerturbation:
    """Adversarial training (Madry et al. 2018), L2: the points after `steps` steps of projected gradient ascent.

    radius: of the ball around each point. Starts at the point itself, so it needs no random numbers.
    """

    radius: float
    steps: int = 5

    def __call__(self, model: Trainable, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The perturbed points, (B, D), without gradients."""
        limit = torch.full_like(points[:, 0], self.radius)
        offset = torch.zeros_like(points)
        for _ in range(self.steps):
            shown = (points + offset).requires_grad_(True)
            loss = torch.nn.functional.cross_entropy(model(shown), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, shown)
            offset = project_ball(offset + 2.5 * self.radius / self.steps * unit_step(gradient, 2.0), limit, 2.0)
        return (points + offset).detach()
