"""What the playground opens with: networks with a point each, stored so that they show at once.

Trained ones can be trained again from their seed; degenerate ones are built on purpose. `build_showcase` makes the
files, `load_showcase` reads them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from relucert_core.errors import InvalidInput
from relucert_core.experiments.history import history_table, moment_of, spread_out
from relucert_core.network import Network
from relucert_core.paths import PRESETS
from relucert_core.registry import certify
from relucert_core.training.archive import Archive, archive_bytes, load_archive
from relucert_core.training.presets import ToyPreset, toy_preset
from relucert_core.training.toy import Snapshot, ToySettings, train_toy

MEASURED_POINTS, STORED_MOMENTS = 500, 21
COMPARED = ("moons-plain", "moons-adversarial", "moons-simplex")


@dataclass(frozen=True)
class Showcase:
    """A prepared view: `run` holds data and settings, `file` the stored networks, `point` is u.

    holds: is what `words` say true of this network at this point?
    trains: the stored network is what `run` gives (else it was built by hand, and `words` say how).
    """

    name: str
    title: str
    words: str
    run: ToyPreset
    file: str
    point: tuple[float, float]
    holds: Callable[[Network, tuple[float, float]], bool]
    trains: bool = True


MANY_REGIONS, NEAR, SEVERAL = 1000, 0.05, 3.0


def _radius(net: Network, point: tuple[float, float], method: str = "simplex") -> float:
    return float(certify(net, point, method=method, norm=2).radius)


def _exact_here(net: Network, point: tuple[float, float]) -> bool:
    limit = certify(net, point, method="simplex", norm=2).limit
    return limit is not None and limit.kind == "class"


def _face_is_nearer(net: Network, point: tuple[float, float]) -> bool:
    cert = certify(net, point, method="simplex", norm=2)
    return cert.radius > 0 and cert.limit is not None and cert.limit.kind == "face"


def _face_is_near(net: Network, point: tuple[float, float]) -> bool:
    return max(net.widths) >= 40 and _face_is_nearer(net, point) and _radius(net, point) < NEAR


def _regularising_pays(net: Network, point: tuple[float, float]) -> bool:
    """Is this one of the two stored networks, and the regularised one's radius several times the plain one's?"""
    pair = load_run("moons-plain").network, load_run("moons-simplex").network
    return net in pair and _radius(pair[1], point) > SEVERAL * _radius(pair[0], point)


def _without_any_bias(net: Network, point: tuple[float, float]) -> bool:
    return all(not bias.any() for bias in net.biases)


def _dead_and_copied(net: Network, point: tuple[float, float]) -> bool:
    first, bias = net.weights[0], net.biases[0]
    if len(first) < 12:
        return False
    return bool(not first[10].any() and bias[10] < 0 and (first[11] == first[0]).all() and bias[11] == bias[0])


def _faces_do_not_stop_it(net: Network, point: tuple[float, float]) -> bool:
    return net.depth == 2 and _radius(net, point, "decision-boundary") > _radius(net, point) > 0


_TWO_LAYERS = ToyPreset(
    "circles-two-layers", "Circles, one hidden layer", "circles",
    ToySettings(
        hidden=(8,), method="simplex", epochs=150, rate=0.02, weight_decay=0.02, face_margin=0.2, decision_margin=0.3
    ),
)  # fmt: skip
_FIGURE = ToyPreset(
    "moons-figure", "Moons, 8-6", "moons",
    ToySettings(
        hidden=(8, 6), method="simplex", epochs=300, rate=0.02, face_margin=0.2, decision_margin=0.3, faces=3, seed=3
    ),
)  # fmt: skip
_MANY = ToyPreset(
    "spirals-many", "Spirals, 40-40-40", "spirals",
    ToySettings(hidden=(40, 40, 40), epochs=400, rate=0.005, snapshots=16), classes=3,
)  # fmt: skip
_ZERO = ToyPreset("zero-biases", "All biases are zero", "blobs", ToySettings(hidden=(12, 12), seed=4))
_DEAD = ToyPreset("dead-neuron", "A dead neuron", "moons", ToySettings(hidden=(10, 8), seed=1))

SHOWCASE: dict[str, Showcase] = {
    entry.name: entry
    for entry in (
        Showcase(
            "figure-1a", "Figure 1 (a)",
            "Drag u or click anywhere. Where the boundary is nearer than any face of the region, the radius is exact.",
            _FIGURE, "moons-figure", (0.1, 0.35), _exact_here,
        ),
        Showcase(
            "figure-1b", "Figure 1 (b)",
            "Drag u or click anywhere. Where a face of the region is nearer than the boundary, more holds than proved.",
            _FIGURE, "moons-figure", (0.25, 0.2), _face_is_nearer,
        ),
        Showcase(
            "many", "Many regions",
            "Three spirals and three layers of 40: thousands of polyhedra, so the nearest face is never far.",
            _MANY, "spirals-many", (0.3, 0.2), _face_is_near,
        ),
        Showcase(
            "plain", "Plain",
            "Trained for right answers alone: faces crowd around the data, and the safe radius here is less than a "
            "third of what the regularised network has.",
            toy_preset("moons-plain"), "moons-plain", (0.2, 0.2), _regularising_pays,
        ),
        Showcase(
            "regularised", "Regularised",
            "The same network and data, with the safe radius itself in the training: faces keep away from the data, "
            "and the safe radius here is more than three times the plain network's.",
            toy_preset("moons-simplex"), "moons-simplex", (0.2, 0.2), _regularising_pays,
        ),
        Showcase(
            "zero-biases", "Zero biases",
            "Without biases every face passes through the origin, so all regions are cones: scaling an input never "
            "changes its answer. At the origin itself everything meets and the safe radius is 0. Nothing was trained "
            "here: the weights are random.",
            _ZERO, "zero-biases", (0.6, 0.35), _without_any_bias, trains=False,
        ),
        Showcase(
            "dead-neuron", "Dead neuron",
            "Neuron 10 of layer 1 is off everywhere: it draws no face and limits nothing. Neuron 11 is a copy of "
            "neuron 0: two faces lie on one line, and the picture is the same as with one.",
            _DEAD, "dead-neuron", (-0.3, 0.3), _dead_and_copied, trains=False,
        ),
        Showcase(
            "two-layers", "Two layers",
            "With one hidden layer Theorem 4 applies too. Its circle (dash-dotted) asks about all patterns at once, so "
            "no face stops it: here it is larger than Theorem 3's, elsewhere smaller, often 0.",
            _TWO_LAYERS, "circles-two-layers", (0.0, 0.3), _faces_do_not_stop_it,
        ),
    )
}  # fmt: skip


def showcase(name: str) -> Showcase:
    """The entry `name`; InvalidInput names those that exist."""
    if name not in SHOWCASE:
        raise InvalidInput(f"There is no preset {name!r}: use one of {', '.join(SHOWCASE)}.")
    return SHOWCASE[name]


@cache
def load_run(file: str) -> Archive:
    """The stored run of that name, kept: there are a few, and they are small."""
    return load_archive(PRESETS / f"{file}.safetensors", file)


def runs() -> dict[str, ToyPreset]:
    """Every stored run by its file's name."""
    stored = {entry.file: entry.run for entry in SHOWCASE.values()}
    return stored | {name: toy_preset(name) for name in COMPARED}


