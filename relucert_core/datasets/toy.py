"""Seeded toy sets in the plane: moons, circles, xor, spirals, blobs, checkerboard.

Without noise each lies within [-0.9, 0.9]^2; `noise` is the standard deviation of a Gaussian shift of every point, in
the same units, so that [-1, 1]^2 holds nearly all of them at the default noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.ranges import Range

SIZES, NOISES, SEEDS = Range(2, 20_000, whole=True), Range(0.0, 1.0), Range(0, 2**53 - 1, whole=True)
_REACH = 0.9
_CELLS = 4  # of the checkerboard, along each side

Draw = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class ToyDataset:
    """A toy set: `classes` are the numbers of classes that it can have, the first by default; `noise` its usual one."""

    name: str
    title: str
    classes: tuple[int, ...]
    noise: float
    draw: Draw

    def __call__(
        self, size: int = 500, noise: float | None = None, seed: int = 0, classes: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """`size` points (N, 2) float64 and labels (N,) int64 in mixed order, the classes as even as can be.

        Raises InvalidInput for a size, noise, seed or number of classes that is out of bounds.
        """
        noise = self.noise if noise is None else noise
        classes = self.classes[0] if classes is None else classes
        _check(self, size, noise, seed, classes)
        generator = np.random.default_rng(seed)
        labels = generator.permutation(np.arange(size) % classes)
        points = self.draw(labels, classes, generator) + noise * generator.standard_normal((size, 2))
        return points, labels.astype(np.int64)


def toy_dataset(name: str) -> ToyDataset:
    """The entry `name` of TOY_DATASETS; InvalidInput names those that exist."""
    if name not in TOY_DATASETS:
        raise InvalidInput(f"There is no toy set {name!r}: use one of {', '.join(TOY_DATASETS)}.")
    return TOY_DATASETS[name]


def _moons(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Two half circles, each reaching into the other."""
    angle = np.pi * generator.random(len(labels))
    upper = labels == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return _REACH / 1.5 * np.stack([x, y], axis=1)


def _circles(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Rings around one centre, class 0 the smallest."""
    angle = 2 * np.pi * generator.random(len(labels))
    radius = _REACH * (labels + 0.6) / (classes - 0.4)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _xor(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Four squares; the sign of x y is the class."""
    x, y = _REACH * (0.08 + 0.92 * generator.random((2, len(labels))))
    side = np.where(generator.random(len(labels)) < 0.5, -1.0, 1.0)
    return np.stack([side * x, side * np.where(labels == 0, y, -y)], axis=1)


def _spirals(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """One arm of just over a full turn for each class, evenly turned against each other."""
    along = np.sqrt(generator.random(len(labels)))
    angle = 2 * np.pi * (1.15 * along + labels / classes)
    radius = _REACH * (0.08 + 0.92 * along)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _blobs(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Centres evenly on a circle; the noise makes the blobs."""
    angle = 2 * np.pi * (labels / classes + 0.125)
    return 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _checkerboard(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """4 x 4 squares whose classes go round along rows and columns."""
    row = generator.integers(_CELLS, size=len(labels))
    column = (labels - row) % classes + classes * generator.integers(_CELLS // classes, size=len(labels))
    place = np.stack([column, row], axis=1) + 0.06 + 0.88 * generator.random((len(labels), 2))
    return _REACH * (2 * place / _CELLS - 1)


TOY_DATASETS: dict[str, ToyDataset] = {
    entry.name: entry
    for entry in (
        ToyDataset("moons", "Moons", (2,), 0.06, _moons),
        ToyDataset("circles", "Circles", (2, 3, 4), 0.05, _circles),
        ToyDataset("xor", "Exclusive or", (2,), 0.04, _xor),
        ToyDataset("spirals", "Spirals", (2, 3, 4, 5), 0.03, _spirals),
        ToyDataset("blobs", "Blobs", (3, 2, 4, 5, 6), 0.12, _blobs),
        ToyDataset("checkerboard", "Checkerboard", (2, 4), 0.02, _checkerboard),
    )
}


def _check(entry: ToyDataset, size: int, noise: float, seed: int, classes: int) -> None:
    if size not in SIZES:
        raise InvalidInput(f"size={size!r}: a toy set has {SIZES} points.")
    if noise not in NOISES:
        raise InvalidInput(f"noise={noise!r}: it must lie between {NOISES.least:g} and {NOISES.most:g}.")
    if seed not in SEEDS:
        raise InvalidInput(f"seed={seed!r}: a seed is a whole number, {SEEDS}.")
    if classes not in entry.classes:
        known = ", ".join(map(str, sorted(entry.classes)))
        raise InvalidInput(f"{entry.title} come with {known} classes; {classes!r} was asked for.")
