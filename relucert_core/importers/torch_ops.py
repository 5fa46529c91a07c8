"""torch's operations on forms: one entry for each name, the same for all its overloads."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from relucert_core.importers import affine_ops as affine
from relucert_core.importers import forms, relu_ops, windows
from relucert_core.importers.affine_ops import Sliding, spread
from relucert_core.importers.forms import Form, Trace
from relucert_core.importers.source import Dropped

FORMS = (Form, Dropped)
aten = torch.ops.aten
CHECKS = {
    getattr(aten, name).default
    for name in ("_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size")
    if hasattr(aten, name) and hasattr(getattr(aten, name), "default")
}


@dataclass(frozen=True)
class Refused:
    """A value that nobody may use, such as the places of a maximum; it is refused where it is used."""

    place: str
    reason: str


@dataclass(frozen=True)
class Call:
    """One call: positional arguments and keywords by the names that the operation's schema gives them."""

    target: Any
    given: dict[str, Any]
    trace: Trace
    shapes: tuple[tuple[int, ...], ...]

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The argument, or `default` where it was not given or is None."""
        value = self.given.get(name)
        return default if value is None else value

    @property
    def x(self) -> Any:
        """The first argument."""
        return next(iter(self.given.values()))

    @property
    def form(self) -> Form:
        """The first argument as a form."""
        return as_form(self.x, self.trace)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the (first) result."""
        return self.shapes[0]


def name_of(target: Any) -> str:
    """ "relu" for aten.relu.default."""
    packet = getattr(target, "overloadpacket", None)
    return str(getattr(packet, "__name__", None) or getattr(target, "__name__", target))


def call(node: Any, args: Any, kwargs: Any, trace: Trace) -> Any:
    """The result of a node that has forms among its arguments; Unsupported for operations that are not read."""
    name = name_of(node.target)
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        trace.refuse(f"the operation {name} is not read; {_REMEDY}")
    given = _named(schema, args, kwargs)
    if any(isinstance(value, Dropped) for value in _leaves(given)):
        value = next(v for v in _leaves(given) if isinstance(v, Dropped))
        if name in ("alias", "clone", "_to_copy", "view", "reshape", "squeeze", "contiguous", "detach"):
            return value
        if name == "log" and value.operation == "softmax":
            return Dropped("log-softmax", value.place, value.scores, value.axis)
        trace.place = value.place
        trace.refuse(f"{value.operation} is read at the very end only; {_REMEDY}")
    handler = _HANDLERS.get(name)
    if handler is None:
        trace.refuse(f"the operation {name} is neither affine nor made of ReLUs; {_REMEDY}")
    result = handler(Call(node.target, given, trace, _shapes(node)))
    return result


def _named(schema: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name, in the schema's order, defaults filled in."""
    given = {}
    for argument, value in itertools.zip_longest(schema.arguments, args, fillvalue=_ABSENT):
        if value is not _ABSENT:
            given[argument.name] = value
        elif argument.name in kwargs:
            given[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            given[argument.name] = argument.default_value
    return given


_ABSENT: Any = object()
_REMEDY = "Relucert reads affine operations, ReLUs, max pooling and what is made of them: replace it, and train again."


def as_form(value: Any, trace: Trace) -> Form:
    """A form, or numbers as a form without terms."""
    return value if isinstance(value, Form) else trace.constant(_array(value))


def _array(value: Any) -> np.ndarray:
    return value.detach().double().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, dtype=np.float64)


def _shapes(node: Any) -> tuple[tuple[int, ...], ...]:
    value = node.meta.get("val")
    values = value if isinstance(value, (tuple, list)) else [value]
    return tuple(tuple(int(n) for n in each.shape) for each in values if isinstance(each, torch.Tensor))


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in _leaves(part)]
    return [leaf for part in tree for leaf in _leaves(part)] if isinstance(tree, (tuple, list)) else [tree]


# ---- entries that only move: torch itself moves the positions