def build_run(file: str) -> bytes:
    """Train or make one run and pack it with what was measured of it."""
    preset = runs()[file]
    points, labels = preset.points()
    snapshots = _make(file, preset, points, labels)
    return archive_bytes(snapshots, {"history": measured(snapshots, *preset.test_points(MEASURED_POINTS))})


def measured(snapshots: tuple[Snapshot, ...], points: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """Medians of safe and exact radii, accuracy and number of regions along the way, as JSON."""
    moments = [moment_of(s.network, points, labels, epoch=s.epoch) for s in spread_out(snapshots, STORED_MOMENTS)]
    return history_table(moments)


def _make(file: str, preset: ToyPreset, points: np.ndarray, labels: np.ndarray) -> tuple[Snapshot, ...]:
    if file == "zero-biases":
        return (Snapshot(0, _without_biases(preset, labels)),)
    run = train_toy(points, labels, preset.settings)
    if file == "dead-neuron":
        return (Snapshot(len(run.losses), _with_dead_neuron(run.network)),)
    return run.snapshots


def _without_biases(preset: ToyPreset, labels: np.ndarray) -> Network:
    """Random weights, seeded, and no biases."""
    generator = np.random.default_rng(preset.settings.seed)
    shape = (2, *preset.settings.hidden, int(labels.max()) + 1)
    weights = [generator.standard_normal((n, m)) * np.sqrt(2 / m) for m, n in itertools.pairwise(shape)]
    return Network(weights, [np.zeros(len(w)) for w in weights], name="zero biases")


def _with_dead_neuron(net: Network) -> Network:
    """The same function with two more neurons in layer 1: a dead one, and a copy of neuron 0 that shares its work."""
    first, second = net.weights[0], net.weights[1].copy()
    second[:, 0] /= 2
    weights = [
        np.vstack([first, [[0.0, 0.0]], first[:1]]),
        np.column_stack([second, np.ones(len(second)), second[:, 0]]),
    ]
    biases = [np.concatenate([net.biases[0], [-1.0], net.biases[0][:1]])]
    return Network([*weights, *net.weights[2:]], [*biases, *net.biases[1:]], name="dead neuron")


def like(preset: ToyPreset, method: str) -> ToySettings:
    """The settings of a preset with another method."""
    return replace(preset.settings, method=method)
