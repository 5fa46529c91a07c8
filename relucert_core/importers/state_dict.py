"""Tables of tensors (state dicts) -> layers: which weight belongs to which layer, and in which order they come."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from relucert_core.errors import InvalidInput, Unsupported

_REMEDY = "pass the module or an ONNX file."
_MOST_STEPS = 20_000


def chain_from_tensors(
    tensors: Mapping[str, Any],
    *,
    activation: str | None,
    layers: Sequence[str] | None,
    metadata: Mapping[str, str] | None = None,
) -> tuple[list[Any], list[Any]]:
    """Weights and biases of a chain of linear layers with ReLUs between, in order.

    A table of tensors says neither its activation nor its order: `activation="relu"` must be given, and the order comes
    from `layers` (or the file's metadata "layers"), from numbers in the names, or from shapes that chain in one way
    only.     Raises Unsupported or InvalidInput with the names found and the remedy.
    """
    prefixes = _prefixes(tensors)
    if activation != "relu":
        seen = "nothing was said" if activation is None else f"activation={activation!r} was said"
        raise InvalidInput(
            f"A table of weights does not say what lies between its layers ({_some(prefixes)}), and {seen}: give "
            f'activation="relu" if ReLUs do; otherwise {_REMEDY}'
        )
    shapes = {name: tuple(int(n) for n in tensors[_key(name, "weight")].shape) for name in prefixes}
    order = _order(prefixes, shapes, layers if layers is not None else _from_metadata(metadata))
    return [tensors[_key(name, "weight")] for name in order], [tensors[_key(name, "bias")] for name in order]


def _key(prefix: str, kind: str) -> str:
    return f"{prefix}.{kind}" if prefix else kind


def _prefixes(tensors: Mapping[str, Any]) -> list[str]:
    """The names of the layers, in the file's order; each has a 2-D weight and a 1-D bias and there is nothing else."""
    names = []
    for key, tensor in tensors.items():
        prefix, _, kind = key.rpartition(".")
        dims = len(tensor.shape)
        if kind not in ("weight", "bias"):
            raise Unsupported(f"The tensor {_short(key)} is neither a weight nor a bias of a linear layer: {_REMEDY}")
        if dims != (2 if kind == "weight" else 1):
            kinds = {1: "a normalisation", 3: "a convolution", 4: "a convolution", 5: "a convolution"}
            what = kinds.get(dims, "no linear layer") if kind == "weight" else "no linear layer"
            raise Unsupported(
                f"The tensor {_short(key)} has {dims} axes ({what}); only linear layers are read: {_REMEDY}"
            )
        if kind == "weight":
            names.append(prefix)
        other = _key(prefix, "bias" if kind == "weight" else "weight")
        if other not in tensors:
            raise Unsupported(f"The tensor {_short(key)} stands alone, without {_short(other)}: {_REMEDY}")
    if len(names) < 2:
        raise InvalidInput(f"A network needs at least 2 linear layers; {len(names)} came ({_some(names)}).")
    return names


def _order(names: list[str], shapes: dict[str, tuple[int, ...]], given: Sequence[str] | None) -> list[str]:
    if given is not None:
        order = [str(name).removesuffix(".weight") for name in given]
        if sorted(order) != sorted(names):
            raise InvalidInput(f"layers={order!r:.200} is not an order of the layers found: {_some(names)}.")
        if not _chains(order, shapes):
            raise InvalidInput(f"In the order {_some(order)} a layer does not take what the one before it gives.")
        return order
    numbered = _by_number(names)
    if numbered is not None and _chains(numbered, shapes):
        return numbered
    found = _chained(names, shapes)
    if len(found) == 1:
        return found[0]
    reason = "more than one order of them fits together" if found else "no order of them fits together"
    raise InvalidInput(
        f"The file does not say the order of its layers {_some(names)}, and by their shapes {reason}: give "
        f"layers=[...] with these names in order, or {_REMEDY}"
    )


def _by_number(names: list[str]) -> list[str] | None:
    """The names in the order of the one number in which they differ; None where they differ otherwise."""
    parts = [re.split(r"(\d+)", name) for name in names]
    if len({len(part) for part in parts}) != 1:
        return None
    varying = [i for i, column in enumerate(zip(*parts, strict=True)) if len(set(column)) > 1]
    if len(varying) != 1 or varying[0] % 2 == 0:
        return None
    numbers = [int(part[varying[0]][:18]) for part in parts]
    if len(set(numbers)) != len(numbers):
        return None
    return [name for _, name in sorted(zip(numbers, names, strict=True))]


def _chains(order: Sequence[str], shapes: dict[str, tuple[int, ...]]) -> bool:
    return all(shapes[a][0] == shapes[b][1] for a, b in itertools.pairwise(order))


def _chained(names: list[str], shapes: dict[str, tuple[int, ...]]) -> list[list[str]]:
    """Up to two orders in which the shapes chain."""
    found: list[list[str]] = []
    steps = 0
    stack: list[list[str]] = [[name] for name in names]
    while stack and len(found) < 2:
        path = stack.pop()
        steps += 1
        if steps > _MOST_STEPS:
            raise InvalidInput(
                f"The file has too many layers to find their order by shapes: give layers=[...], or {_REMEDY}"
            )
        if len(path) == len(names):
            found.append(path)
        stack += [[*path, name] for name in names if name not in path and shapes[path[-1]][0] == shapes[name][1]]
    return found


def _from_metadata(metadata: Mapping[str, str] | None) -> list[str] | None:
    text = (metadata or {}).get("layers")
    if text is None:
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = text.split(",")
    return [str(name).strip() for name in names] if isinstance(names, list) else None


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")