def _move(c: Call) -> Any:
    found = [value for value in _leaves(c.given) if isinstance(value, torch.Tensor | Form)]
    inputs = [as_form(value, c.trace) for value in found if not _is_index(value)]
    starts = np.cumsum([1, *(form.size for form in inputs)])
    places = iter(torch.from_numpy(f.places() + s).double() for f, s in zip(inputs, starts, strict=False))

    def fill(tree: Any) -> Any:
        if isinstance(tree, (tuple, list)):
            return [fill(part) for part in tree]
        return next(places) if isinstance(tree, torch.Tensor | Form) and not _is_index(tree) else tree

    schema = {argument.name: argument.kwarg_only for argument in c.target._schema.arguments}
    result = c.target(
        *(fill(value) for key, value in c.given.items() if not schema[key]),
        **{key: fill(value) for key, value in c.given.items() if schema[key]},
    )
    everything = forms.joined([form.reshape(form.size) for form in inputs])
    if isinstance(result, (tuple, list)):
        return [forms.picked(everything, part.numpy().astype(np.int64) - 1) for part in result]
    return forms.picked(everything, result.numpy().astype(np.int64) - 1)


def _is_index(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and not value.is_floating_point()


def _same(c: Call) -> Any:
    kind = c.given.get("dtype")
    if isinstance(kind, torch.dtype) and not kind.is_floating_point:
        c.trace.refuse(f"it casts a value that depends on the input to {kind}, which is no affine operation.")
    return c.form


def _pad(c: Call) -> Form:
    mode, value = c.given.get("mode", "constant"), float(c.get("value", 0.0))
    moved = _move(Call(c.target, {**c.given, "value": None} if "value" in c.given else c.given, c.trace, c.shapes))
    if mode != "constant" or value == 0:
        return moved
    ones = torch.ones(c.form.shape, dtype=torch.float64)
    outside = aten.pad.default(ones, c["pad"]).numpy().reshape(-1) == 0
    return Form(moved.shape, moved.terms, np.where(outside, value, moved.bias), c.trace)


_FILLS = {"zeros_like": 0.0, "new_zeros": 0.0, "ones_like": 1.0, "new_ones": 1.0}


def _fill(c: Call) -> Form:
    """Numbers in the shape of a form, of which nothing else is used."""
    value = c.get("value", c.get("fill_value", 0.0))
    if isinstance(value, Form):
        return forms.broadcast(value, c.shape)
    number = _FILLS.get(name_of(c.target), float(value))
    return c.trace.constant(np.full(c.shape, number))


# ---- arithmetic


def _add(c: Call, sign: float = 1.0) -> Form:
    first, second, alpha = c["self"], c["other"], float(c.get("alpha", 1))
    return forms.add(as_form(first, c.trace), _times_number(as_form(second, c.trace), sign * alpha))


def _times_number(form: Form, factor: float) -> Form:
    return form if factor == 1 else forms.scale(form, factor)


def _rsub(c: Call) -> Form:
    return forms.add(as_form(c["other"], c.trace), _times_number(c.form, -float(c.get("alpha", 1))))


def _mul(c: Call) -> Form:
    first, second = c["self"], c["other"]
    if isinstance(first, Form) and isinstance(second, Form):
        c.trace.refuse("it multiplies two values that both depend on the input, which is no affine operation.")
    return forms.scale(first, _array(second)) if isinstance(first, Form) else forms.scale(second, _array(first))


def _div(c: Call) -> Form:
    if isinstance(c["other"], Form):
        c.trace.refuse("it divides by a value that depends on the input, which is no affine operation.")
    if c.get("rounding_mode"):
        c.trace.refuse("it divides with rounding, which is no affine operation.")
    return forms.scale(c.form, _array(c["other"]), divide=True)


def _pow(c: Call) -> Form:
    if isinstance(c.given.get("exponent"), (int, float)) and c["exponent"] == 1:
        return c.form
    c.trace.refuse("powers of a value that depends on the input are no affine operation.")


def _linear(c: Call) -> Form:
    if isinstance(c["weight"], Form) or isinstance(c.given.get("bias"), Form):
        c.trace.refuse("its weights depend on the input.")
    return affine.linear(c["input"], _array(c["weight"]), _optional(c.given.get("bias")))


def _optional(value: Any) -> np.ndarray | None:
    return None if value is None else _array(value)


def _matmul(c: Call) -> Form:
    first, second = list(c.given.values())[:2]
    return affine.matmul(_side(first), _side(second))


def _side(value: Any) -> Any:
    return value if isinstance(value, Form) else _array(value)


def _addmm(c: Call) -> Form:
    second, third = list(c.given.values())[1:3]
    product = _times_number(affine.matmul(_side(second), _side(third)), float(c.get("alpha", 1)))
    return forms.add(product, _times_number(c.form, float(c.get("beta", 1))))


def _conv(c: Call) -> Form:
    weight = _kernel(c)
    count, axes = weight.ndim - 2, weight.shape[2:]
    dilation, padding = spread(c.get("dilation", 1), count), c.get("padding", 0)
    if isinstance(padding, str):
        reach = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, axes, strict=True)]
        before = tuple(r // 2 for r in reach)
        how = Sliding(
            spread(c.get("stride", 1), count),
            before,
            tuple(r - b for r, b in zip(reach, before, strict=True)),
            dilation,
        )
    else:
        how = Sliding.of(count, c.get("stride", 1), padding, dilation)
    if c.get("transposed", False):
        return _transposed(c)
    return _unbatched(
        c, affine.convolution(c["input"], weight, _optional(c.given.get("bias")), how, int(c.get("groups", 1)))
    )


def _kernel(c: Call) -> np.ndarray:
    if not isinstance(c["input"], Form) or isinstance(c["weight"], Form) or isinstance(c.given.get("bias"), Form):
        c.trace.refuse("its kernels depend on the input.")
    return _array(c["weight"])


def _transposed(c: Call) -> Form:
    weight = _kernel(c)
    count = weight.ndim - 2
    how = Sliding.of(count, c.get("stride", 1), c.get("padding", 0), c.get("dilation", 1))
    extra, bias = spread(c.get("output_padding", 0), count), _optional(c.given.get("bias"))
    found = affine.transposed_convolution(c["input"], weight, bias, how, extra=extra, groups=int(c.get("groups", 1)))
    return _unbatched(c, found)


def _unbatched(c: Call, found: Form) -> Form:
    return found.reshape(*c.shape)


def _batch_norm(c: Call) -> Any:
    if c.given.get("running_mean") is None:
        c.trace.refuse("it has no running statistics, so that it normalises by the batch (track_running_stats=False).")
    if c.given.get("training") is True:
        c.trace.refuse("it normalises by the batch even in evaluation.")
    weight, bias = _optional(c.given.get("weight")), _optional(c.given.get("bias"))
    mean, variance = _array(c["running_mean"]), _array(c["running_var"])
    result = affine.batch_norm(c["input"], weight, bias, mean, variance, float(c["eps"]))
    unused = Refused(c.trace.place, "the statistics of the batch are used.")
    return [result, unused, unused] if name_of(c.target) != "batch_norm" else result


# ---- sums and averages


def _total(c: Call, *, mean: bool = False) -> Form:
    dims = c.given.get("dim")
    dims = None if dims is None or dims == [] else [dims] if isinstance(dims, int) else dims
    return affine.total(c.form, dims, keep=bool(c.get("keepdim", False)), mean=mean)


def _avg_pool(c: Call) -> Form:
    count = int(name_of(c.target)[-2])
    kernel = spread(c["kernel_size"], count)
    how = Sliding.of(
        count, c["stride"] if c.get("stride") else kernel, c.get("padding", 0), ceil=bool(c.get("ceil_mode", False))
    )
    divisor = c.given.get("divisor_override")
    return affine.average_pool(c.form, kernel, how, include=bool(c.get("count_include_pad", True)), divisor=divisor)


def _adaptive_axes(c: Call) -> list[windows.Axis]:
    count = int(name_of(c.target)[-2])
    lengths = c.form.shape[-count:]
    wanted = c.shape[-count:]
    return [windows.adaptive(n, m) for n, m in zip(lengths, wanted, strict=True)]


def _adaptive_avg(c: Call) -> Form:
    return affine.average(c.form, _adaptive_axes(c), None)


def _probed(c: Call) -> Form:
    inputs = [value for value in _leaves(c.given) if isinstance(value, Form)]
    if len(inputs) != 1:
        c.trace.refuse("it joins two values that both depend on the input.")

    def run(values: np.ndarray) -> np.ndarray:
        schema = {argument.name: argument.kwarg_only for argument in c.target._schema.arguments}
        with torch.no_grad():
            tensor = torch.from_numpy(np.array(values))
            filled = {key: _replaced(value, tensor) for key, value in c.given.items()}
            keywords = {key: value for key, value in filled.items() if schema[key]}
            return c.target(*(v for key, v in filled.items() if not schema[key]), **keywords).numpy()

    return affine.probed(inputs[0], run, c.shape)


def _replaced(tree: Any, tensor: torch.Tensor) -> Any:
    if isinstance(tree, (tuple, list)):
        return [_replaced(part, tensor) for part in tree]
    if tree is torch.float32 or tree is torch.float16:
        return torch.float64
    return tensor if isinstance(tree, Form) else tree


# ---- ReLUs


def _relu(c: Call) -> Form:
    return forms.relu(c.form)


def _pair(c: Call, operation: Callable[[Form, Form], Form]) -> Form:
    return operation(as_form(c["self"], c.trace), as_form(c["other"], c.trace))


def _extreme(c: Call, over: Callable[..., Form]) -> Any:
    dims = c.given.get("dim")
    if isinstance(c.given.get("other"), Form | torch.Tensor):
        return _pair(c, relu_ops.maximum if over is relu_ops.maximum_over else relu_ops.minimum)
    dims = None if dims is None or dims == [] else [dims] if isinstance(dims, int) else dims
    result = over(c.form, dims, keep=bool(c.get("keepdim", False)))
    if len(c.target._schema.returns) == 1:
        return result
    return [result, Refused(c.trace.place, "the place of the largest value is used, which is no continuous function.")]


def _clamp(c: Call) -> Form:
    given = [c.given.get(name) for name in ("min", "max", "min_val", "max_val")]
    if any(isinstance(value, Form) for value in given):
        low, high = c.given.get("min"), c.given.get("max")
        result = c.form if low is None else relu_ops.maximum(c.form, as_form(low, c.trace))
        return result if high is None else relu_ops.minimum(result, as_form(high, c.trace))
    low, high = (given[0], given[1]) if given[2] is None and given[3] is None else (given[2], given[3])
    return relu_ops.clamp(c.form, _optional(low), _optional(high))


def _leaky(c: Call) -> Form:
    return relu_ops.leaky(c.form, float(c.get("negative_slope", 0.01)))


def _rrelu(c: Call) -> Form:
    if c.get("training", False):
        c.trace.refuse("it draws its slope at random even in evaluation.")
    return relu_ops.leaky(c.form, (float(c.get("lower", 1 / 8)) + float(c.get("upper", 1 / 3))) / 2)


def _prelu(c: Call) -> Form:
    if isinstance(c["weight"], Form):
        c.trace.refuse("its slopes depend on the input.")
    slope = _array(c["weight"])
    axes = len(c.form.shape)
    return relu_ops.leaky(c.form, slope.reshape(1, -1, *[1] * (axes - 2)) if slope.size > 1 and axes > 1 else slope)


def _threshold(c: Call) -> Form:
    edge, value = float(c["threshold"]), float(c["value"])
    if edge != value:
        c.trace.refuse(
            f"threshold({edge:g}, {value:g}) jumps from {value:g} to {edge:g}: it is no continuous function."
        )
    return relu_ops.clamp(c.form, edge)


def _hardsigmoid(c: Call) -> Form:
    sixth = forms.scale(c.form, 6.0, divide=True)
    return relu_ops.clamp(forms.add(sixth, c.trace.constant(0.5)), 0.0, 1.0)


def _max_pool(c: Call) -> Any:
    count = int(name_of(c.target).replace("_with_indices", "")[-2])
    kernel = spread(c["kernel_size"], count)
    stride = c["stride"] if c.get("stride") else kernel
    how = Sliding.of(count, stride, c.get("padding", 0), c.get("dilation", 1), ceil=bool(c.get("ceil_mode", False)))
    return _with_places(c, relu_ops.max_pool(c.form, how.axes(c.form.shape[-count:], kernel)))


def _adaptive_max(c: Call) -> Any:
    return _with_places(c, relu_ops.max_pool(c.form, _adaptive_axes(c)))


def _with_places(c: Call, result: Form) -> Any:
    if len(c.target._schema.returns) == 1:
        return result
    return [result, Refused(c.trace.place, "the places of the maxima are used, which is no continuous function.")]


# ---- last steps


def _softmax(c: Call, name: str) -> Dropped:
    return Dropped(name, c.trace.place, c.form, int(c["dim"]) % max(1, len(c.form.shape)))


def _sigmoid(c: Call) -> Dropped:
    return Dropped("sigmoid", c.trace.place, c.form, None)


_MOVES = [
    "view",
    "reshape",
    "_unsafe_view",
    "permute",
    "transpose",
    "t",
    "numpy_T",
    "squeeze",
    "unsqueeze",
    "expand",
    "expand_as",
    "repeat",
    "tile",
    "flip",
    "roll",
    "slice",
    "select",
    "narrow",
    "split",
    "split_with_sizes",
    "chunk",
    "unbind",
    "tensor_split",
    "index_select",
    "gather",
    "index",
    "cat",
    "concat",
    "stack",
    "hstack",
    "vstack",
    "flatten",
    "unflatten",
    "movedim",
    "swapaxes",
    "swapdims",
    "pixel_shuffle",
    "pixel_unshuffle",
    "channel_shuffle",
    "diagonal",
    "broadcast_to",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact1d",
    "_upsample_nearest_exact2d",
    "_upsample_nearest_exact3d",
    "reflection_pad1d",
    "reflection_pad2d",
    "reflection_pad3d",
    "replication_pad1d",
    "replication_pad2d",
    "replication_pad3d",
    "as_strided",
    "unfold",
    "im2col",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "select_scatter",
    "slice_scatter",
    "rot90",
    "repeat_interleave",
    "view_as",
    "reshape_as",
    "take",
    "fliplr",
    "flipud",
    "triu",
    "tril",
]
_PROBES = [
    "upsample_linear1d",
    "upsample_bilinear2d",
    "upsample_trilinear3d",
    "upsample_bicubic2d",
    "einsum",
    "cumsum",
    "col2im",
    "grid_sampler",
    "diff",
]
_SAME = [
    "clone",
    "alias",
    "detach",
    "contiguous",
    "_to_copy",
    "to",
    "lift_fresh",
    "lift_fresh_copy",
    "dropout",
    "native_dropout",
    "feature_dropout",
    "alpha_dropout",
    "feature_alpha_dropout",
    "type_as",
    "float",
    "double",
]

_HANDLERS: dict[str, Callable[[Call], Any]] = {
    **dict.fromkeys(_MOVES, _move),
    **dict.fromkeys(_PROBES, _probed),
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys((*_FILLS, "fill", "full_like", "new_full"), _fill),
    "copy": lambda c: forms.broadcast(as_form(c["src"], c.trace), c.shape),
    "pad": _pad,
    "constant_pad_nd": _pad,
    "add": _add,
    "sub": lambda c: _add(c, -1.0),
    "subtract": lambda c: _add(c, -1.0),
    "rsub": _rsub,
    "mul": _mul,
    "multiply": _mul,
    "div": _div,
    "divide": _div,
    "true_divide": _div,
    "pow": _pow,
    "neg": lambda c: forms.negative(c.form),
    "negative": lambda c: forms.negative(c.form),
    "positive": lambda c: c.form,
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm", "addmv"), _addmm),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    **dict.fromkeys(("_native_batch_norm_legit_no_training", "batch_norm", "native_batch_norm"), _batch_norm),
    "sum": _total,
    "mean": lambda c: _total(c, mean=True),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _avg_pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), _adaptive_avg),
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), _adaptive_avg),
    "relu": _relu,
    "maximum": lambda c: _pair(c, relu_ops.maximum),
    "minimum": lambda c: _pair(c, relu_ops.minimum),
    "fmax": lambda c: _pair(c, relu_ops.maximum),
    "fmin": lambda c: _pair(c, relu_ops.minimum),
    "max": lambda c: _extreme(c, relu_ops.maximum_over),
    "min": lambda c: _extreme(c, relu_ops.minimum_over),
    "amax": lambda c: _extreme(c, relu_ops.maximum_over),
    "amin": lambda c: _extreme(c, relu_ops.minimum_over),
    "abs": lambda c: relu_ops.absolute(c.form),
    "absolute": lambda c: relu_ops.absolute(c.form),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max", "hardtanh"), _clamp),
    "relu6": lambda c: relu_ops.clamp(c.form, 0.0, 6.0),
    "leaky_relu": _leaky,
    "rrelu": _rrelu,
    "rrelu_with_noise": _rrelu,
    "prelu": _prelu,
    "_prelu_kernel": _prelu,
    "threshold": _threshold,
    "softshrink": lambda c: relu_ops.soft_shrink(c.form, float(c.get("lambd", 0.5))),
    "hardsigmoid": _hardsigmoid,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), _max_pool),
    **dict.fromkeys(("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices"), _max_pool),
    **dict.fromkeys(("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"), _adaptive_max),
    "softmax": lambda c: _softmax(c, "softmax"),
    "_softmax": lambda c: _softmax(c, "softmax"),
    "log_softmax": lambda c: _softmax(c, "log-softmax"),
    "_log_softmax": lambda c: _softmax(c, "log-softmax"),
    "sigmoid": _sigmoid,
    "log_sigmoid": _sigmoid,
}
