"""What the page "Beyond" is about, as one record in session, link and controls; and its prepared views."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pages.beyond import engine as beyond_engine
from pages.shared import engine, own
from pages.shared.control import reading
from pages.shared.digit import IMAGES, Digit, DigitFields, digit_of
from pages.shared.fields import choice, number
from pages.shared.keys import pressed_key
from pages.shared.shell import presenting, theme_name
from pages.shared.state import PageState
from relucert_core.figures.theme import Theme, find_theme
from relucert_core.ranges import Range
from relucert_core.words import NORM_CHOICES

if TYPE_CHECKING:
    from relucert_core.network import Network

KEYS, CHOICE, VIEWER = "beyond_keys", "beyond_choice", "beyond_viewer"
METHODS = {"exact": "Exact search", "semidefinite": "Semidefinite bound alone", "neighbours": "Neighbouring polyhedra"}
ANOTHER, RANDOM, FACE = "Another digit", "Random direction", "Nearest face"
ZOOMS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
GROW, SLICE = "grow", "slice"
SECONDS, SEEDS, REACH = Range(1, 600, whole=True), Range(0, 9_999, whole=True), Range(-10.0, 10.0)
FIRST_NETWORK = "mnist-20-20-20"


def networks() -> dict[str, str]:
    """The names of all networks that can be searched here, and what they are in words."""
    digits = engine.digit_networks()
    toys = beyond_engine.toy_networks()
    shipped = {FIRST_NETWORK: digits[FIRST_NETWORK], **digits} | {
        name: f"two inputs: {toys[name].title}" for name in toys
    }
    return shipped | own.titles()


def is_toy(model: str) -> bool:
    """Is it a network of two inputs?"""
    return model.startswith(beyond_engine.TOY)


@dataclass(frozen=True)
class Fields(DigitFields):
    """Network and point, how it is searched, and where the slice is cut; the defaults are the first prepared view."""

    net: str = choice(FIRST_NETWORK, networks, "Network", kind=own.NetworkChoice)
    method: str = choice("exact", METHODS, "Search", look="segmented", panel="search")
    norm: str = choice(
        "L2", {name: name for name in NORM_CHOICES}, "Norm", look="segmented", panel="search",
        help="The exact search and the semidefinite bound are made for L2.",
        when=lambda fields: fields.method == "neighbours",
    )  # fmt: skip
    seconds: int = number(30, SECONDS, "Stop after (seconds)", panel="search")
    zoom: float = choice(
        0.5,
        {zoom: f"{zoom:g}" for zoom in ZOOMS},
        "Zoom: from the centre to the edge of the picture (L2)",
        look="steps",
    )
    third: str = choice(
        ANOTHER, {name: name for name in (ANOTHER, RANDOM, FACE)}, "Third point", look="segmented", panel="plane"
    )
    other: int = number(1, IMAGES, "Another digit: test image", panel="plane")
    seed: int = number(0, SEEDS, "Random direction: seed", panel="plane")
    x: float = number(0.0, REACH, "u, first coordinate", step=0.05, format="%.4f", panel="point")
    y: float = number(0.0, REACH, "u, second coordinate", step=0.05, format="%.4f", panel="point")
    show: str = choice("", {"": "as prepared", GROW: "the ball that grows", SLICE: "the slice"}, "In a lecture hall")


class BeyondState(PageState[Fields]):
    """The blank coordinates of a link mean the point that a network of two inputs opens with."""

    def home(self, record: Fields) -> Fields:
        """Every network with its own point."""
        base = super().home(record)
        if not is_toy(record.net):
            return base
        x, y = beyond_engine.toy_networks()[record.net].point
        return replace(base, x=x, y=y)


STATE = BeyondState("beyond", Fields, "beyond_", leading=("net",))


@dataclass(frozen=True)
class Preset:
    """A prepared view: what it is called and tells, network, image or point, method, zoom, third point, part.

    part: what the lecture view shows of it, the growing ball or the slice.
    """

    title: str
    words: str
    model: str
    method: str
    zoom: float
    third: str
    part: str
    image: int = 0
    point: tuple[float, float] | None = None


_PRESETS = {
    "exact": Preset(
        "What the exact answer looks like",
        "A small network: the bounds meet, and the nearest digit that is read differently is known.",
        "mnist-20-20-20", "exact", 0.5, ANOTHER, GROW,
    ),
    "both": Preset(
        "The paper's network, from both sides",
        "Two layers of 1024 and 512 neurons. What is proved and what is found come within a thousandth of each other.",
        "mnist-1024-512", "exact", 0.5, ANOTHER, GROW, image=105,
    ),
    "small": Preset(
        "Why the certificate is small",
        "A large network has a face close to every digit. Zoom in: the safe ball ends there, and nothing happens.",
        "mnist-1024-512", "exact", 0.005, FACE, SLICE,
    ),
    "regularised": Preset(
        "Regularised against plain",
        "The same layers, trained to keep faces away from the data: compare the two slices, at one scale.",
        "mnist-1024-512-regularised", "exact", 0.1, FACE, SLICE,
    ),
    "toy": Preset(
        "Watch the ball fill the plane",
        "Two inputs: each polyhedron is entered when the ball reaches it, until the boundary stops the ball.",
        "toy-plain", "neighbours", 0.5, ANOTHER, SLICE, point=(-0.32, -0.12),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What is searched and how it looks: network and its name, the point with a name, classes, norm, method, theme."""

    model: str
    net: Network
    point: np.ndarray
    name: str
    digit: Digit | None
    names: tuple[str, ...]
    norm: float
    method: str
    theme: Theme

    @property
    def toy(self) -> bool:
        """Is it a network of two inputs?"""
        return self.digit is None

    @property
    def token(self) -> tuple[object, ...]:
        """What tells two searches apart."""
        return (self.net.digest, self.point.tobytes(), self.norm, self.method)


