"""The named recipes that make the shipped networks (Tables 2-4 of the paper), and the run of one.

Adam, batch 64, 20 epochs, learning rate 0.001, Glorot start, float32; what the paper leaves open (seed, order of the
points, no data augmentation) is fixed here.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from relucert_core.datasets.mnist import load_mnist_bytes
from relucert_core.distances import simplex_distances
from relucert_core.errors import InvalidInput
from relucert_core.importers.shipped import ModelCard, load_model
from relucert_core.network import Network
from relucert_core.training.convolution import Convolution, Convolutional, LipschitzMargin
from relucert_core.training.loop import LoopSettings, Progress, accuracy, train
from relucert_core.training.model import Trainable
from relucert_core.training.regularisers import SimplexPenalty

_CHUNK = 10  # images at a time: their regions take N x D numbers each
DIGITS = tuple("0123456789")
LICENCE = (
    "Weights: MIT, as the code. They were learnt from MNIST (Y. LeCun and C. Cortes), which is under CC BY-SA 3.0, "
    "https://creativecommons.org/licenses/by-sa/3.0/"
)


@dataclass(frozen=True)
class Recipe:
    """How a named network is made: its layers, its data and the settings of the loop.

    `labels[digit]` is the class of each digit, or None where the digit is left out. `table` names the paper's table.
    `shipped` recipes have their result in assets/networks. `start` names the shipped network that is trained on, in
    place of a Glorot start; `penalty` is added to the loss; a `falling` rate goes down in a line to a fiftieth. With a
    `convolution` the first layer is one; a `margin` > 0 asks for Lipschitz margins of that radius in L2.
    """

    name: str
    title: str
    widths: tuple[int, ...]
    classes: tuple[str, ...] = DIGITS
    labels: tuple[int | None, ...] = tuple(range(10))
    epochs: int = 20
    batch: int = 64
    rate: float = 0.001
    seed: int = 0
    table: str = ""
    shipped: bool = True
    start: str | None = None
    penalty: SimplexPenalty | None = None
    falling: bool = False
    convolution: Convolution | None = None
    margin: float = 0.0


_RECIPES = (
    Recipe(
        "mnist-gt5-1024",
        "Is the digit greater than 5 or less? (5 itself left out)",
        (784, 1024, 2),
        classes=("< 5", "> 5"),
        labels=(0, 0, 0, 0, 0, None, 1, 1, 1, 1),
        table="Table 2 (Figure 2a)",
    ),
    Recipe("mnist-1024-512", "Ten digits, two wide layers", (784, 1024, 512, 10), table="Table 3 (Figure 2b)"),
    Recipe("mnist-20-20-20", "Ten digits, three narrow layers", (784, 20, 20, 20, 10)),
    Recipe("mnist-40-40-40", "Ten digits, three layers of 40", (784, 40, 40, 40, 10)),
    Recipe("mnist-256-256", "Ten digits, two layers of 256", (784, 256, 256, 10), seed=3, falling=True),
    Recipe("mnist-5x100", "Ten digits, five layers of 100", (784, *[100] * 5, 10), falling=True),
    Recipe(
        "mnist-1024-512-regularised",
        "mnist-1024-512, trained on with the simplex regulariser",
        (784, 1024, 512, 10),
        epochs=6,
        rate=0.002,
        start="mnist-1024-512",
        falling=True,
        penalty=SimplexPenalty(
            weight=35.0,
            face_margin=0.15,
            decision_margin=0.5,
            faces=None,
            decision_weight=1.0,
            warm_up=0.0,
            first_margin=1.0,
            settled=0.6,
            points=32,
            sketch=4,
        ),
    ),
    Recipe(
        "mnist-conv",
        "Ten digits, a convolution of 32 channels",
        (784, 4608, 10),
        epochs=6,
        falling=True,
        convolution=Convolution(channels=32, kernel=7, stride=2, padding=1),
        margin=0.05,
    ),
    Recipe("mnist-3x1024", "Ten digits, three layers of 1024", (784, *[1024] * 3, 10), table="Table 4", shipped=False),
    Recipe("mnist-4x1024", "Ten digits, four layers of 1024", (784, *[1024] * 4, 10), table="Table 4", shipped=False),
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}


def find_recipe(name: str) -> Recipe:
    """The recipe `name`; InvalidInput names those that exist."""
    if name not in RECIPES:
        raise InvalidInput(f"There is no recipe {name!r}: use one of {', '.join(RECIPES)}.")
    return RECIPES[name]


def run_recipe(
    recipe: Recipe,
    *,
    folder: str | Path | None = None,
    seed: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Network, ModelCard]:
    """Train the recipe's network on MNIST's training images and test it: the Network and its card.

    `folder` is MNIST's (see `load_mnist`). The card's accuracy is that of the float64 network on the test images of
    its classes.
    """
    seed = recipe.seed if seed is None else seed
    points, labels = recipe_data(recipe, "train", folder)
    model = _start(recipe, seed)
    schedule = _falling if recipe.falling else None
    settings = LoopSettings(recipe.epochs, recipe.batch, recipe.rate, seed, report_every=50, schedule=schedule)
    widen = LipschitzMargin(recipe.margin) if recipe.margin > 0 else None
    for progress in train(model, points, labels, settings, penalty=recipe.penalty, widen=widen):
        if on_progress is not None:
            on_progress(progress)
    net = model.network(recipe.name)
    tested, truth = recipe_data(recipe, "test", folder)
    return net, make_card(recipe, net, seed, accuracy(net.logits, tested.double(), truth), tested)


def _start(recipe: Recipe, seed: int) -> Trainable:
    if recipe.start is not None:
        return Trainable.from_network(load_model(recipe.start), torch.float32)
    generator = torch.Generator().manual_seed(seed)
    if recipe.convolution is not None:
        return Convolutional.start(recipe.convolution, recipe.widths[2:], generator, torch.float32)
    return Trainable.glorot(recipe.widths, generator, torch.float32)


def _falling(done: float) -> float:
    return max(1 - done, 0.02)


def recipe_data(recipe: Recipe, split: str, folder: str | Path | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The recipe's points (N, 784) float32 in [0, 1] and labels (N,) int64; digits that it leaves out are left out."""
    pixels, digits = load_mnist_bytes(split, folder)
    classes = np.array([-1 if label is None else label for label in recipe.labels], dtype=np.int64)[digits]
    kept = classes >= 0
    return torch.from_numpy(pixels[kept].astype(np.float32) / np.float32(255)), torch.from_numpy(classes[kept])


