"""A network that was read, as the pages of digits take it: 784 pixels in, and a card like a shipped network's."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from relucert_core.errors import InvalidInput
from relucert_core.importers.shipped import Json, ModelCard
from relucert_core.layers import Layer
from relucert_core.network import Network

PIXELS, PADDED, SIDE, BORDER = 784, 1024, 32, 2
MOST_CLASSES = 10


def for_digits(net: Network) -> Network:
    """The network over the 784 pixels of a digit; InvalidInput where it takes something else.

    One of 32 x 32 inputs (a 28 x 28 picture with two black pixels a side) loses the columns of the border, where the
    input is 0: nothing is rounded, and distances are over 784 pixels.
    """
    if net.inputs not in (PIXELS, PADDED):
        raise InvalidInput(
            f"The network takes {net.inputs:,} inputs; a digit has 784 (28 x 28), or 1,024 (32 x 32) with a border of "
            "two pixels."
        )
    if net.classes > MOST_CLASSES:
        raise InvalidInput(f"The network has {net.classes} classes; here it is 2 to {MOST_CLASSES}.")
    return net if net.inputs == PIXELS else _without_border(net)


def _without_border(net: Network) -> Network:
    kept = np.arange(PADDED).reshape(SIDE, SIDE)[BORDER:-BORDER, BORDER:-BORDER].ravel()
    first = net.layers[0]
    if isinstance(first.weight, np.ndarray):
        weight: np.ndarray | csr_array = np.ascontiguousarray(first.weight[:, kept])
    else:
        weight = csr_array(csr_array(first.weight)[:, kept])
    layers = [Layer(weight, first.bias.copy(), first.rectified), *net.layers[1:]]
    return Network.of_layers(layers, name=net.name).with_card(net.card)


def card_of(net: Network, name: str, file: str, accuracy: float) -> ModelCard:
    """The card of a network from the file called `file`; accuracy: its share of the shipped digits.

    Its class k is taken for the digit k; of fewer than ten classes the other digits count as left out.
    """
    labels: list[Json] = [k if k < net.classes else None for k in range(MOST_CLASSES)]
    return ModelCard(
        name=name,
        title=file,
        architecture=(net.inputs, *net.widths, net.classes),
        classes=(net.card.classes if net.card else None) or tuple(map(str, range(net.classes))),
        recipe={"labels": labels},
        data="",
        test_accuracy=accuracy,
        seed=0,
        versions={},
        licence="",
    )