def plain_partner(scene: Scene) -> Scene | None:
    """The same scene on the network that was trained plainly, for one that was trained with a regulariser."""
    plain = scene.model.removesuffix("-regularised")
    if scene.toy or plain == scene.model or plain not in networks():
        return None
    return replace(scene, model=plain, net=engine.network(plain))


def presets() -> dict[str, Preset]:
    """The prepared views whose networks ship."""
    there = networks()
    return {name: preset for name, preset in _PRESETS.items() if preset.model in there}


def show_preset(name: str) -> None:
    """Put a prepared view on the page."""
    preset = presets()[name]
    values = {"net": preset.model, "method": preset.method, "zoom": preset.zoom, "third": preset.third, "norm": "L2"}
    if is_toy(preset.model):
        x, y = preset.point or beyond_engine.toy_networks()[preset.model].point
        STATE.change(**values, x=x, y=y)
    else:
        STATE.change(**values, image=preset.image, ink="")


def press() -> None:
    """The keys 1 to 9 show a preset, r the first one."""
    key, names = pressed_key(KEYS), list(presets())
    if key == "r":
        show_preset(names[0])
    elif key is not None and 1 <= int(key) <= len(names):
        show_preset(names[int(key) - 1])


def choose() -> None:
    """A preset was picked."""
    if reading(CHOICE) in presets():
        show_preset(reading(CHOICE))


def changed_network() -> None:
    """Another network: one of two inputs opens with its own point and the search that can be watched."""
    model = STATE.now.net
    if is_toy(model):
        x, y = beyond_engine.toy_networks()[model].point
        STATE.change(method="neighbours", zoom=0.5, x=x, y=y)


def current_preset(scene: Scene) -> str | None:
    """The preset that is on the page, unchanged in network and image."""
    for name, preset in presets().items():
        same = preset.model == scene.model and preset.method == scene.method
        if scene.digit is not None:
            here = scene.digit.index == preset.image
        else:
            here = preset.point is None or preset.point == tuple(scene.point.tolist())
        if same and here:
            return name
    return None


def current_scene() -> Scene:
    """The scene of this run of the script."""
    fields = STATE.now
    model, method = fields.net, fields.method
    norm = NORM_CHOICES[fields.norm] if method == "neighbours" else 2.0
    theme = find_theme(theme_name(), presenting())
    if is_toy(model):
        net, place = beyond_engine.toy_network(model), (fields.x, fields.y)
        names = tuple(f"class {k}" for k in range(net.classes))
        return Scene(model, net, np.array(place), f"({place[0]:g}, {place[1]:g})", None, names, norm, method, theme)
    digit, net = digit_of(fields), own.network(model)
    classes = own.card(model).classes
    names = tuple(name if name.isdigit() else f"“{name}”" for name in classes)
    name = str(digit.index) if digit.index is not None else hashlib.sha256(digit.pixels).hexdigest()[:12]
    return Scene(model, net, engine.as_point(digit.pixels), name, digit, names, norm, method, theme)
