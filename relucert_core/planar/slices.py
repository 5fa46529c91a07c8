"""A plane through the input space of any network: the network of the two coordinates on it."""

from __future__ import annotations

import torch

from relucert_core.arrays import Numbers
from relucert_core.errors import InvalidInput
from relucert_core.network import Network, as_tensor

# float32 directions that were normalised in float32 pass; anything that is not meant to be orthonormal does not
ORTHONORMAL_SLACK = 1e-6


def slice_network(net: Network, origin: Numbers, u: Numbers, v: Numbers) -> Network:
    """The network (s, t) -> f(origin + s u + t v), with two inputs.

    `origin`, `u`, `v` have shape (D,); u and v must be orthonormal (up to 1e-6), so that a distance in the plane is a
    distance in the input space, and an upper bound on the distance that is not confined to the plane. The new first
    layer is W1 [u v], W1 origin + b1, rounded to float64. Raises InvalidInput.
    """
    parts = [as_tensor(part, name) for part, name in ((origin, "the origin"), (u, "u"), (v, "v"))]
    for part, name in zip(parts, ("the origin", "u", "v"), strict=True):
        if part.shape != (net.inputs,):
            raise InvalidInput(f"The network has {net.inputs} inputs, so {name} must have shape ({net.inputs},); "
                               f"{tuple(part.shape)} came.")  # fmt: skip
    start, first, second = parts
    lengths = float(first.norm()), float(second.norm())
    product = float(first @ second)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(product)) > ORTHONORMAL_SLACK:
        raise InvalidInput(
            f"u and v must be orthonormal, so that radii keep their meaning: their lengths are {lengths[0]:.6g} and "
            f"{lengths[1]:.6g} and their product is {product:.6g}; divide by the length and take away the projection."
        )
    return net.compose(torch.stack([first, second], dim=1), start, name=f"{net.name}, a plane")
