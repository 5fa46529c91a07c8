"""Networks of two inputs for the tests of `relucert_core.planar`: random ones, degenerate ones, closed forms."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from relucert_core.network import Network

DATA = Path(__file__).parent / "data" / "planar"
KINDS = ("plain", "zero biases", "integers", "duplicates", "dead", "opposite")


def random_net(seed: int, *, kind: str | None = None) -> Network:
    """A network of 1 to 4 hidden layers, 1 to 32 wide, 2 to 5 classes; a third of them degenerate on purpose."""
    rng = np.random.default_rng(seed)
    depth, classes = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    kind = kind or (KINDS[1 + seed // 3 % 5] if seed % 3 == 0 else "plain")
    sizes = [2, *(int(n) for n in rng.integers(1, 33, depth)), classes]
    weights, biases = [], []
    for fan_in, fan_out in pairwise(sizes):
        weights.append(rng.normal(size=(fan_out, fan_in)) * np.sqrt(2 / fan_in))
        biases.append(rng.normal(size=fan_out) * 0.5)
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        degrade(kind, weight, bias, rng)
    if kind == "integers":
        weights[-1], biases[-1] = np.round(weights[-1] * 2), np.round(biases[-1] * 2)
    return Network(weights, biases, name=f"{kind} {seed}")


def degrade(kind: str, weight: np.ndarray, bias: np.ndarray, rng: np.random.Generator) -> None:
    """Make one layer degenerate in the way that `kind` says, in place."""
    width = len(bias)
    some = rng.permutation(width)[: max(1, width // 3)]
    if kind == "zero biases":
        bias[:] = 0
    elif kind == "integers":
        weight[:], bias[:] = np.round(weight * 2), np.round(bias * 2)
    elif kind == "duplicates":
        weight[some], bias[some] = weight[0], bias[0]
    elif kind == "dead":
        weight[some], bias[some] = 0, rng.choice([-1.0, 0.0, 1.0], len(some))
    elif kind == "opposite":
        weight[some], bias[some] = -weight[0], -bias[0]


def start_net(widths: tuple[int, ...], seed: int, classes: int = 3) -> Network:
    """Torch's default start by formula, with the biases of hidden layers from the second on times 0.3."""
    rng = np.random.default_rng(seed)
    sizes = [2, *widths, classes]
    weights, biases = [], []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        bound = 1 / np.sqrt(fan_in)
        weights.append(rng.uniform(-bound, bound, (fan_out, fan_in)))
        biases.append(rng.uniform(-bound, bound, fan_out) * (0.3 if 0 < i < len(widths) else 1))
    return Network(weights, biases, name="-".join(str(n) for n in sizes))


def strips() -> Network:
    """Classes by vertical strips: f0 - f1 = |x| - 1, with the boundary x = -1 and x = 1."""
    return Network([[[1.0, 0], [-1.0, 0]], [[1.0, 1], [0, 0]]], [[0.0, 0], [-1.0, 0]])


# the seed of torch's default start, the hidden widths, and the regions in [-1, 1]^2
STARTS = {
    "w16x2": (10, (16, 16), 184),
    "w32x2": (0, (32, 32), 885),
    "w64x3": (1, (64, 64, 64), 4_667),
    "w128x3": (2, (128, 128, 128), 19_472),
    "w256x3": (3, (256, 256, 256), 95_541),
}
STORED = {
    "spiral3_64x64x64": 7_421,
    "deg_zerobias": 126,
    "deg_int": 543,
    "deg_dup": 906,
    "deg_dead": 730,
}


def named_net(name: str) -> Network:
    """One of the networks whose numbers of regions are known from other systems."""
    if name in STARTS:
        return torch_start(name)
    with np.load(DATA / f"{name}.npz") as file:
        depth = len(file.files) // 2
        weights, biases = ([file[f"{letter}{i + 1}"] for i in range(depth)] for letter in "Wb")
    if len(biases[-1]) == 1:
        weights[-1], biases[-1] = np.vstack([weights[-1], -weights[-1]]), np.append(biases[-1], -biases[-1])
    return Network(weights, biases, name=name)


def torch_start(name: str) -> Network:
    """Torch's default start in float32; biases of the hidden layers from the second on times 0.3; logits f and -f."""
    seed, widths, _ = STARTS[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        linear = [torch.nn.Linear(a, b) for a, b in pairwise([2, *widths, 1])]
    weights, biases = [layer.weight.detach() for layer in linear], [layer.bias.detach() for layer in linear]
    biases[1:-1] = [bias * 0.3 for bias in biases[1:-1]]
    weights[-1], biases[-1] = torch.cat([weights[-1], -weights[-1]]), torch.cat([biases[-1], -biases[-1]])
    return Network(weights, biases, name=name)