def make_card(recipe: Recipe, net: Network, seed: int, test_accuracy: float, tested: torch.Tensor) -> ModelCard:
    """The card of a network that the recipe made; `tested` are its test images (N, 784)."""
    settings = {
        key: value
        for key, value in asdict(recipe).items()
        if key not in ("name", "title", "classes", "shipped", "seed")
    }
    start = f"the shipped network {recipe.start}" if recipe.start else "Glorot, uniform"
    settings |= {"optimizer": "Adam", "initialization": start, "precision": "float32"}
    return ModelCard(
        name=recipe.name,
        title=recipe.title,
        architecture=(net.inputs, *net.widths, net.classes),
        classes=recipe.classes,
        recipe=settings,
        data="MNIST: trained on the training images, accuracy on the test images"
        + (", without the digits left out" if None in recipe.labels else ""),
        test_accuracy=round(test_accuracy, 6),
        seed=seed,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        licence=LICENCE,
        measured={"median_simplex_distance_l2_first_200_test_images": median_simplex_distance(net, tested[:200])},
    )


def median_simplex_distance(net: Network, points: torch.Tensor) -> float:
    """The median over points (N, D) of min(P_min, d_min) of Theorem 3, L2, to four digits; not rounded outward."""
    with torch.no_grad():
        distances = [torch.minimum(*simplex_distances(net, chunk)) for chunk in points.double().split(_CHUNK)]
    return float(f"{np.median(torch.cat(distances).numpy()):.4g}")
