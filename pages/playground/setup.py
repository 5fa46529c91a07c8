"""What the playground shows, as one frozen record: what is trained, and how it is looked at. No Streamlit in here.

A link names a preset, or the data, architecture, seed and training from which the network is trained again; besides
that the moment of the training, the point, the layers and the view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pages.shared.fields import choice, maybe, number, numbers, several, wholes, word
from pages.shared.kinds import Number, Numbers
from relucert_core.datasets.points_word import unpack_points
from relucert_core.datasets.toy import NOISES, SEEDS, SIZES, TOY_DATASETS, toy_dataset
from relucert_core.figures.plane import COLOURINGS
from relucert_core.ranges import Range
from relucert_core.training import toy

LAYERS = {
    "classes": "class areas",
    "polyhedra": "polyhedra",
    "decision": "boundary",
    "data": "data",
    "region": "u's region and limiting face",
    "circle": "safe circle",
    "exact": "exact circle",
    "extension": "linear extension",
    "boundary": "Theorem 4's circle",
    "attacks": "attacks",
}
DEFAULT_LAYERS = ("classes", "polyhedra", "decision", "data", "region", "circle", "exact", "extension", "boundary")
FIGURE_LAYERS = frozenset({"classes", "polyhedra", "decision", "data"})
CLASS_COUNTS = sorted({k for entry in TOY_DATASETS.values() for k in entry.classes})
COLOURS = ("layer", "region", "slope")
FIRST_PRESET = "figure-1a"
MAX_LINKED = 600
REACH = 8.0
POINTS, VIEWS = Range(-REACH, REACH), Range(-10.0, 10.0)
OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
METHODS = {"plain": "Plain", "adversarial": "Adversarial", "simplex": "Safe radius (simplex)"}


def prepared() -> dict[str, str]:
    """The names and titles of the presets; "" is for what is trained from settings."""
    from relucert_core.experiments.showcase import SHOWCASE

    return {"": "Settings of one's own"} | {name: entry.title for name, entry in SHOWCASE.items()}


def _toy(fields: Any) -> bool:
    return not fields.own


def _adversarial(fields: Any) -> bool:
    return bool(fields.method == "adversarial")


def _simplex(fields: Any) -> bool:
    return bool(fields.method == "simplex")


@dataclass(frozen=True)
class Setup:
    """Data, network and training of one picture. `preset` names a stored one; "" means trained from these settings.

    own: packed points of one's own that take the place of the toy set, see `datasets.points_word`.
    """

    preset: str = choice(FIRST_PRESET, prepared, "Presets")
    dataset: str = choice("moons", {name: entry.title for name, entry in TOY_DATASETS.items()}, "Toy set", look="pills")
    size: int = number(500, SIZES, "Points", step=100, panel="data", when=_toy)
    noise: float = number(0.06, NOISES, "Noise", step=0.01, look="slider", panel="data", when=_toy)
    data_seed: int = number(0, SEEDS, "Seed of the data", panel="data", when=_toy)
    classes: int = choice(2, {k: str(k) for k in CLASS_COUNTS}, "Classes")
    own: str = word(unpack_points, "Points of your own")
    hidden: tuple[int, ...] = wholes(
        (16, 16), toy.WIDTHS, toy.DEPTHS, "Hidden layers", each="Neurons in layer", panel="network"
    )
    method: str = choice("plain", METHODS, "Method", look="segmented", panel="method")
    epochs: int = number(500, toy.RANGES["epochs"], "Epochs", step=50, panel="training")
    rate: float = number(0.01, toy.RANGES["rate"], "Learning rate", format="%g", step=0.005, panel="training")
    optimizer: str = choice("adam", OPTIMIZERS, "Optimiser", panel="training")
    weight_decay: float = number(
        0.0, toy.RANGES["weight_decay"], "Weight decay", format="%g", step=0.001, panel="training"
    )
    seed: int = number(0, toy.RANGES["seed"], "Seed of the start", panel="network")
    radius: float = number(
        0.1, toy.RANGES["radius"], "Reach of the attacks (L2)", step=0.01, panel="training", when=_adversarial
    )
    strength: float = number(1.0, toy.RANGES["strength"], "Strength", step=0.1, panel="training", when=_simplex)
    face_margin: float = number(
        0.15, toy.RANGES["face_margin"], "Wanted distance to faces", step=0.01, panel="training", when=_simplex
    )
    decision_margin: float = number(
        0.3, toy.RANGES["decision_margin"], "Wanted distance to boundaries", step=0.01, panel="training", when=_simplex
    )
    faces: int = number(4, toy.RANGES["faces"], "Faces that count", panel="training", when=_simplex)

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The data: (N, 2) and labels (N,)."""
        if self.own:
            return unpack_points(self.own)
        return toy_dataset(self.dataset)(self.size, self.noise, self.data_seed, self.classes)

    @property
    def trainable(self) -> bool:
        """Are there points of two classes, so that there is something to learn?"""
        return not self.own or len(np.unique(self.points[1])) > 1

    @property
    def trained_on(self) -> tuple[np.ndarray, np.ndarray]:
        """The points that the network learns; before there are two classes, two that only say how many there may be."""
        points, labels = self.points
        if self.trainable:
            return points, labels
        return np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, max(1, labels.max(initial=0))])

    @property
    def settings(self) -> Any:
        """The ToySettings of the training."""
        return toy.ToySettings(**{name: getattr(self, name) for name in _SETTINGS})


