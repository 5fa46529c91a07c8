"""What a browser needs to draw a network's plane by itself: arrays as base64, coordinates of snapshots in 16 bits.

The weights go in full, so that the browser can follow Algorithm 1 at any point; the decision boundary goes as pieces,
out to infinity. What it draws with them is a preview: certified numbers are rounded outward in Python.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from relucert_core.network import Network
from relucert_core.planar.complex import PlanarComplex
from relucert_core.planar.horizon import Pieces

STEPS = 65_535  # of a coordinate across the box
MAX_CELLS = 60_000
MAX_NUMBERS = 150_000


def encode(array: np.ndarray) -> str:
    """The bytes of an array, little-endian, as base64."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(plain.tobytes()).decode("ascii")


def network_data(net: Network) -> dict[str, Any]:
    """`widths` (2, N_1, ..., K) and `weights`: W1, b1, W2, b2, ... row by row in float64."""
    numbers = [part.ravel() for pair in zip(net.weights, net.biases, strict=True) for part in pair]
    return {"widths": [net.inputs, *net.widths, net.classes], "weights": encode(np.concatenate(numbers))}


def preview_data(plane: PlanarComplex) -> dict[str, Any]:
    """The network, the decision boundary as `pieces` (S, 5) of start, step and ray, and the box [x0, x1, y0, y1].

    The pieces reach to infinity unless that takes more than the complex's budget; then they end at the box and `whole`
    is False.
    """
    whole = plane._everywhere
    return {
        **network_data(plane.network),
        "pieces": encode(_rows(plane._inside if whole is None else whole)),
        "whole": whole is not None,
        "box": plane.box.ravel().tolist(),
    }


def frames_data(planes: Sequence[PlanarComplex], epochs: Sequence[int]) -> dict[str, Any]:
    """The class cells and the boundary of several networks in one box, to be drawn one after the other.

    `cells` (F + 1,) and `segments` (F + 1,) are offsets of the frames; `sizes`, `classes` one a cell; `corners` and
    `ends` are coordinates in steps of 1 / 65,535 of the box. `weights` only while there are few numbers in all.
    """
    decisions = [plane.decision for plane in planes]
    box = planes[0].box
    few = len(planes) * sum(w.size for w in planes[0].network.weights) <= MAX_NUMBERS
    return {
        "epochs": [int(epoch) for epoch in epochs],
        "box": box.ravel().tolist(),
        "cells": np.cumsum([0, *(len(d.sizes) for d in decisions)]).tolist(),
        "segments": np.cumsum([0, *(len(d.segments) for d in decisions)]).tolist(),
        "sizes": encode(np.concatenate([d.sizes for d in decisions]).astype(np.uint16)),
        "classes": encode(np.concatenate([d.classes for d in decisions]).astype(np.uint8)),
        "corners": encode(np.concatenate([_quantised(d.vertices[d.corners], box) for d in decisions])),
        "ends": encode(np.concatenate([_quantised(d.segments.reshape(-1, 2), box) for d in decisions])),
        "widths": network_data(planes[0].network)["widths"],
        "weights": [network_data(plane.network)["weights"] for plane in planes] if few else [],
    }


def thinned(counts: Sequence[int], budget: int = MAX_CELLS) -> list[int]:
    """Which of the frames, of `counts` cells each, to keep so that all fit the budget: the first and last always."""
    for wanted in range(len(counts), 2, -1):
        kept = np.unique(np.linspace(0, len(counts) - 1, wanted).round().astype(int)).tolist()
        if sum(counts[i] for i in kept) <= budget:
            return kept
    return sorted({0, len(counts) - 1})


def bent_lines(plane: PlanarComplex) -> tuple[np.ndarray, np.ndarray]:
    """The edges on which each hidden neuron changes sign: (E, 2, 2) end points, (E, 2) layer and neuron from 0.

    An edge on which several neurons bend comes once for each of them. Sorted by layer and neuron.
    """
    edges = plane.edges
    inner = edges.regions[:, 1] >= 0
    ends, sides = plane.vertices[edges.ends[inner]], edges.regions[inner]
    lines, places = [], []
    for layer in range(len(plane.bits)):
        signs = plane.patterns.layer(layer)
        neuron, edge = np.nonzero((signs[sides[:, 0]] != signs[sides[:, 1]]).T)
        lines.append(ends[edge])
        places.append(np.stack([np.full(len(neuron), layer), neuron], axis=1))
    return np.concatenate(lines), np.concatenate(places)


def _quantised(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    share = (points - box[:, 0]) / (box[:, 1] - box[:, 0])
    return np.rint(np.clip(share, 0, 1) * STEPS).astype(np.uint16)


def _rows(pieces: Pieces) -> np.ndarray:
    return np.column_stack([pieces.start, pieces.step, pieces.rays]).astype(np.float64)
