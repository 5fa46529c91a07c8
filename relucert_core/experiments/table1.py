"""Table 1: the run time of Fast-Lin, Fast-Lip, CROWN-Ada and simplex for one image, and the radius each reaches.

m x [n] stands for m hidden layers of n neurons, as the paper's caption says: MNIST 3x[1024] is [784, 1024, 1024, 1024,
10]. (Some of the papers that it compares with count the layers of weights instead, one hidden layer less.) Here all
methods run on this machine, in float64 with proven rounding, one image at a time, in one thread, and the time is that
of a whole radius, bisected to a relative 1e-3 where the method only tests a given radius: the thread's processor time,
which is what the clock of a quiet machine shows.

The MNIST networks are trained on request and kept in the user's cache folder. Without that, and for the CIFAR-shaped
network always, the weights are random (Glorot): this is said, and then only the times count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from relucert_core.certificates.result import Certificate
from relucert_core.datasets.mnist import mnist_sample
from relucert_core.errors import InvalidInput
from relucert_core.experiments.catalogue import EXPERIMENTS
from relucert_core.experiments.records import LOWER, hardware
from relucert_core.experiments.runs import PanelPlan, Prepared, Task, Work
from relucert_core.experiments.store import Answer, answer_store, store_folder
from relucert_core.importers.safetensors_file import load_network
from relucert_core.importers.shipped import write_model
from relucert_core.network import Network
from relucert_core.paths import user_cache
from relucert_core.registry import CERTIFICATES, certify
from relucert_core.training.loop import Progress as TrainingProgress
from relucert_core.training.model import Trainable
from relucert_core.training.recipes import find_recipe, run_recipe

METHODS = EXPERIMENTS["table-1"].in_paper
RECIPES = ("mnist-3x1024", "mnist-4x1024")
CIFAR = "cifar-7x1024"
CIFAR_WIDTHS = (3072, *[1024] * 7, 10)
TITLES = {"mnist-3x1024": "MNIST 3×[1024]", "mnist-4x1024": "MNIST 4×[1024]", CIFAR: "CIFAR 7×[1024]"}
PAPER_SECONDS = {
    "mnist-3x1024": {"fast-lin": 0.732, "fast-lip": 1.060, "crown-ada": 1.260, "simplex": 0.0037},
    "mnist-4x1024": {"fast-lin": 1.790, "fast-lip": 2.580, "crown-ada": 3.520, "simplex": 0.0063},
    CIFAR: {"fast-lin": 12.70, "fast-lip": 20.90, "crown-ada": 20.70, "simplex": 0.0387},
}
RANDOM = "random Glorot weights: only the times count"
TIMING = "processor seconds of the one thread that finds a whole radius for an image alone; simplex: median of 5"
_REPEATS = {"simplex": 5}
_SEED = 0
# Processor time, so that other work on the machine hardly counts; where that clock is coarse, the wall clock.
_CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter


@dataclass(frozen=True)
class Table1Settings:
    """The first `images` MNIST test images, and `cifar_images` random pictures for the CIFAR-shaped network."""

    images: int = 20
    cifar_images: int = 3
    methods: tuple[str, ...] = METHODS


def table1_settings(images: int = 20, cifar_images: int = 3) -> Table1Settings:
    """The settings, checked; the methods of the table that this version has."""
    count = len(mnist_sample()[1])
    if not 1 <= images <= count or cifar_images < 0:
        raise InvalidInput(f"Give 1 to {count} images and 0 or more CIFAR-shaped ones; {images}, {cifar_images} came.")
    return Table1Settings(images, cifar_images, tuple(name for name in METHODS if name in CERTIFICATES))


def prepare_table1(settings: Table1Settings, *, store: Path | None = None, networks: Path | None = None) -> Prepared:
    """The experiment of `settings`, ready to run. `store`: where answers are kept, `networks`: trained networks."""
    store = store_folder() if store is None else store
    panels = [_mnist_plan(name, settings, store, networks) for name in RECIPES]
    if settings.cifar_images:
        panels.append(_cifar_plan(settings, store))
    given = {"images": settings.images, "cifar_images": settings.cifar_images, "methods": list(settings.methods)}
    command = f"python -m relucert_core reproduce table-1 --images {settings.images}"
    command += f" --cifar-images {settings.cifar_images}"
    command += " --train" if any(trained_path(name, networks).is_file() for name in RECIPES) else ""
    return Prepared("table-1", 2.0, given, command, TIMING, tuple(panels))


def trained_path(name: str, folder: Path | None = None) -> Path:
    """Where the trained network of a recipe is kept."""
    return (user_cache() / "networks" if folder is None else folder) / f"{name}.safetensors"


def train_missing(
    *,
    data: Path | None = None,
    networks: Path | None = None,
    report: Callable[[str, TrainingProgress], None] | None = None,
) -> list[Path]:
    """Train the recipes of Table 1 that are not there yet, from MNIST in `data`; the files. Takes minutes each."""
    paths = []
    for name in RECIPES:
        path = trained_path(name, networks)
        if not path.is_file():
            show = None if report is None else lambda progress, name=name: report(name, progress)
            net, card = run_recipe(find_recipe(name), folder=data, on_progress=show)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_model(net, card, path)
        paths.append(path)
    return paths


def timed_work(net: Network, method: str, repeats: int = 1) -> Work:
    """Points (B, D) -> the radii, each point alone in one thread; the time of a point is the median of `repeats`."""

    def work(points: np.ndarray) -> list[Answer]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return [_timed(net, method, point, repeats) for point in points]
        finally:
            torch.set_num_threads(threads)

    return work


def _timed(net: Network, method: str, point: np.ndarray, repeats: int) -> Answer:
    seconds = []
    for _ in range(repeats):
        begun = _CLOCK()
        certificate = certify(net, point, method=method)
        seconds.append(_CLOCK() - begun)
    assert isinstance(certificate, Certificate)
    return Answer(certificate.radius, certificate.status, statistics.median(seconds))


def _warm(net: Network, method: str, repeats: int) -> Work:
    """`timed_work` after one simplex certificate: what is prepared once for a network's layers is not counted."""
    work, warmed = timed_work(net, method, repeats), [False]

    def warm_work(points: np.ndarray) -> list[Answer]:
        if not warmed[0]:
            certify(net, points[0], method="simplex")
            warmed[0] = True
        return work(points)

    return warm_work


