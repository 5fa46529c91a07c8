"""Rows of a network written over the input and the lifted neurons: stable neurons vanish, the others become lines.

A function rows . h^(q) + constants of the outputs of hidden layer q is carried down. Of each layer's neurons
    on  (lower >= 0)   pass on their pre-activation (and so do outputs that are carried on without a ReLU),
    off (upper <= 0)   vanish,
    lifted             stay, as a variable z,           dropped            become a line, on the row's safe side.
Both comparisons are ones that are true: a NaN is neither on nor off. A row whose safe side is `BELOW` ends up at most
the true function (its dropped neurons lie above the line of slope `lower slope` through 0 where their coefficient is
positive, below the chord of [lower, upper] where it is negative), one whose safe side is `ABOVE` at least it.

**Rounding.** As in `search.relax`: an error e in a coefficient of h_i changes the function by at most |e| times a bound
of |h_i|, so every error is turned at once into one of the constant: gamma |coefficients| . sizes, with sizes bounds of
|W| |h| + |b| (|W_i| r + |z_i| in the first layer, whose row errors are at most gamma |coefficients| |W| d).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch

from relucert_core.certificates.margins import Margins, margins
from relucert_core.certificates.semidefinite.relaxation import Bounds
from relucert_core.forward import proven_forward
from relucert_core.network import Network
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, gamma

BELOW, ABOVE = 1.0, -1.0
DOUBT = 1.01  # covers the rounding inside error bounds themselves: gamma is far below 1 %


@dataclass(frozen=True, eq=False)
class Frame:
    """A network around a point u, for all rivals and radii: what the problems of one image share.

    values, value_errors: (N_1,), z^(1)(u) as computed and how far it may be from the true one. margins: who wins at u.
    """

    net: Network
    point: np.ndarray
    label: int
    values: np.ndarray
    value_errors: np.ndarray
    margins: Margins

    @classmethod
    def around(cls, net: Network, point: torch.Tensor, label: int | None = None) -> Frame:
        """The frame of `point` (D,); label None: the predicted class."""
        forward = proven_forward(net, point.unsqueeze(0))
        found = margins(forward, None if label is None else torch.tensor([label]))
        first, errors = forward.values[0][0].numpy(), forward.errors[0][0].numpy()
        return cls(net, point.numpy().copy(), int(found.label[0]), first, errors, found)

    @property
    def gaps(self) -> np.ndarray:
        """(K,): proved lower bounds of f_label - f_j at the point, infinite at the label."""
        gaps: np.ndarray = self.margins.lower[0].numpy()
        return gaps

    @cached_property
    def terms(self) -> int:
        """The number of terms whose rounding one step of any row can collect."""
        return max(self.net.inputs, *self.net.outputs) + 16

    @cached_property
    def weights(self) -> tuple[np.ndarray, ...]:
        """The weights of all layers, in full."""
        return tuple(layer.weight.numpy() for layer in self.net.affine)

    @cached_property
    def biases(self) -> tuple[np.ndarray, ...]:
        """The biases of all layers."""
        return tuple(layer.bias.numpy() for layer in self.net.affine)

    @cached_property
    def carried(self) -> tuple[np.ndarray | None, ...]:
        """For each hidden layer (N_i,) bool, the outputs that pass no ReLU, or None."""
        return tuple(None if layer.carried is None else layer.carried.numpy() for layer in self.net.affine[:-1])


@dataclass(frozen=True, eq=False)
class Lifting:
    """Which open neurons become variables, (N_i,) bool each; slopes in [0, 1] of the lower lines of the others."""

    lifted: tuple[np.ndarray, ...]
    slopes: tuple[np.ndarray, ...]

    @classmethod
    def every(cls, bounds: Bounds) -> Lifting:
        """All open neurons are lifted."""
        return cls(bounds.open, tuple(np.zeros(len(low)) for low in bounds.lower))


@dataclass(frozen=True, eq=False)
class Rows:
    """R functions constants + inputs . d + lifted . z: (R,), (R, D), (R, n).

    error (R,): how far such a function, at the true z, may lie from the true one because of rounding; gap (R,): how
    much farther on its safe side `sides` (R,), because of the lines.
    """

    constants: np.ndarray
    inputs: np.ndarray
    lifted: np.ndarray
    error: np.ndarray
    gap: np.ndarray
    sides: np.ndarray


class Substitution:
    """The rows of one network under one set of bounds and one choice of lifted neurons, over the ball of `radius`.

    on, lifted, dropped: (N_i,) bool for each hidden layer. count: n, the number of lifted neurons; places: where those
    of each layer stand among the n; where: (n, 2), the layer, from 1, and the number of each.
    """

    def __init__(self, frame: Frame, bounds: Bounds, lifting: Lifting, radius: float) -> None:
        self.frame, self.radius = frame, radius
        bounds = replace(bounds, carried=frame.carried)
        self.lower, self.upper, self.slopes = bounds.lower, bounds.upper, lifting.slopes
        self.on = bounds.on
        self.lifted = tuple(wide & kept for wide, kept in zip(bounds.open, lifting.lifted, strict=True))
        self.dropped = tuple(wide & ~kept for wide, kept in zip(bounds.open, lifting.lifted, strict=True))
        stops = np.cumsum([0, *(int(kept.sum()) for kept in self.lifted)])
        self.places = tuple(slice(int(a), int(b)) for a, b in pairwise(stops))
        self.where = np.array([(q, i) for q, kept in enumerate(self.lifted, start=1) for i in np.flatnonzero(kept)])
        self.where = self.where.reshape(-1, 2)
        self.count = int(stops[-1])
        self.heights = tuple(self._heights(bounds))
        self.row_norms = frame.net.affine[0].row_norms.numpy()
        self.sizes = self._sizes()
        self.tiny = 8 * len(self.sizes) * SMALLEST * sum(float(size.sum()) + len(size) for size in self.sizes)

    def _heights(self, bounds: Bounds) -> Iterator[np.ndarray]:
        """Bounds of |h| for every hidden layer, (N_i,) each."""
        for low, high, mask in zip(bounds.lower, bounds.upper, bounds.carried, strict=True):
            height = np.maximum(high, 0.0)
            yield height if mask is None else np.where(mask, np.maximum(np.abs(low), np.abs(high)), height)

    def _sizes(self) -> list[np.ndarray]:
        """Bounds of |W| |h| + |b| for every hidden layer, (N_i,) each."""
        frame = self.frame
        sizes = [DOUBT * (self.row_norms * self.radius + np.abs(frame.values) + frame.value_errors) + SMALLEST]
        for weight, bias, below in zip(frame.weights[1:-1], frame.biases[1:-1], self.heights, strict=False):
            size = np.abs(weight) @ below + np.abs(bias)
            sizes.append(DOUBT * size + len(below) * SMALLEST)
        return sizes

    def neurons(self, layer: int, sides: np.ndarray) -> Rows:
        """The pre-activations of the lifted neurons of hidden layer `layer`, counted from 1; sides (n_layer,)."""
        kept = self.lifted[layer - 1]
        weight, bias = self._layer(layer)
        if layer > 1:
            return self.carry(weight[kept], bias[kept], layer - 1, sides)
        nothing = np.zeros((len(sides), self.count))
        return Rows(bias[kept], weight[kept], nothing, self.frame.value_errors[kept], np.zeros(len(sides)), sides)

    def _layer(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """The weight and bias of a hidden layer; in the first one the value at the centre takes the bias's place."""
        if layer == 1:
            return self.frame.weights[0], self.frame.values
        return self.frame.weights[layer - 1], self.frame.biases[layer - 1]

    def carry(self, rows: np.ndarray, constants: np.ndarray, layer: int, sides: np.ndarray) -> Rows:
        """The functions rows (R, N_layer) . h^(layer) + constants (R,), carried down to the input.

        sides (R,): BELOW or ABOVE for each row; it matters only where a neuron that the row meets is dropped.
        """
        lifted, error, gap = np.zeros((len(rows), self.count)), np.abs(constants), np.zeros(len(rows))
        for p in range(layer, 0, -1):
            kept, dropped = self.lifted[p - 1], self.dropped[p - 1]
            lifted[:, self.places[p - 1]] = rows[:, kept]
            used = self.on[p - 1] | dropped
            passed = rows[:, used]
            if dropped.any():
                lines, offset, loss = self._lines(rows[:, dropped], p, sides)
                passed[:, dropped[used]] = lines
                constants, error, gap = constants + offset, error + np.abs(offset), gap + loss
            weight, bias = self._layer(p)
            constants = constants + passed @ bias[used]
            error = error + np.abs(passed) @ self.sizes[p - 1][used]
            rows = passed @ weight[used]
        rounding = DOUBT * 4 * (layer + 1) * gamma(self.frame.terms) * error + self.tiny
        doubt = np.abs(passed) @ self.frame.value_errors[used] * DOUBT
        return Rows(constants, rows, lifted, rounding + doubt, gap, sides)

    def _lines(self, rows: np.ndarray, layer: int, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (R, n) of the dropped pre-activations, the offsets' sum (R,) and how much the lines lose (R,).

        The chord's slope may be any number: its offset covers both ends of the interval, and so the convex function
        between. A line below leaves out at most what it leaves out at one of the two ends, the chord its offset.
        """
        dropped = self.dropped[layer - 1]
        low, high, slope = (part[layer - 1][dropped] for part in (self.lower, self.upper, self.slopes))
        slope = np.clip(slope, 0.0, 1.0)
        steep = high / (high - low)
        offset = np.maximum(-steep * low, (1 - steep) * high) * (1 + 8 * UNIT_ROUNDOFF) + SMALLEST
        left = np.maximum((1 - slope) * high, -slope * low) * (1 + 8 * UNIT_ROUNDOFF) + SMALLEST
        chord = rows * sides[:, None] < 0
        coefficients = rows * np.where(chord, steep, slope)
        loss = np.abs(rows) * np.where(chord, offset, left)
        return coefficients, np.where(chord, rows * offset, 0.0).sum(1), DOUBT * loss.sum(1)
