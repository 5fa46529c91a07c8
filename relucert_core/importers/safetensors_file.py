"""safetensors <-> Network, with the keys of a torch state_dict ("0.weight", "0.bias", "2.weight", ...)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.network import Network


def load_network(source: str | Path | bytes, *, max_parameters: int | None = None, name: str | None = None) -> Network:
    """Read a Network from a safetensors file or its bytes.

    The k-th pair "*.weight", "*.bias" in natural order of the keys is layer k. The header is checked before any
    number is read: only 2-D weights with a 1-D bias each, in float16, bfloat16, float32 or float64, at most
    `max_parameters` numbers. Raises DataUnavailable when there is no such file and InvalidInput, naming the layer or
    key, for anything that is not such a network.
    """
    if isinstance(source, bytes):
        path, data = None, source
    else:
        path = Path(source)
        if not path.is_file():
            raise DataUnavailable(f"There is no network file {path.name!r}; give the path of a .safetensors file.")
        data = path.read_bytes()
    tensors = _read(data, max_parameters)
    keys = _layer_keys(tensors)
    weights = [tensors[f"{key}weight"] for key in keys]
    biases = [tensors[f"{key}bias"] for key in keys]
    return Network(weights, biases, name=name or (path.stem if path else "network"))


def save_network(net: Network, path: str | Path, *, metadata: dict[str, str] | None = None) -> None:
    """Write `net` so that `load_network` and torch's load_state_dict read it back exactly.

    float32 is written when every number is a float32 one, float64 otherwise.
    """
    Path(path).write_bytes(network_bytes(net, metadata=metadata))


def network_bytes(net: Network, *, metadata: dict[str, str] | None = None) -> bytes:
    """The safetensors file of `net`, as `save_network` writes it."""
    from safetensors.numpy import save

    kind = np.dtype(net.stored_dtype)
    tensors = {}
    for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        tensors[f"{2 * i}.weight"] = np.ascontiguousarray(weight, dtype=kind)
        tensors[f"{2 * i}.bias"] = np.ascontiguousarray(bias, dtype=kind)
    return save(tensors, metadata=metadata)


def _read(data: bytes, max_parameters: int | None) -> dict[str, Any]:
    import safetensors
    from safetensors.torch import load

    header = _header(data)
    count = 0
    for key, entry in header.items():
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if (
            not isinstance(shape, list)
            or not 1 <= len(shape) <= 2
            or entry.get("dtype") not in ("F16", "BF16", "F32", "F64")
        ):
            raise InvalidInput(f"Tensor {key!r} is no weight matrix or bias vector of real numbers.")
        count += int(np.prod([int(n) for n in shape], dtype=object))
    if max_parameters is not None and count > max_parameters:
        raise InvalidInput(f"The file holds {count:,} numbers; at most {max_parameters:,} are accepted here.")
    try:
        return load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise InvalidInput(f"This is not a whole safetensors file ({error}).") from None


def _header(data: bytes) -> dict[str, Any]:
    import json

    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, 10_000_000):
        raise InvalidInput("This is not a safetensors file: its header is missing or cut off.")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        raise InvalidInput("This is not a safetensors file: its header is no JSON.") from None
    if not isinstance(header, dict):
        raise InvalidInput("This is not a safetensors file: its header is no table of tensors.")
    header.pop("__metadata__", None)
    return header


def _layer_keys(tensors: dict[str, Any]) -> list[str]:
    """The prefixes of the layers, in natural order (2 before 10)."""
    prefixes = {kind: {key[: -len(kind)] for key in tensors if key.endswith(kind)} for kind in ("weight", "bias")}
    known = {p + kind for kind, group in prefixes.items() for p in group}
    strangers = sorted(set(tensors) - known) or sorted(prefixes["weight"] ^ prefixes["bias"])
    if strangers:
        raise InvalidInput(f"Tensor {strangers[0]!r} has no place: each layer needs one '.weight' and one '.bias'.")
    return sorted(prefixes["weight"], key=_natural)


def _natural(key: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", key) if part]
