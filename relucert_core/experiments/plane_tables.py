"""What a picture of the plane shows, as columns of plain numbers: its classes, its neurons at a point, its radii."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from relucert_core.distances import all_distances
from relucert_core.network import Network
from relucert_core.planar import PlanarComplex
from relucert_core.region import activation_region


def class_table(plane: PlanarComplex, points: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """For each class of the network its part of the box's area, its data, and how many of them it reads as such.

    points: (N, 2), labels: (N,). Columns "class", "share", "data", "right".
    """
    net, owner, areas = plane.network, plane.decision.classes, plane.cell_areas
    read = net(points).argmax(-1) if len(points) else np.zeros(0, int)
    classes = range(max(net.classes, int(labels.max(initial=-1)) + 1))
    return {
        "class": list(classes),
        "share": [float(areas[owner == k].sum() / areas.sum()) for k in classes],
        "data": [int((labels == k).sum()) for k in classes],
        "right": [int(((labels == k) & (read == k)).sum()) for k in classes],
    }


def neuron_table(net: Network, point: tuple[float, float]) -> dict[str, list[float]]:
    """Every hidden neuron at a point: its input z there, and the L2 distance to its line (inf: it has none here).

    Columns "layer" (from 1), "neuron" (from 0), "z", "distance", nearest line first. float64, not rounded outward: what
    is certified stands in a certificate.
    """
    region = activation_region(net, point)
    signs = np.concatenate(region.pattern) * 2 - 1
    values = signs * (region.P @ region.point + region.q)
    faces, _ = all_distances(net, torch.as_tensor(region.point)[None], 2.0)
    distances = faces[0].tolist()
    order = sorted(range(len(values)), key=distances.__getitem__)
    places = [region.place(row) for row in order]
    return {
        "layer": [layer for layer, _ in places],
        "neuron": [neuron for _, neuron in places],
        "z": [float(values[row]) for row in order],
        "distance": [distances[row] for row in order],
    }


def shares_beyond(radii: Mapping[str, np.ndarray], steps: Sequence[float]) -> dict[str, list[float]]:
    """The share of each set of radii (N,), 0 where the network is wrong, that are above 0 and reach each step."""
    return {"radius": list(steps)} | {
        name: [float(((values > 0) & (values >= step)).mean()) for step in steps] for name, values in radii.items()
    }
