"""torch's operations that are made of ReLUs: ReLU and its kin, maxima, clamps, max pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from relucert_core.importers import forms, relu_ops
from relucert_core.importers.affine_ops import Sliding, spread
from relucert_core.importers.forms import Form
from relucert_core.importers.source import Refused
from relucert_core.importers.torch_call import Call, Handler, adaptive_axes, array, as_form, name_of, optional


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
    return relu_ops.clamp(c.form, optional(low), optional(high))


def _leaky(c: Call) -> Form:
    return relu_ops.leaky(c.form, float(c.get("negative_slope", 0.01)))


def _rrelu(c: Call) -> Form:
    if c.get("training", False):
        c.trace.refuse("it draws its slope at random even in evaluation.")
    return relu_ops.leaky(c.form, (float(c.get("lower", 1 / 8)) + float(c.get("upper", 1 / 3))) / 2)


def _prelu(c: Call) -> Form:
    if isinstance(c["weight"], Form):
        c.trace.refuse("its slopes depend on the input.")
    slope = array(c["weight"])
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
    return _with_places(c, relu_ops.max_pool(c.form, adaptive_axes(c)))


def _with_places(c: Call, result: Form) -> Any:
    if len(c.target._schema.returns) == 1:
        return result
    return [result, Refused(c.trace.place, "the places of the maxima are used, which is no continuous function.")]


RELUS: dict[str, Handler] = {
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
}
