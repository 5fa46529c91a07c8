"""Figures 2a and 2b: certified radii and attack distances of the same test images, on the paper's networks.

2a: two layers, [784, 1024, 2], "> 5 or < 5" (the digit 5 left out): simplex, decision boundary, I-FGSM, DeepFool.
2b: three layers, [784, 1024, 512, 10]: simplex, I-FGSM, DeepFool; and the network trained with the regulariser beside
it, where it ships, and a convolutional network, which the paper leaves to later work. As a reader's aid DDN, CROWN-Ada
and the quadratic bound stand in both, and all other proved bounds are computed for the certified accuracy.

Deviations from the paper: it does not say which images it took (here the first ones of the test set); attacks may leave
the box [0, 1], as the certificates do not know it, and nothing is done for an attack that finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relucert_core.attacks import ATTACKS
from relucert_core.certificates.result import ESTIMATE
from relucert_core.datasets.mnist import load_mnist, mnist_sample
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.experiments.catalogue import EXPERIMENTS, FIGURES
from relucert_core.experiments.runs import PanelPlan, Prepared, Task, attack_work, certificate_work, kind_of
from relucert_core.experiments.store import answer_store, store_folder
from relucert_core.importers.shipped import ModelCard, list_models, load_card, load_model
from relucert_core.network import Network
from relucert_core.norms import check_norm
from relucert_core.registry import CERTIFICATES, supports
from relucert_core.words import norm_name

_PATIENT_NEURONS = 2_000  # methods that take long are run on networks of at most so many hidden neurons
TIMING = "seconds of an image: its share of a batch of 10"


@dataclass(frozen=True)
class Figure2Settings:
    """`experiment` "figure-2a" or "figure-2b"; the first `images` test images of the networks' classes; the methods."""

    experiment: str
    images: int
    norm: float
    networks: tuple[str, ...]
    methods: tuple[str, ...]


def figure2_settings(
    experiment: str, images: int = 200, *, norm: object = 2, methods: tuple[str, ...] | None = None
) -> Figure2Settings:
    """The settings of Figure 2a or 2b; by default all methods of the figure and all other proved bounds."""
    if experiment not in FIGURES:
        raise InvalidInput(f"There is no experiment {experiment!r} here: use {' or '.join(FIGURES)}.")
    if images < 1:
        raise InvalidInput(f"{images} images were asked for: give 1 or more.")
    shipped = {card.name for card in list_models()}
    chosen = all_methods(experiment) if methods is None else tuple(dict.fromkeys(methods))
    for name in chosen:
        if name not in CERTIFICATES and name not in ATTACKS:
            raise InvalidInput(f"There is no method {name!r}; there are {', '.join((*CERTIFICATES, *ATTACKS))}.")
    networks = tuple(name for name in EXPERIMENTS[experiment].networks if name in shipped)
    return Figure2Settings(experiment, images, check_norm(norm), networks, chosen)


def all_methods(experiment: str) -> tuple[str, ...]:
    """The paper's methods, the reader's aids, and every other certificate with a proof that needs no time limit.

    Of the aids the semidefinite certificate takes its usual 10 s an image, on the first images only.
    """
    wanted = [*EXPERIMENTS[experiment].in_paper, *EXPERIMENTS[experiment].aids]
    proved = [
        name
        for name, entry in CERTIFICATES.items()
        if entry.guarantee != ESTIMATE and "max_seconds" not in entry.options
    ]
    names = dict.fromkeys([*wanted, *proved])
    return tuple(name for name in names if name in CERTIFICATES or name in ATTACKS)


def prepare_figure2(settings: Figure2Settings, *, data: Path | None = None, store: Path | None = None) -> Prepared:
    """The experiment of `settings`, ready to run. `data`: MNIST's folder; `store`: where answers are kept.

    Raises DataUnavailable when more images are asked for than there are.
    """
    store = store_folder() if store is None else store
    panels = tuple(_plan(name, settings, data, store) for name in settings.networks)
    given = {"images": settings.images, "norm": norm_name(settings.norm), "methods": list(settings.methods)}
    return Prepared(settings.experiment, settings.norm, given, _command(settings), TIMING, panels)


def first_images(
    card: ModelCard, count: int, data: Path | None = None
) -> tuple[np.ndarray, tuple[int, ...], tuple[int, ...]]:
    """The first `count` test images of the network's classes: points (B, 784), their places in the set, their classes.

    From the shipped images as far as they reach, else from the full set in `data` (see `load_mnist`).
    """
    points, digits = mnist_sample()
    rows, classes = _of_classes(card, digits)
    if len(rows) < count:
        try:
            points, digits = load_mnist("test", data)
        except DataUnavailable as error:
            raise DataUnavailable(
                f"{count} images were asked for, and {len(rows)} of {card.name}'s classes are shipped. {error}"
            ) from None
        rows, classes = _of_classes(card, digits)
    if len(rows) < count:
        raise DataUnavailable(f"{count} images were asked for; the test set has {len(rows)} of {card.name}'s classes.")
    return points[rows[:count]], tuple(rows[:count].tolist()), tuple(classes[:count].tolist())


def _of_classes(card: ModelCard, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which images the network knows a class for, and these classes."""
    classes = np.array([-1 if c is None else c for c in card.labels])[digits]
    rows = np.flatnonzero(classes >= 0)
    return rows, classes[rows]


def _plan(name: str, settings: Figure2Settings, data: Path | None, store: Path) -> PanelPlan:
    net, card = load_model(name), load_card(name)
    points, images, labels = first_images(card, settings.images, data)
    tasks = tuple(
        _task(net, method, settings, store)
        for method in settings.methods
        if _fits(net, method, settings.norm)
        and not (_takes_long(settings, method) and sum(net.widths) > _PATIENT_NEURONS)
    )
    weights = f"trained, {100 * card.test_accuracy:.1f} % of the test images right"
    return PanelPlan(name, card.title, net, weights, points, images, labels, tasks)


def _fits(net: Network, method: str, norm: float) -> bool:
    return method in ATTACKS or not supports(CERTIFICATES[method], net, norm)


def _takes_long(settings: Figure2Settings, method: str) -> bool:
    return method in EXPERIMENTS[settings.experiment].first


def _task(net: Network, method: str, settings: Figure2Settings, store: Path) -> Task:
    norm, first = settings.norm, EXPERIMENTS[settings.experiment].first.get(method)
    is_attack = method in ATTACKS
    title = ATTACKS[method].title if is_attack else CERTIFICATES[method].title
    work = attack_work(net, method, norm) if is_attack else certificate_work(net, method, norm)
    about = {"kind": kind_of(method), "network": net.digest, "method": method, "norm": norm_name(norm)}
    chunk = 1 if first is not None else 10
    return Task(method, title, kind_of(method), answer_store(store, about), work, chunk, first=first)


def _command(settings: Figure2Settings) -> str:
    words = ["python -m relucert_core reproduce", settings.experiment, f"--images {settings.images}"]
    words += [f"--norm {norm_name(settings.norm)}"] if settings.norm != 2 else []
    usual = settings.methods == all_methods(settings.experiment)
    words += [] if usual else [f"--methods {','.join(settings.methods)}"]
    return " ".join(words)
