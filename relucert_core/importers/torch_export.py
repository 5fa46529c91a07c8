"""torch.nn modules of any kind -> layers: the module is traced by torch.export, and its graph walked with forms."""

from __future__ import annotations

import copy
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.importers import affine_ops, forms, torch_ops
from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.source import Dropped, Refused, Source
from relucert_core.importers.torch_call import name_of

_IDLE_WHEN_EVALUATED = (torch.nn.Dropout, torch.nn.modules.dropout._DropoutNd, torch.nn.modules.batchnorm._BatchNorm)


def read_module(module: torch.nn.Module, input_shape: Sequence[int] | None, trace: Trace) -> Source:
    """The scores of a module as forms, with its graph in float64 to replay.

    The module is copied, put in eval mode and exported in its own number type, since one that calls `x.float()` would
    fail in float64; then constants and graph are taken to float64. Raises Unsupported or InvalidInput, naming the layer
    and operation, for what cannot be read.
    """
    _check_kind(module)
    shape = _input_shape(module, input_shape)
    if module.training and any(isinstance(part, _IDLE_WHEN_EVALUATED) for part in module.modules()):
        trace.notes.append("the module was in training mode; it was read as in evaluation (module.eval())")
    chain = _plain_chain(module)
    if chain is not None and len(shape) == 1:
        return _read_chain(chain, shape, trace)
    graph = _Graph(_exported(module, shape), trace)
    scores = graph.walk(trace.input((1, *shape)))
    return Source(shape, scores, graph.replay)


