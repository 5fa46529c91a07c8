"""The network seen from one point, in as few input dimensions as its first layer needs (norm 2 only).

The first layer only sees W (x - u), W = W^(1). Any matrix L with L L^T >= W W^T (in the order of symmetric matrices)
can be written so that W = L C with ||C||_2 <= 1 (Douglas' lemma). Hence for every x the point y = C (x - u) has
L y = W (x - u) and ||y|| <= ||x - u||: a bound on the norm of y that is proved for all y with an adversarial
L y + z^(1)(u) holds for ||x - u|| too. So the search may work in y, N_1 instead of D numbers, and nothing has to be
proved again in pixels. L is a Cholesky factor of W W^T + delta I; that L L^T - W W^T is positive semidefinite is
proved below from the residual, no factorisation is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from relucert_core.forward import proven_forward, rival_logits
from relucert_core.network import Network
from relucert_core.rounding import SMALLEST, gamma

SMALLEST_INPUT = 16  # below that many inputs whitening gains nothing


@dataclass(frozen=True, eq=False)
class LocalNetwork:
    """A network around a point u: z^(1) = first y + offset, y of m numbers, then the layers 2, ..., M unchanged.

    first: (N_1, m); offset: (N_1,), z^(1)(u) as computed; offset_error: (N_1,), how far the exact one may be from it.
    lift: (D, m), takes y to x - u up to rounding (for witnesses only, nothing is proved with it); None: x - u = y.
    weights, biases: those of layers 2, ..., M, as stored and in full. label: the class to defend. slices: the place of
    each hidden layer in the flat order of all N hidden outputs. carried (N,) bool: those that pass no ReLU; they count
    as neurons that are always on, have no face and are never branched on.
    """

    point: np.ndarray
    first: np.ndarray
    offset: np.ndarray
    offset_error: np.ndarray
    lift: np.ndarray | None
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    label: int
    slices: tuple[slice, ...]
    carried: np.ndarray

    @property
    def size(self) -> int:
        """m, the dimension of y."""
        return self.first.shape[1]

    @property
    def neurons(self) -> int:
        """N, the number of hidden outputs: the neurons, and what is carried on without a ReLU."""
        return self.slices[-1].stop

    def values(self, points: np.ndarray) -> list[np.ndarray]:
        """z^(1), ..., z^(M) at points y (B, m), not rounded outward."""
        return self.onward(points @ self.first.T + self.offset)

    def onward(self, first: np.ndarray) -> list[np.ndarray]:
        """z^(1), ..., z^(M) from z^(1) (B, N_1), not rounded outward."""
        values = [first]
        for weight, bias, part in zip(self.weights, self.biases, self.slices, strict=True):
            values.append(self.rectified(values[-1], part) @ weight.T + bias)
        return values

    def rectified(self, values: np.ndarray, part: slice) -> np.ndarray:
        """What the layer at `part` passes on of its values z (..., n): max(z, 0), or z where it is carried."""
        return np.maximum(values, 0.0, out=values.copy(), where=~self.carried[part])

    def leads(self, points: np.ndarray) -> np.ndarray:
        """f_label minus the largest other logit at points y (B, m), (B,), not rounded outward."""
        return self._lead(self.values(points)[-1])

    def leads_along(self, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """The same at the points share * end, end (m,), shares (B,): the first layer's product is taken once."""
        return self._lead(self.onward(shares[:, None] * (self.first @ end) + self.offset)[-1])

    def _lead(self, logits: np.ndarray) -> np.ndarray:
        lead: np.ndarray = logits[:, self.label] - rival_logits(logits, self.label).max(1)
        return lead

    def nearby(self, point: np.ndarray) -> np.ndarray:
        """The y (m,) of a point x (D,), up to rounding."""
        return point - self.point if self.lift is None else (point - self.point) @ self.lift

    def inputs(self, points: np.ndarray) -> np.ndarray:
        """The points x (B, D) of the network for points y (B, m)."""
        return self.point + (points if self.lift is None else points @ self.lift.T)


@np.errstate(all="ignore")  # overflow is dealt with where it counts
def local_network(net: Network, point: torch.Tensor, label: int, *, whiten: bool = True) -> LocalNetwork:
    """The network around `point` (D,), whitened (norm 2 only) where that saves dimensions and is proved."""
    forward = proven_forward(net, point.unsqueeze(0))
    weight = net.affine[0].weight.numpy()
    masks = [
        np.zeros(layer.outputs, bool) if layer.carried is None else layer.carried.numpy() for layer in net.affine[:-1]
    ]
    small = whiten and net.inputs >= SMALLEST_INPUT and weight.shape[0] * 2 <= net.inputs
    factor = whitening_factor(weight) if small else None
    stops = np.cumsum((0, *net.outputs))
    return LocalNetwork(
        point=point.numpy().copy(),
        first=np.ascontiguousarray(weight if factor is None else factor),
        offset=forward.values[0][0].numpy(),
        offset_error=forward.errors[0][0].numpy(),
        lift=None if factor is None else np.linalg.solve(factor, weight).T,
        weights=tuple(layer.weight.numpy() for layer in net.affine[1:]),
        biases=tuple(layer.bias.numpy() for layer in net.affine[1:]),
        label=label,
        slices=tuple(slice(int(a), int(b)) for a, b in pairwise(stops)),
        carried=np.concatenate(masks),
    )


def whitening_factor(weight: np.ndarray) -> np.ndarray | None:
    """L (n, n) with L L^T - W W^T proved positive semidefinite, or None where that fails; `weight` is W (n, D).

    With G = fl(W W^T), |G - W W^T| <= gamma_D (row norms)(row norms)^T has spectral norm at most gamma_D trace. With
    F = fl(L L^T) - G, L L^T - W W^T >= F - (gamma_n trace(L L^T) + gamma_D trace(G)) I. F is close to delta I: its
    distance from delta I in the Frobenius norm is computed. The sum of all errors must stay below delta.
    """
    count, terms = weight.shape
    gram = weight @ weight.T
    trace = float(np.trace(gram)) * (1 + 4 * gamma(terms + count))
    errors = 2 * (gamma(terms + 4) + gamma(count + 4)) * trace + (count + 2) * (terms + count) * SMALLEST
    if not 1e-250 < errors < 1e250:
        return None
    delta = 4 * errors + 8 * count * gamma(count + 4) * trace / max(count, 1)
    try:
        factor = np.linalg.cholesky(gram + delta * np.eye(count))
    except np.linalg.LinAlgError:
        return None
    residual = factor @ factor.T - gram - delta * np.eye(count)
    rounding = 8 * gamma(4) * (trace + count * delta)
    lengths = float((factor * factor).sum()) * (1 + 2 * gamma(count * count))
    doubt = 1.01 * float(np.sqrt((residual * residual).sum())) + 2 * gamma(count + 4) * lengths + errors + rounding
    return factor if doubt < delta else None
