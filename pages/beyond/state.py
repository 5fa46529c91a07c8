"""What the page "Beyond" is about: network, point, norm and method, the prepared views, and their place in the link.

The controls are bound to the link by their widgets; the digit travels as on the page "Digits".
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.beyond import engine as beyond_engine
from pages.shared import digit as state
from pages.shared import engine
from pages.shared import link as links
from pages.shared.control import reading
from pages.shared.keys import pressed_key
from pages.shared.shell import presenting, theme_name
from pages.shared.words import NORM_CHOICES
from relucert_core.errors import RelucertError
from relucert_core.figures.theme import Theme, find_theme

if TYPE_CHECKING:
    from relucert_core.network import Network

MODEL, METHOD, NORM, SECONDS = "beyond_net", "beyond_method", "beyond_norm", "beyond_seconds"
ZOOM, THIRD, OTHER, SEED, X, Y = "beyond_zoom", "beyond_third", "beyond_other", "beyond_seed", "beyond_x", "beyond_y"
KEYS, CHOICE, OPENED, VIEWER, PART = "beyond_keys", "beyond_choice", "beyond_opened", "beyond_viewer", "show"
METHODS = {"exact": "Exact search", "neighbours": "Neighbouring polyhedra"}
ANOTHER, RANDOM, FACE = "Another digit", "Random direction", "Nearest face"
THIRDS = (ANOTHER, RANDOM, FACE)
ZOOMS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
GROW, SLICE = "grow", "slice"
MAX_SECONDS = 600


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
    digit: state.Digit | None
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


def networks() -> list[str]:
    """The names of all networks that can be searched here."""
    digits = sorted(beyond_engine.digit_networks(), key=lambda name: name != _PRESETS["exact"].model)
    return [*digits, *beyond_engine.toy_networks()]  # the first one is what a link without a network means


def title_of(model: str) -> str:
    """What a network is called in the menu."""
    toys = beyond_engine.toy_networks()
    return f"two inputs: {toys[model].title}" if model in toys else model


def open_page() -> None:
    """A first visit without a link shows the first preset; a link's values are taken by the widgets themselves."""
    if OPENED in st.session_state:
        return
    st.session_state[OPENED] = True
    linked = [key for key in st.query_params if key.startswith("beyond_") or key in (state.IMAGE, state.INK)]
    if not linked:
        show_preset(next(iter(presets())))
        return
    first = next(iter(presets().values()))
    st.session_state.setdefault(MODEL, _linked(MODEL, networks(), first.model))
    start_point(st.session_state[MODEL])


def show_preset(name: str) -> None:
    """Put a prepared view on the page."""
    preset = presets()[name]
    st.session_state[MODEL], st.session_state[METHOD] = preset.model, preset.method
    st.session_state[ZOOM], st.session_state[THIRD] = preset.zoom, preset.third
    st.session_state[NORM] = "L2"
    if preset.model.startswith(beyond_engine.TOY):
        start_point(preset.model, moved=True, place=preset.point)
    else:
        state.show(state.gallery_digit(preset.image))


def start_point(model: str, *, moved: bool = False, place: tuple[float, float] | None = None) -> None:
    """The point that a toy network opens with, `place` or its own; unless `moved`, only where there is none yet."""
    toys = beyond_engine.toy_networks()
    place = place or (toys[model].point if model in toys else (0.0, 0.0))
    for key, value in zip((X, Y), place, strict=True):
        if moved or key not in st.session_state:
            linked = None if moved else _number(st.query_params.get(key))
            st.session_state[key] = value if linked is None else linked


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


def changed_model() -> None:
    """Another network: a toy opens with its own point and the search that can be watched."""
    model = st.session_state[MODEL]
    if model.startswith(beyond_engine.TOY):
        st.session_state[METHOD], st.session_state[ZOOM] = "neighbours", 0.5
        start_point(model, moved=True)


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
    """The scene of this run of the script, from the widgets' values in the session or, before they stand, the link."""
    model = value(MODEL, networks(), next(iter(presets().values())).model)
    method = value(METHOD, list(METHODS), "exact")
    norm = NORM_CHOICES[value(NORM, list(NORM_CHOICES), "L2")] if method == "neighbours" else 2.0
    theme = find_theme(theme_name(), presenting())
    if model.startswith(beyond_engine.TOY):
        net = beyond_engine.toy_network(model)
        place = tuple(_number(st.session_state.get(key)) or 0.0 for key in (X, Y))
        names = tuple(f"class {k}" for k in range(net.classes))
        return Scene(model, net, np.array(place), f"({place[0]:g}, {place[1]:g})", None, names, norm, method, theme)
    digit, net = _digit(), engine.network(model)
    classes = engine.cards()[model].classes
    names = tuple(name if name.isdigit() else f"“{name}”" for name in classes)
    name = str(digit.index) if digit.index is not None else hashlib.sha256(digit.pixels).hexdigest()[:12]
    return Scene(model, net, engine.as_point(digit.pixels), name, digit, names, norm, method, theme)


def write_link(scene: Scene) -> None:
    """Put the point into the link; the widgets write the rest."""
    if scene.digit is not None:
        state.write_link(scene.digit)
    wanted = {} if scene.digit is not None else {k: f"{v:g}" for k, v in zip((X, Y), scene.point.tolist(), strict=True)}
    links.put(wanted, (X, Y))


def value(key: str, options: list[str], default: str) -> str:
    """A control's value before or after it is drawn: the session's, else the link's, else the default."""
    known = st.session_state.get(key)
    return known if known in options else _linked(key, options, default)


def zoom() -> float:
    """Half the width of the slice."""
    known = st.session_state.get(ZOOM)
    if known is None:
        known = _number(st.query_params.get(ZOOM))
    return min(ZOOMS, key=lambda z: abs(math.log(z / known))) if known and known > 0 else 0.5


def zoom_by(steps: int) -> None:
    """Nearer (-1) or farther (1)."""
    place = ZOOMS.index(zoom()) + steps
    st.session_state[ZOOM] = ZOOMS[min(max(place, 0), len(ZOOMS) - 1)]


def _digit() -> state.Digit:
    try:
        return state.current_digit()
    except RelucertError as error:
        st.error(f"{error} The first test image is shown instead.")
        return state.current_digit()


def _linked(key: str, options: list[str], default: str) -> str:
    """The link's value of a control; widgets write there what they show."""
    wanted = st.query_params.get(key, default)
    shown = {title_of(name) if key == MODEL else METHODS.get(name, name): name for name in options}
    return wanted if wanted in options else shown.get(wanted, default)


def _number(text: object) -> float | None:
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and abs(number) <= 10 else None
