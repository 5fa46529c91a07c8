"""Which neurons are active, and what a ReLU lets through: the one convention for the sign of a neuron."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

_Array = TypeVar("_Array", torch.Tensor, np.ndarray)


def active(values: _Array, carried: _Array | None = None) -> _Array:
    """Which neurons of these pre-activations are active (bool): z > 0, in every module; z = 0 is on the face.

    Definition 1 of the paper counts z = 0 as active; which side a neuron on its face is given changes no distance, as
    faces are closed. Outputs that are carried count as active.
    """
    return values > 0 if carried is None else (values > 0) | carried


def rectified(values: torch.Tensor, carried: torch.Tensor | None) -> torch.Tensor:
    """max(z, 0), or z where the output is carried."""
    return values.relu() if carried is None else torch.where(carried, values, values.relu())
