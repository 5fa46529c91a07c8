"""What the playground shows, as one frozen record, and the link that brings it back. No Streamlit in here.

A link names a preset, or the data, architecture, seed and training from which the network is trained again; besides
that the moment of the training, the point, the layers and the view. Anything damaged falls back to its default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from relucert_core.datasets.points_word import unpack_points
from relucert_core.datasets.toy import TOY_DATASETS, toy_dataset
from relucert_core.errors import InvalidInput

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
COLOURS = ("layer", "region", "slope")
FIRST_PRESET = "figure-1a"
MAX_LINKED = 600
REACH = 8.0
_PREFIX = "pg_"


@dataclass(frozen=True)
class Setup:
    """Data, network and training of one picture. `preset` names a stored one; "" means trained from these settings.

    own: packed points of one's own that take the place of the toy set, see `datasets.points_word`.
    """

    preset: str = FIRST_PRESET
    dataset: str = "moons"
    size: int = 500
    noise: float = 0.06
    data_seed: int = 0
    classes: int = 2
    own: str = ""
    hidden: tuple[int, ...] = (16, 16)
    method: str = "plain"
    epochs: int = 500
    rate: float = 0.01
    optimizer: str = "adam"
    weight_decay: float = 0.0
    seed: int = 0
    radius: float = 0.1
    strength: float = 1.0
    face_margin: float = 0.15
    decision_margin: float = 0.3
    faces: int = 4

    @property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The data: (N, 2) and labels (N,)."""
        if self.own:
            return unpack_points(self.own)
        return toy_dataset(self.dataset)(self.size, self.noise, self.data_seed, self.classes)

    @property
    def settings(self) -> Any:
        """The ToySettings of the training."""
        from relucert_core.training.toy import ToySettings

        return ToySettings(**{name: getattr(self, name) for name in _SETTINGS})


@dataclass(frozen=True)
class View:
    """How it is looked at: moment of the training (None: the end), u, visible layers, colours, visible rectangle."""

    epoch: int | None = None
    point: tuple[float, float] = (0.1, 0.35)
    layers: tuple[str, ...] = DEFAULT_LAYERS
    colouring: str = COLOURS[0]
    view: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Link:
    """A whole link: what is shown and how."""

    setup: Setup = field(default_factory=Setup)
    view: View = field(default_factory=View)


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


_SETTINGS = tuple(Setup.__dataclass_fields__)[7:]


def write_link(setup: Setup, view: View, home: View) -> dict[str, str]:
    """The parameters of the link; what equals the preset's own view, or the defaults, is left out."""
    link = {"preset": setup.preset} if setup.preset else {}
    if not setup.preset:
        blank = Setup(preset="")
        for name in Setup.__dataclass_fields__:
            if name != "preset" and getattr(setup, name) != getattr(blank, name):
                link[name] = _text(getattr(setup, name))
        link.setdefault("dataset", setup.dataset)
    for name in View.__dataclass_fields__:
        if getattr(view, name) != getattr(home, name):
            value = getattr(view, name)
            link[name] = "end" if name == "epoch" and value is None else "all" if value is None else _text(value)
    return {_PREFIX + key: value for key, value in link.items()}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "~".join(_text(item) for item in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def read_setup(query: Mapping[str, str], presets: Mapping[str, Any]) -> Setup:
    """The setup that a link names; InvalidInput says in a sentence what is wrong with it."""
    asked = {key[len(_PREFIX) :]: value for key, value in query.items() if key.startswith(_PREFIX)}
    name = asked.get("preset", "" if any(key in asked for key in ("dataset", "own")) else FIRST_PRESET)
    if name:
        if name not in presets:
            raise InvalidInput(f"The link asks for the preset {name[:40]!r}; there are {', '.join(presets)}.")
        return setup_of(presets[name], name)
    values: dict[str, Any] = {}
    for key, blank in vars(Setup(preset="")).items():
        if key != "preset" and key in asked:
            values[key] = _parsed(key, asked[key], blank)
    dataset = values.get("dataset", "moons")
    if dataset not in TOY_DATASETS:
        raise InvalidInput(f"The link asks for the data {str(dataset)[:40]!r}; there are {', '.join(TOY_DATASETS)}.")
    return checked(Setup(**{"preset": "", **values}))


def checked(setup: Setup) -> Setup:
    """The setup itself, when data and settings are within the engine's bounds; raises InvalidInput."""
    _ = setup.settings
    _ = setup.points
    return setup


def read_view(query: Mapping[str, str], home: View) -> View:
    """The view that a link names, over `home`, the preset's own; damaged parts are left as they are there."""
    view = home
    for key, value in query.items():
        if key.startswith(_PREFIX) and key[len(_PREFIX) :] in View.__dataclass_fields__:
            view = _with(view, key[len(_PREFIX) :], value)
    return view


def _with(view: View, name: str, text: str) -> View:
    if name == "epoch":
        epoch = None if text == "end" else _whole(text)
        return replace(view, epoch=epoch) if text == "end" or epoch is not None else view
    if name == "layers":
        return replace(view, layers=tuple(key for key in LAYERS if key in text.split("~")))
    if name == "colouring":
        return replace(view, colouring=text if text in COLOURS else view.colouring)
    numbers = _numbers(text, 2 if name == "point" else 4)
    if numbers is None or (name == "view" and (numbers[0] >= numbers[1] or numbers[2] >= numbers[3])):
        return replace(view, view=None) if name == "view" and text == "all" else view
    return replace(view, **{name: numbers})  # type: ignore[arg-type]


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _numbers(text: str, count: int) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(part) for part in text.split("~"))
    except ValueError:
        return None
    return numbers if len(numbers) == count and all(abs(v) <= 10 for v in numbers) else None


def _parsed(name: str, text: str, blank: Any) -> Any:
    """A value of the setup from its text, of the same kind as its default."""
    try:
        if isinstance(blank, tuple):
            return tuple(int(part) for part in text.split("~"))
        if isinstance(blank, str):
            return text
        value = type(blank)(text)
    except ValueError:
        raise InvalidInput(f"The link says {name}={text[:30]!r}, which is no number.") from None
    if not math.isfinite(value):
        raise InvalidInput(f"The link says {name}={text[:30]!r}, which is no finite number.")
    return value
