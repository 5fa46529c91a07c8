"""`models --inspect FILE`: what a network's file holds, and which methods will run on it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.cli.inputs import reading_options
from relucert_core.errors import DataUnavailable, RelucertError, shown
from relucert_core.files import is_file, read_file

_PATIENCE = 20.0  # seconds for trying methods, in all


def inspect(arguments: argparse.Namespace) -> int:
    """Print the card of the file `arguments.inspect`: layers, neurons, memory, accuracy, methods and their times."""
    from relucert_core.importers.apart import read_apart

    if not is_file(arguments.inspect):
        raise DataUnavailable(f"There is no file {shown(arguments.inspect)}.")
    path = Path(arguments.inspect)
    beside = path.with_name(path.name + ".data")
    files = {beside.name: read_file(beside)} if beside.is_file() and not beside.is_symlink() else None
    net = read_apart(read_file(path), path.name, files=files, **reading_options(arguments))
    for line in (*net.card.lines(), *_size(net)):
        print(line)
    point = np.full(net.inputs, 0.5)
    if arguments.data:
        from relucert_core.cli.inputs import for_network, read_images

        images = for_network(read_images(arguments.data, arguments.folder), arguments.inspect, net)
        point = images.points[0]
        if images.labels is not None:
            share = float((net(images.points).argmax(1) == images.labels).mean())
            print(f"accuracy: {100 * share:.2f} % of {len(images.points):,} points")
    for line in _methods(net, point):
        print(line)
    return 0


def _size(net: Any) -> list[str]:
    lines = []
    for number, layer in enumerate(net.layers, start=1):
        kind = "dense" if isinstance(layer.weight, np.ndarray) else "sparse"
        carried = (
            "" if layer.rectified is None else f", {layer.neurons:,} neurons, {layer.outputs - layer.neurons:,} carried"
        )
        lines.append(
            f"layer {number}: {layer.inputs:,} to {layer.outputs:,}, {kind}, {layer.entries:,} entries{carried}"
        )
    entries = sum(layer.entries for layer in net.layers)
    lines.append(
        f"neurons: {sum(net.widths):,}, classes: {net.classes}, entries: {entries:,} ({entries / 65536:,.1f} MB)"
    )
    return lines


def _methods(net: Any, point: np.ndarray) -> list[str]:
    """For each certificate its time on one point, or why it does not run."""
    from relucert_core.registry import CERTIFICATES, certify, supports

    lines, spent = [], 0.0
    for name, entry in CERTIFICATES.items():
        reason = supports(entry, net, entry.norms[-1])
        if reason:
            lines.append(f"{name}: not made for it: {reason}")
        elif "max_seconds" in entry.options:
            lines.append(f"{name}: runs for as long as it is given")
        elif spent > _PATIENCE:
            lines.append(f"{name}: runs; not tried, as the others took {spent:.0f} s")
        else:
            begun = time.perf_counter()
            try:
                certify(net, point, method=name, norm=entry.norms[-1])
                took = time.perf_counter() - begun
                lines.append(f"{name}: runs, about {took:.2g} s a point")
            except RelucertError as error:
                lines.append(f"{name}: {error}")
            spent += time.perf_counter() - begun
    return lines