@dataclass(frozen=True)
class View:
    """How it is looked at: moment of the training (None: the end), u, visible layers, colours, visible rectangle."""

    epoch: int | None = maybe(Number(0, range=Range(0, toy.MAX_EPOCHS, whole=True)), "end", "Moment of the training")
    point: tuple[float, float] = numbers((0.1, 0.35), POINTS, "u")
    layers: tuple[str, ...] = several(DEFAULT_LAYERS, LAYERS, "Shown")
    colouring: str = choice(COLOURS[0], COLOURINGS, "Polyhedra", look="segmented", panel="colours")
    view: tuple[float, float, float, float] | None = maybe(
        Numbers((-1.0, 1.0, -1.0, 1.0), range=VIEWS, count=4, ordered=True), "all", "Visible rectangle"
    )


@dataclass(frozen=True)
class Fields(View, Setup):
    """The whole page: what is shown and how."""

    @property
    def setup(self) -> Setup:
        """What is shown."""
        return Setup(**{name: getattr(self, name) for name in Setup.__dataclass_fields__})

    @property
    def look(self) -> View:
        """How it is looked at."""
        return View(**{name: getattr(self, name) for name in View.__dataclass_fields__})

    def settled(self) -> Fields:
        """A toy set has its own numbers of classes."""
        classes = TOY_DATASETS[self.dataset].classes
        return self if self.classes in classes else replace(self, classes=classes[0])


def whole_of(setup: Setup, look: View) -> Fields:
    """Both in one record."""
    return Fields(**vars(setup), **vars(look))


def setup_of(preset: Any, name: str) -> Setup:
    """The settings behind a stored preset, so that it can be changed from there."""
    run, settings = preset.run, preset.run.settings
    dataset = toy_dataset(run.dataset)
    own = {key: getattr(settings, key) for key in _SETTINGS}
    return Setup(
        preset=name,
        dataset=run.dataset,
        size=run.size,
        noise=dataset.noise if run.noise is None else run.noise,
        data_seed=run.data_seed,
        classes=run.classes or dataset.classes[0],
        **own,
    )


_SETTINGS = tuple(name for name in Setup.__dataclass_fields__ if name in toy.ToySettings.__dataclass_fields__)


def checked(setup: Setup) -> Setup:
    """The setup itself, when data and settings are within the engine's bounds; raises InvalidInput."""
    _ = setup.settings
    _ = setup.points
    return setup
