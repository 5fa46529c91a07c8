"""A training run as one safetensors file: the networks along the way in float32, and what was measured of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.network import Network
from relucert_core.training.toy import Snapshot

_FORMAT = "relucert training run 1"


@dataclass(frozen=True)
class Archive:
    """`snapshots` in order of time, the last one the trained network; `notes`: JSON that was stored with them."""

    snapshots: tuple[Snapshot, ...]
    notes: dict[str, Any]

    @property
    def network(self) -> Network:
        """The trained network."""
        return self.snapshots[-1].network


def archive_bytes(snapshots: tuple[Snapshot, ...], notes: dict[str, Any]) -> bytes:
    """The file; weights are rounded to float32. Notes must be JSON."""
    from safetensors.numpy import save

    tensors = {}
    for snapshot in snapshots:
        net = snapshot.network
        for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
            tensors[f"{snapshot.epoch:06d}.{2 * i}.weight"] = np.ascontiguousarray(weight, dtype=np.float32)
            tensors[f"{snapshot.epoch:06d}.{2 * i}.bias"] = np.ascontiguousarray(bias, dtype=np.float32)
    return save(tensors, metadata={"format": _FORMAT, "notes": json.dumps(notes)})


def load_archive(path: Path, name: str) -> Archive:
    """Read a file that `archive_bytes` made; DataUnavailable when it is not there, InvalidInput for another file."""
    from safetensors import safe_open

    if not path.is_file():
        raise DataUnavailable(f"There is no stored run {path.name!r}; python -m relucert_core presets writes them.")
    with safe_open(str(path), framework="numpy") as file:
        about = file.metadata() or {}
        if about.get("format") != _FORMAT:
            raise InvalidInput(f"{path.name!r} is no stored training run.")
        moments: dict[int, dict[str, np.ndarray]] = {}
        for key in file.keys():  # noqa: SIM118 (no mapping)
            epoch, rest = key.split(".", 1)
            moments.setdefault(int(epoch), {})[rest] = file.get_tensor(key)
    snapshots = tuple(Snapshot(epoch, _network(tensors, name)) for epoch, tensors in sorted(moments.items()))
    return Archive(snapshots, json.loads(about["notes"]))


def _network(tensors: dict[str, np.ndarray], name: str) -> Network:
    layers = range(0, len(tensors), 2)
    return Network([tensors[f"{i}.weight"] for i in layers], [tensors[f"{i}.bias"] for i in layers], name=name)