def _check_kind(module: torch.nn.Module) -> None:
    if isinstance(module, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
        raise Unsupported("This is a TorchScript module: pass the nn.Module that it was made from, or an ONNX file.")
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        what = f"The tensor {name!r} of the module"
        if isinstance(tensor, torch.nn.parameter.UninitializedParameter | torch.nn.parameter.UninitializedBuffer):
            raise Unsupported(f"{what} has no shape yet (a lazy layer): run the module once on a point, then read it.")
        if tensor.is_meta:
            raise Unsupported(f"{what} is on the 'meta' device and holds no numbers: load its weights first.")
        if tensor.is_quantized:
            raise Unsupported(f"{what} is quantised: pass the float module that it was made from.")
        if tensor.is_complex():
            raise Unsupported(f"{what} is complex; networks of real numbers are read.")
        if tensor.is_floating_point() and tensor.dtype.itemsize < 2:
            raise Unsupported(f"{what} is {tensor.dtype}: convert the module with module.float() first.")
        if not tensor.is_floating_point() and tensor.dtype.is_signed and tensor.layout != torch.strided:
            raise Unsupported(f"{what} is not a plain tensor ({tensor.layout}): make it dense first.")


def _input_shape(module: torch.nn.Module, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        return tuple(int(n) for n in given)
    first = next((part for part in module.modules() if not list(part.children())), None)
    for part in module.modules():
        if isinstance(part, torch.nn.Linear) and not _convolves(module):
            return (part.in_features,)
    name = type(first).__name__ if first is not None else type(module).__name__
    raise InvalidInput(
        f"The shape of the module's input is not known (its first layer is a {name}): give it without the batch, "
        "for example input_shape=(1, 28, 28)."
    )


def _plain_chain(module: torch.nn.Module, path: str = "") -> list[tuple[str, torch.nn.Module]] | None:
    """The parts of a Sequential of plain Linear and ReLU, which need no tracing; None for any other module."""
    hooked = module._forward_hooks or module._forward_pre_hooks or "forward" in module.__dict__
    if hooked or type(module) not in (torch.nn.Sequential, *_PLAIN):
        return None
    if type(module) is not torch.nn.Sequential:
        return [(path, module)]
    found: list[tuple[str, torch.nn.Module]] = []
    for key, part in module.named_children():
        inner = _plain_chain(part, f"{path}.{key}" if path else key)
        if inner is None:
            return None
        found += inner
    return found


_PLAIN = (torch.nn.Linear, torch.nn.ReLU, torch.nn.Identity, torch.nn.Dropout)


def _read_chain(chain: list[tuple[str, torch.nn.Module]], shape: tuple[int, ...], trace: Trace) -> Source:
    """The scores of plain layers in turn; the replay runs them in float64."""
    values = trace.input((1, *shape))
    layers: list[tuple[torch.Tensor, torch.Tensor | None] | None] = []
    for path, part in chain:
        trace.place, trace.operation = f"layer {path!r} ({type(part).__name__})", type(part).__name__.lower()
        if isinstance(part, torch.nn.Linear):
            if values.shape[-1] != part.in_features:
                trace.refuse(f"it takes {part.in_features} inputs, but {values.shape[-1]} come.")
            weight, bias = _double(part.weight).cpu(), None if part.bias is None else _double(part.bias).cpu()
            layers.append((weight, bias))
            offset = np.zeros(len(weight)) if bias is None else bias.numpy()
            values = affine_ops.linear(values, weight.numpy(), offset)
        elif isinstance(part, torch.nn.ReLU):
            layers.append(None)
            values = forms.relu(values)

    def replay(points: np.ndarray) -> np.ndarray:
        hidden = torch.from_numpy(points)
        for layer in layers:
            hidden = hidden.relu() if layer is None else torch.nn.functional.linear(hidden, *layer)
        return hidden.numpy()

    return Source(shape, values, replay)


def _convolves(module: torch.nn.Module) -> bool:
    known = (torch.nn.Linear, torch.nn.ReLU, torch.nn.Identity, torch.nn.Dropout, torch.nn.BatchNorm1d, torch.nn.PReLU)
    for part in module.modules():
        if isinstance(part, torch.nn.Linear):
            return False
        if not list(part.children()) and not isinstance(part, (*known, torch.nn.Flatten)) and part is not module:
            return True
    return False


def _exported(module: torch.nn.Module, shape: tuple[int, ...]) -> Any:
    kind = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    try:
        still = copy.deepcopy(module).to("cpu").eval().requires_grad_(False)
    except Exception as error:
        raise Unsupported(f"The module cannot be copied to be read ({_short(error)}).") from None
    example = torch.zeros((1, *shape), dtype=kind, device="cpu")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            still(example)
        except Exception as error:
            raise InvalidInput(
                f"The module does not take an input of shape {(1, *shape)} ({_short(error)}): give its shape "
                "without the batch as input_shape."
            ) from None
        try:
            exported = torch.export.export(still, (example,), strict=False)
            # Without operations that write in place there is nothing to take apart, and this costs most of the time.
            return exported.run_decompositions({}) if _writes(exported) else exported
        except Exception as error:
            raise Unsupported(
                f"torch.export cannot trace the module ({_short(error)}); a forward that branches on the input's "
                "values is no fixed network. Rewrite it without such branches, or pass an ONNX file."
            ) from None


def _writes(exported: Any) -> bool:
    schemas = (getattr(node.target, "_schema", None) for node in exported.graph_module.graph.nodes)
    return any(schema is not None and schema.is_mutable for schema in schemas)


def _short(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."


class _Graph:
    """A traced module, walked once with forms and replayed on points with numbers in float64."""

    def __init__(self, exported: Any, trace: Trace) -> None:
        self.trace = trace
        self.nodes = list(exported.graph_module.graph.nodes)
        self.constants: dict[str, torch.Tensor] = {}
        signature = exported.graph_signature
        stored = {**exported.state_dict, **exported.constants}
        targets = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        for name, target in targets.items():
            self.constants[name] = _double(stored[target])
        self.inputs = [n.name for n in self.nodes if n.op == "placeholder" and n.name in signature.user_inputs]
        if len(self.inputs) != 1:
            raise Unsupported(f"The module takes {len(self.inputs)} inputs; networks of one input are read.")
        self.result = signature.user_outputs
        self.mutated = signature.buffers_to_mutate
        self.dropped: set[Any] = set()  # last steps that are left out, in the replay too

    def walk(self, x: Form) -> Form | Dropped:
        """The module's output for the form x."""
        return self._run(x, self._call_with_forms)

    def replay(self, points: np.ndarray) -> np.ndarray:
        """(B, D) -> (B, K): the module's own graph in float64, one point at a time."""
        shape = (1, *self._shape)
        rows = []
        with torch.no_grad():
            for point in points:
                found = self._run(torch.from_numpy(point.reshape(shape)), self._call_with_numbers)
                rows.append(found.reshape(-1).numpy())
        return np.stack(rows)

    def _run(self, x: Any, call: Any) -> Any:
        if isinstance(x, Form):
            self._shape = x.shape[1:]
        values: dict[Any, Any] = {}
        for node in self.nodes:
            if node.op == "placeholder":
                values[node] = x if node.name == self.inputs[0] else self.constants.get(node.name)
            elif node.op == "get_attr":
                raise Unsupported(f"The module's graph holds a part {node.target!r} of its own (a branch or a loop).")
            elif node.op == "call_function":
                values[node] = call(node, *_filled((node.args, dict(node.kwargs)), values))
            elif node.op == "output":
                found = _filled(node.args[0], values)
        outputs = [value for value in _flat(found) if value is not None]
        outputs = outputs[len(self.mutated) :]
        if len(outputs) != 1:
            raise Unsupported(f"The module returns {len(outputs)} values; one tensor of scores is read.")
        return outputs[0]

    def _call_with_numbers(self, node: Any, args: Any, kwargs: Any) -> Any:
        if node.target in torch_ops.CHECKS:
            return None
        if node in self.dropped:
            return args[0]
        return _numbers(node.target(*_in_double(args), **_in_double(kwargs)))

    def _call_with_forms(self, node: Any, args: Any, kwargs: Any) -> Any:
        if node.target in torch_ops.CHECKS:
            return None
        self.trace.place, self.trace.operation = _place(node)
        _count_before(node, self.trace)
        if node.target is operator.getitem:
            return args[0][args[1]]
        if any(isinstance(value, Refused) for value in _flat((args, kwargs))):
            value = next(v for v in _flat((args, kwargs)) if isinstance(v, Refused))
            self.trace.place = value.place
            self.trace.refuse(value.reason)
        if not any(isinstance(value, torch_ops.FORMS) for value in _flat((args, kwargs))):
            return _numbers(node.target(*_in_double(args), **_in_double(kwargs)))
        found = torch_ops.call(node, args, kwargs, self.trace)
        if isinstance(found, Dropped):
            self.dropped.add(node)
        return found


def _filled(tree: Any, values: dict[Any, Any]) -> Any:
    if isinstance(tree, torch.fx.Node):
        return values[tree]
    if isinstance(tree, (tuple, list)):
        return type(tree)(_filled(part, values) for part in tree)
    if isinstance(tree, dict):
        return {key: _filled(part, values) for key, part in tree.items()}
    return tree


def _flat(tree: Any) -> list[Any]:
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in _flat(part)]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in _flat(part)]
    return [tree]


def _double(tensor: Any) -> Any:
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.detach()
        return tensor.double() if tensor.is_floating_point() else tensor
    return tensor


def _numbers(value: Any) -> Any:
    return type(value)(_numbers(part) for part in value) if isinstance(value, (tuple, list)) else _double(value)


def _in_double(tree: Any) -> Any:
    """The arguments of a call with every number type that is a float's turned into double."""
    if isinstance(tree, (tuple, list)):
        return type(tree)(_in_double(part) for part in tree)
    if isinstance(tree, dict):
        return {key: _in_double(part) for key, part in tree.items()}
    return torch.float64 if isinstance(tree, torch.dtype) and tree.is_floating_point else tree


def _count_before(node: Any, trace: Trace) -> None:
    value = node.meta.get("val")
    for each in value if isinstance(value, (tuple, list)) else [value]:
        if isinstance(each, torch.Tensor):
            trace.room(float(each.numel()))


def _place(node: Any) -> tuple[str, str]:
    """A name for messages ("layer 'features.3' (aten.celu)") and the operation's own name."""
    operation = name_of(node.target)
    modules = node.meta.get("nn_module_stack") or {}
    path, kind = list(modules.values())[-1] if modules else ("", "")
    kind = getattr(kind, "__name__", str(kind)).rsplit(".", 1)[-1]
    if path:
        return f"layer {path!r} ({kind}, {operation})", operation
    return f"operation {node.name!r} ({operation}) of the module", operation
