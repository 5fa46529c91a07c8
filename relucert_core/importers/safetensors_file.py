"""safetensors <-> Network, with the keys of a torch state_dict ("0.weight", "0.bias", "2.weight", ...)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from relucert_core.errors import DataUnavailable, InvalidInput, shown
from relucert_core.files import is_file, read_file, reason, write_whole
from relucert_core.importers.state_dict import chain_from_tensors
from relucert_core.layers import Layer, csr_parts
from relucert_core.network import Network

_KIND, _CHAIN, _GENERAL = "relucert", "chain 1", "layers 1"
_BYTES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}
_STORED = {**_BYTES, "I64": 8, "U8": 1}
_MOST = 2**48  # of a length or an offset: no file is that large


def load_network(
    source: str | Path | bytes,
    *,
    activation: str | None = None,
    layers: Sequence[str] | None = None,
    max_parameters: int | None = None,
    name: str | None = None,
) -> Network:
    """Read a Network from a safetensors file or its bytes.

    A file of `save_network` says what it is. Any other is a table of weights "*.weight" (2-D) and "*.bias" (1-D) that
    says neither its activation nor its order: `activation="relu"` must be given, and `layers=[...]` where numbers in
    the names or shapes leave more than one order. The header is checked before any number is read: float16, bfloat16,
    float32 or float64, at most `max_parameters` numbers. Raises DataUnavailable when there is no such file and
    InvalidInput or Unsupported, naming the layer or key, for anything that is not such a network.
    """
    if isinstance(source, bytes):
        path, data = None, source
    else:
        path = Path(source)
        if not is_file(path):
            raise DataUnavailable(
                f"There is no network file {shown(str(source))}; give the path of a .safetensors file."
            )
        data = read_file(path)
    found = name or (path.stem if path else "network")
    return network_from_bytes(data, activation=activation, layers=layers, max_parameters=max_parameters, name=found)


def network_from_bytes(
    data: bytes,
    *,
    activation: str | None = None,
    layers: Sequence[str] | None = None,
    max_parameters: int | None = None,
    name: str = "network",
) -> Network:
    """As `load_network`, from the bytes of a file."""
    metadata = _metadata(data)
    if metadata.get(_KIND) == _GENERAL:
        return _general(_read(data, max_parameters, stored=True), metadata, name)
    tensors = _read(data, max_parameters)
    ours = metadata.get(_KIND) == _CHAIN
    weights, biases = chain_from_tensors(
        tensors, activation="relu" if ours else activation, layers=layers, metadata=metadata
    )
    return Network(weights, biases, name=name)


def save_network(net: Network, path: str | Path, *, metadata: dict[str, str] | None = None) -> None:
    """Write `net` so that `load_network` reads it back exactly, and a chain torch's load_state_dict too.

    float32 is written when every number is a float32 one, float64 otherwise.
    """
    write_whole(path, network_bytes(net, metadata=metadata))


def network_bytes(net: Network, *, metadata: dict[str, str] | None = None) -> bytes:
    """The safetensors file of `net`, as `save_network` writes it.

    A chain has the keys of a torch state_dict. Other networks have, for layer i, "layer.i.weight" or the three arrays
    of its CSR form ("layer.i.data", "layer.i.indices", "layer.i.indptr", "layer.i.shape"), "layer.i.bias" and
    "layer.i.rectified" (0 or 1). The metadata "relucert" says which of the two it is, and its version.
    """
    from safetensors.numpy import save

    kind = np.dtype(net.stored_dtype)
    if not net.is_chain:
        return save(_general_tensors(net, kind), metadata={_KIND: _GENERAL, **(metadata or {})})
    tensors = {}
    for i, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        tensors[f"{2 * i}.weight"] = np.ascontiguousarray(weight, dtype=kind)
        tensors[f"{2 * i}.bias"] = np.ascontiguousarray(bias, dtype=kind)
    return save(tensors, metadata={_KIND: _CHAIN, **(metadata or {})})


def _general_tensors(net: Network, kind: np.dtype) -> dict[str, np.ndarray]:
    tensors = {}
    for i, layer in enumerate(net.layers):
        if isinstance(layer.weight, np.ndarray):
            tensors[f"layer.{i}.weight"] = np.ascontiguousarray(layer.weight, dtype=kind)
        else:
            data, indices, starts = csr_parts(layer.weight)
            tensors[f"layer.{i}.data"] = np.ascontiguousarray(data, dtype=kind)
            tensors[f"layer.{i}.indices"] = np.ascontiguousarray(indices, dtype=np.int64)
            tensors[f"layer.{i}.indptr"] = np.ascontiguousarray(starts, dtype=np.int64)
            tensors[f"layer.{i}.shape"] = np.array(layer.weight.shape, dtype=np.int64)
        tensors[f"layer.{i}.bias"] = np.ascontiguousarray(layer.bias, dtype=kind)
        if layer.rectified is not None:
            tensors[f"layer.{i}.rectified"] = layer.rectified.astype(np.uint8)
    return tensors


def _general(tensors: dict[str, Any], metadata: dict[str, str], name: str) -> Network:
    """The network of a file with masks or CSR; InvalidInput, naming the layer, where its arrays do not fit."""
    arrays = {key: tensor.numpy() for key, tensor in tensors.items()}
    layers: list[Layer] = []
    count = sum(key.endswith(".bias") for key in arrays)
    for i in range(count):
        try:
            layers.append(_general_layer(arrays, f"layer.{i}."))
        except (KeyError, ValueError, TypeError, IndexError, OverflowError):
            raise InvalidInput(f"Layer {i} of the file is incomplete, or its arrays do not fit together.") from None
    return Network.of_layers(layers, name=name)


def _general_layer(arrays: dict[str, np.ndarray], key: str) -> Layer:
    bias = arrays[key + "bias"].astype(np.float64)
    mask = arrays.get(key + "rectified")
    weight: Any
    if key + "weight" in arrays:
        weight = arrays[key + "weight"].astype(np.float64)
    else:
        rows, columns = (int(n) for n in arrays[key + "shape"])
        data, indices, starts = (arrays[key + part] for part in ("data", "indices", "indptr"))
        fits = starts[0] == 0 and starts[-1] == len(data) == len(indices) and len(starts) == rows + 1
        if (
            not fits
            or (np.diff(starts) < 0).any()
            or (len(indices) and not 0 <= indices.min() <= indices.max() < columns)
        ):
            raise ValueError(key)
        weight = csr_array((data.astype(np.float64), indices, starts), shape=(rows, columns))
        weight.sum_duplicates()
    values = weight if isinstance(weight, np.ndarray) else weight.data
    if weight.ndim != 2 or bias.shape != weight.shape[:1] or (mask is not None and mask.shape != bias.shape):
        raise ValueError(key)
    if not (np.isfinite(values).all() and np.isfinite(bias).all()):
        raise InvalidInput(
            f"There is a NaN or an infinity in {key.rstrip('.')} of the file; every number must be finite."
        )
    return Layer(weight, bias, None if mask is None else mask.astype(bool))


def _read(data: bytes, max_parameters: int | None, *, stored: bool = False) -> dict[str, Any]:
    """The tensors of the file; `stored`: one of ours with masks and CSR, whose tensors may hold whole numbers."""
    from safetensors.torch import load

    kinds = _STORED if stored else _BYTES
    count = sum(_entry_size(key, entry, kinds) for key, entry in _header(data).items())
    if max_parameters is not None and count > max_parameters:
        raise InvalidInput(f"The file holds {count:,} numbers; at most {max_parameters:,} are accepted here.")
    try:
        return load(data)
    except Exception as error:  # the header has been checked; what is left is a file that is cut off or overlaps
        raise InvalidInput(f"This is not a whole safetensors file ({reason(error)}).") from None


def _entry_size(key: str, entry: Any, kinds: dict[str, int]) -> int:
    """How many numbers a tensor of the header holds; InvalidInput unless its shape, type and place can be one's."""
    wanted: dict[str, Any] = entry if isinstance(entry, dict) else {}
    shape: Any = wanted.get("shape")
    place: Any = wanted.get("data_offsets")
    dtype = wanted.get("dtype")
    whole = all(
        isinstance(part, list) and all(type(n) is int and 0 <= n < _MOST for n in part) for part in (shape, place)
    )
    bytes_each = kinds.get(dtype) if isinstance(dtype, str) else None
    if not whole or len(shape) > 8 or len(place) != 2 or bytes_each is None:
        raise InvalidInput(f"Tensor {shown(key)} is no weight matrix or bias vector of real numbers.")
    size = math.prod(shape)
    if place[1] - place[0] != size * bytes_each:
        raise InvalidInput(f"Tensor {shown(key)} is said to lie where {size:,} numbers have no room: export it again.")
    return size


def _metadata(data: bytes) -> dict[str, str]:
    """The texts that the writer of the file put beside the tensors."""
    found = _whole_header(data).get("__metadata__")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _header(data: bytes) -> dict[str, Any]:
    header = _whole_header(data)
    header.pop("__metadata__", None)
    return header


def _whole_header(data: bytes) -> dict[str, Any]:
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
    return header
