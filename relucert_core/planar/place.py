"""Which region holds a point, and whether two classes tie at it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from relucert_core.network import Network
from relucert_core.planar.layers import inverse_tolerance, layer_values
from relucert_core.planar.rounds import next_corner, starts_of

_SEEDS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)


class Regions(Protocol):
    """What is asked of a subdivision here; `PlanarComplex` has it, and says what each array holds."""

    @property
    def network(self) -> Network:
        """The network."""

    @property
    def box(self) -> np.ndarray:
        """(2, 2): lowest and highest coordinates."""

    @property
    def vertices(self) -> np.ndarray:
        """(V, 2)."""

    @property
    def corners(self) -> np.ndarray:
        """The vertices of the regions, one region after the other."""

    @property
    def sizes(self) -> np.ndarray:
        """(R,): the corners of each region."""

    @property
    def bits(self) -> tuple[np.ndarray, ...]:
        """The packed pattern of each region, per hidden layer (words, R)."""


def locate_points(plane: Regions, points: np.ndarray) -> np.ndarray:
    """The region of each point (B, 2), -1 outside the box: by its pattern, or else by geometry."""
    inside = ((points >= plane.box[:, 0]) & (points <= plane.box[:, 1])).all(1)
    result = np.full(len(points), -1)
    rows = np.flatnonzero(inside)
    if not len(rows):
        return result
    found = _by_pattern(plane, pattern_words(plane.network, points[rows]))
    for lost in np.flatnonzero(found < 0):
        found[lost] = _by_geometry(plane, points[rows[lost]])
    result[rows] = found
    return result


def pattern_words(net: Network, points: np.ndarray) -> list[np.ndarray]:
    """The packed pattern of each point, per hidden layer (words, B)."""
    hidden, words = points, []
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        layer = layer_values(hidden, weight, bias, np.abs(hidden).max(0))
        words.append(layer.positive)
        hidden = np.maximum(layer.values, 0)
    return words


def _by_pattern(plane: Regions, words: list[np.ndarray]) -> np.ndarray:
    """The region with the same packed pattern, or -1."""
    keys, asked = _hash(plane.bits), _hash(words)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], asked), len(keys) - 1)
    region = order[place]
    same = np.ones(len(asked), bool)
    for known, seen in zip(plane.bits, words, strict=True):
        same &= (known[:, region] == seen).all(0)
    return np.where(same, region, -1)


def _hash(words: list[np.ndarray] | tuple[np.ndarray, ...]) -> np.ndarray:
    hashed = np.zeros(words[0].shape[1], np.uint64)
    for layer in words:
        for row in layer:
            hashed = (hashed ^ row) * np.uint64(_SEEDS[0])
            hashed ^= hashed >> np.uint64(31)
            hashed *= np.uint64(_SEEDS[1])
    return hashed


def _by_geometry(plane: Regions, point: np.ndarray) -> int:
    """The region from none of whose edges the point lies outwards by more than from the others'."""
    here = plane.vertices[plane.corners]
    edge = here[next_corner(plane.sizes)] - here
    away = point - here
    length = np.hypot(edge[:, 0], edge[:, 1])
    side = (edge[:, 0] * away[:, 1] - edge[:, 1] * away[:, 0]) / np.where(length > 0, length, 1.0)
    side[length == 0] = np.inf
    return int(np.minimum.reduceat(side, starts_of(plane.sizes)).argmax())


def ties_at(net: Network, points: np.ndarray) -> np.ndarray:
    """Whether two classes are within rounding of a tie for the first place at each point, (B, 2) -> (B,)."""
    hidden = points
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        hidden = np.maximum(hidden @ weight.T + bias, 0)
    logits = hidden @ net.weights[-1].T + net.biases[-1]
    tolerance = 1 / inverse_tolerance(hidden.max(0), net.weights[-1], net.biases[-1])
    winner = logits.argmax(1)
    gap = logits[np.arange(len(logits)), winner][:, None] - logits
    return (gap <= tolerance[winner][:, None] + tolerance).sum(1) > 1
