"""The one door for networks: a shipped name, a module, a file or its bytes -> `Network`, replayed and with its card."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from relucert_core.cards import NNET, ReadingCard
from relucert_core.errors import DataUnavailable, InvalidInput, Unsupported
from relucert_core.importers import forms
from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.limits import Limits
from relucert_core.importers.merge import MergedLayer, merged_layers
from relucert_core.importers.replay import largest_difference, sample_points
from relucert_core.importers.source import Dropped, Source
from relucert_core.layers import Layer
from relucert_core.network import Network

if TYPE_CHECKING:
    import torch

_EXPORT = "export it to ONNX (torch.onnx.export(module, (example,), 'network.onnx')) and pass that file"
_KERAS = "Keras files are not read: convert the model with tf2onnx (python -m tf2onnx.convert), pass the ONNX file."
_REFUSED = {
    ".pt2": f"A .pt2 file is unpickled when it is loaded, which could run code of its author: {_EXPORT}.",
    ".pkl": f"A pickle runs code of its author when it is loaded: {_EXPORT}.",
    ".pickle": f"A pickle runs code of its author when it is loaded: {_EXPORT}.",
    ".joblib": f"A pickle runs code of its author when it is loaded: {_EXPORT}.",
    ".npy": "A .npy file holds one array and no network: pass an ONNX file.",
    ".py": f"A .py file is a program, and nothing is run here: make the module in Python and pass it, or {_EXPORT}.",
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".keras": _KERAS,
    ".pb": "TensorFlow files are not read: convert the model with tf2onnx and pass the ONNX file.",
    ".tflite": "TensorFlow Lite files are not read: convert the model with tf2onnx and pass the ONNX file.",
    ".mat": "MATLAB files are not read: export the network with exportONNXNetwork and pass the ONNX file.",
}
READ = (".safetensors", ".onnx", ".pth", ".pt", ".nnet")


@dataclass(frozen=True)
class Reading:
    """What the caller says about a source; see `read_network`."""

    input_shape: tuple[int, ...] | None = None
    classes: tuple[str, ...] | int | None = None
    layers: tuple[str, ...] | None = None
    activation: str | None = None
    best: str | None = None
    trained_on: tuple[float, float] = (0.0, 1.0)
    samples: np.ndarray | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def read_network(
    source: Network | torch.nn.Module | str | Path | bytes | bytearray | memoryview,
    *,
    input_shape: Sequence[int] | None = None,
    classes: int | Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    activation: str | None = None,
    best: str | None = None,
    trained_on: Sequence[float] = (0, 1),
    name: str | None = None,
    samples: Any = None,
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
) -> Network:
    """A Network from a shipped name, an `nn.Module`, or a .safetensors, .onnx, .pth, .pt or .nnet file or its bytes.

    input_shape: of one point, without a batch, where the source does not say it; points are the flattened input in the
        source's own order.
    classes: their number, or their names.
    layers: the names of the linear layers in order, where a table of weights does not say it.
    activation: "relu", demanded for such tables.
    best: whether the largest ("max", also meant by None) or the smallest score ("min") wins; demanded for .nnet files.
    trained_on: (a, b): the source's own inputs are a + (b - a) x, so that points and radii stay in [0, 1].
    name: for messages and cards. samples (n, D): real points for the replay. limits: what is accepted.
    files: further files by name (a NAME.onnx.data), beside bytes.

    The network is replayed on sample points in float64 against its source where that can be run, and carries a
    `ReadingCard` as `card`. Raises Unsupported, InvalidInput or DataUnavailable, naming the node or layer, its
    operation and what to do.
    """
    about = _reading(input_shape, classes, layers, activation, best, trained_on, samples, files, limits)
    if isinstance(source, Network):
        return source
    if _is_module(source):
        return _from_module(source, about, name or type(source).__name__)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        about.limits.check_file(len(data), name or "The file")
        return _from_bytes(data, _kind_of(data, name), about, name or "network", None)
    if not isinstance(source, (str, Path)):
        raise InvalidInput(
            f"A network comes from a shipped name, an nn.Module, a file or its bytes; a {type(source).__name__} came."
        )
    return _from_path(source, about, name)


def _reading(
    input_shape: Any, classes: Any, layers: Any, activation: Any, best: Any, trained_on: Any, samples: Any, files: Any,
    limits: Any,
) -> Reading:  # fmt: skip
    """The arguments of `read_network`, checked."""
    if best not in (None, "max", "min"):
        raise InvalidInput(f'best is "max" or "min"; {best!r} came.')
    try:
        low, high = (float(v) for v in trained_on)
        shape = None if input_shape is None else tuple(int(n) for n in np.atleast_1d(input_shape))
    except (TypeError, ValueError):
        raise InvalidInput("trained_on is a pair of numbers, and input_shape a tuple of whole numbers.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput(f"trained_on=(a, b) needs two finite numbers with a < b; {(low, high)} came.")
    if shape is not None and (not shape or min(shape) < 1):
        raise InvalidInput(f"input_shape holds lengths of at least 1; {shape} came.")
    names: Any = classes
    if classes is not None and not isinstance(classes, (int, np.integer)):
        names = tuple(str(each) for each in classes)
    order = None if layers is None else tuple(str(each) for each in layers)
    points = None if samples is None else np.asarray(samples, dtype=np.float64)
    return Reading(shape, names, order, activation, best, (low, high), points, dict(files or {}), limits or Limits())


def _is_module(source: Any) -> bool:
    import sys

    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, (torch.nn.Module, torch.jit.ScriptFunction))


def _from_path(source: str | Path, about: Reading, name: str | None) -> Network:
    from relucert_core.importers.shipped import list_models, load_model

    if isinstance(source, str) and source in {card.name for card in list_models()}:
        return load_model(source)
    path = Path(source)
    shown = path.name[:80]
    try:
        found, size = path.is_file(), path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        found, size = False, 0
    if not found:
        raise DataUnavailable(
            f"There is no network {shown!r}: give a name that `models` lists, or the path of a file "
            f"({', '.join(READ)})."
        )
    kind = path.suffix.lower()
    if kind in _REFUSED:
        raise Unsupported(_REFUSED[kind])
    about.limits.check_file(size, shown)
    data = path.read_bytes()
    return _from_bytes(data, kind if kind in READ else _kind_of(data, shown), about, name or path.stem, path)


def _kind_of(data: bytes, name: str | None) -> str:
    """The kind of file by its name, else by its first bytes."""
    suffix = Path(name or "").suffix.lower()
    if suffix in _REFUSED:
        raise Unsupported(_REFUSED[suffix])
    if suffix in READ:
        return suffix
    if data[:2] == b"PK":
        return ".pth"
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        raise Unsupported(_REFUSED[".h5"])
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        raise Unsupported(_REFUSED[".pkl"])
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data):
        return ".safetensors"
    if data[:2] == b"//":
        return ".nnet"
    if data[:1] == b"\x08":
        return ".onnx"
    raise InvalidInput(f"{_shown(name)} is no network file that is known: {', '.join(READ)} are read.")


def _shown(name: str | None) -> str:
    return repr(name[:80]) if name else "This"


def _from_bytes(data: bytes, kind: str, about: Reading, name: str, path: Path | None) -> Network:
    trace = Trace(about.limits, about.trained_on)
    if kind == ".onnx":
        from relucert_core.importers.onnx_file import file_beside, read_onnx, uploaded

        beside = file_beside(path) if path is not None and not about.files else uploaded(about.files)
        return _finished(read_onnx(data, about.input_shape, trace, beside=beside), trace, about, name, "an ONNX file")
    if kind == ".nnet":
        from relucert_core.importers.nnet_file import read_nnet

        if about.best is None:
            raise InvalidInput(
                'A .nnet file does not say which score wins: give best="min" (as for ACAS Xu) or best="max".'
            )
        return _finished(read_nnet(data, trace), trace, about, name, NNET)
    return _from_table(data, kind, trace, about, name)


def _from_table(data: bytes, kind: str, trace: Trace, about: Reading, name: str) -> Network:
    from relucert_core.importers.safetensors_file import network_from_bytes
    from relucert_core.importers.state_dict import chain_from_tensors
    from relucert_core.importers.torch_archive import read_state_dict

    if kind == ".safetensors":
        net = network_from_bytes(
            data, activation=about.activation, layers=about.layers, max_parameters=about.limits.entries, name=name
        )
    else:
        tensors = read_state_dict(data, about.limits)
        net = Network(*chain_from_tensors(tensors, activation=about.activation, layers=about.layers), name=name)
    source = "a safetensors file" if kind == ".safetensors" else "a state dict"
    return _finished(_as_source(net, trace), trace, about, name, source, plain=net)


def _as_source(net: Network, trace: Trace) -> Source:
    """The forms of a network that is already one."""
    values = trace.input((net.inputs,))
    for layer in net.layers:
        trace.operation = "linear"
        values = forms.transform(layer.weight, values, layer.bias, (len(layer.bias),))
        if layer.rectified is None:
            break
        values = _rectified(values, layer.rectified)
    return Source((net.inputs,), values, None)


def _rectified(values: Form, mask: np.ndarray) -> Form:
    on, off = np.flatnonzero(mask), np.flatnonzero(~mask)
    made = forms.relu(forms.picked(values, on))
    if not len(off):
        return made
    rest = forms.carried(forms.picked(values, off))
    place = np.empty(len(mask), dtype=np.int64)
    place[on], place[off] = np.arange(len(on)), len(on) + np.arange(len(off))
    return forms.picked(forms.joined([made, rest]), place)


def _from_module(module: Any, about: Reading, name: str) -> Network:
    from relucert_core.importers.torch_export import read_module

    trace = Trace(about.limits, about.trained_on)
    source = read_module(module, about.input_shape, trace)
    return _finished(source, trace, about, name, f"a module ({type(module).__name__})"[:80])


def _finished(
    source: Source, trace: Trace, about: Reading, name: str, kind: str, *, plain: Network | None = None
) -> Network:
    """The network of a source: last steps dropped, layers merged, compared with the source, with its card.

    `plain`: the same network as it is, taken where nothing is composed with it.
    """
    scores = _scores(source.scores, trace)
    single = scores.size == 1
    if single:
        scores = forms.joined([trace.constant(np.zeros(1)), scores])
        trace.notes.append("its one score s became (0, s): class 1 where s > 0")
    sign = -1.0 if about.best == "min" else 1.0
    scores = scores if sign == 1 else forms.negative(scores)
    names = _class_names(about.classes, scores.size)
    if plain is not None and sign == 1 and about.trained_on == (0.0, 1.0):
        net = plain
    else:
        layers = merged_layers(scores)
        _check_finite(layers)
        net = Network.of_layers([Layer(*layer) for layer in layers], name=name)
    difference = None
    if source.replay is not None:
        (low, high), replay = about.trained_on, source.replay
        difference = largest_difference(
            lambda points: net(points)[:, 1:] if single else net(points),
            lambda points: sign * replay(low + (high - low) * points),
            sample_points(net.inputs, about.samples),
        )
    rounded, notes = tuple(trace.rounded), tuple(trace.notes)
    shape, best = source.input_shape, about.best or "max"
    return net.with_card(ReadingCard(kind, shape, names, rounded, difference, about.trained_on, best, notes))


def _scores(found: Form | Dropped, trace: Trace) -> Form:
    """The scores (K,), a last softmax or sigmoid left out; refused where they are not one number for each class."""
    scores = found.scores if isinstance(found, Dropped) else found
    if sum(length > 1 for length in scores.shape) > 1:
        trace.refuse(f"the network gives an array of shape {scores.shape}; one score for each class is read.")
    if isinstance(found, Dropped):
        trace.place = found.place
        if found.operation == "sigmoid" and scores.size > 1:
            trace.refuse(
                f"a sigmoid over {scores.size} scores says of each class whether it is there; one class is read."
            )
        if found.operation != "sigmoid" and (scores.size == 1 or scores.shape[found.axis or 0] != scores.size):
            trace.refuse(f"the {found.operation} does not run over the classes.")
        trace.notes.append(f"the last step ({found.operation}) changes no comparison of the scores and was left out")
    return scores.reshape(scores.size)


def _class_names(classes: tuple[str, ...] | int | None, count: int) -> tuple[str, ...] | None:
    if classes is None:
        return None
    wanted = int(classes) if isinstance(classes, (int, np.integer)) else len(classes)
    if wanted != count:
        raise InvalidInput(f"The network gives {count} scores; classes={classes!r:.100} says {wanted}.")
    return None if isinstance(classes, (int, np.integer)) else classes


def _check_finite(layers: Sequence[MergedLayer]) -> None:
    for number, layer in enumerate(layers, start=1):
        values = layer.weight if isinstance(layer.weight, np.ndarray) else layer.weight.data
        if not (np.isfinite(values).all() and np.isfinite(layer.bias).all()):
            raise InvalidInput(f"A number of merged layer {number} is NaN or infinite; every number must be finite.")