def _mnist_plan(name: str, settings: Table1Settings, store: Path, networks: Path | None) -> PanelPlan:
    points, labels = mnist_sample()
    points, labels = points[: settings.images], labels[: settings.images]
    path = trained_path(name, networks)
    trained = path.is_file()
    net = load_network(path, activation="relu", name=name) if trained else _glorot(find_recipe(name).widths, name)
    weights = "trained by the recipe of Table 4" if trained else RANDOM
    return _plan(name, net, weights, points, tuple(labels.tolist()), settings, store, radii=trained)


def _cifar_plan(settings: Table1Settings, store: Path) -> PanelPlan:
    net = _glorot(CIFAR_WIDTHS, CIFAR)
    points = np.random.default_rng(_SEED).random((settings.cifar_images, net.inputs))
    weights = f"{RANDOM}; random pictures"
    return _plan(CIFAR, net, weights, points, (None,) * len(points), settings, store, radii=False)


def _plan(
    name: str,
    net: Network,
    weights: str,
    points: np.ndarray,
    labels: tuple[int | None, ...],
    settings: Table1Settings,
    store: Path,
    *,
    radii: bool,
) -> PanelPlan:
    tasks = tuple(_task(name, net, method, store) for method in settings.methods)
    images = tuple(range(len(points)))
    return PanelPlan(name, TITLES[name], net, weights, points, images, labels, tasks, radii)


def _task(name: str, net: Network, method: str, store: Path) -> Task:
    """A timed task; its answers are kept for this kind of machine only."""
    repeats = _REPEATS.get(method, 1)
    about = {
        "kind": "processor time",
        "network": net.digest,
        "method": method,
        "repeats": repeats,
        "machine": hardware(),
    }
    work = _warm(net, method, repeats)
    paper = PAPER_SECONDS[name].get(method)
    return Task(
        method, CERTIFICATES[method].title, LOWER, answer_store(store, about), work, chunk=1, paper_seconds=paper
    )


@lru_cache(maxsize=4)
def _glorot(widths: tuple[int, ...], name: str) -> Network:
    return Trainable.glorot(widths, torch.Generator().manual_seed(_SEED), torch.float32).network(name)
