"""torch's affine operations: arithmetic, products, convolutions, normalisation, sums and averages."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from relucert_core.importers import affine_ops as affine
from relucert_core.importers import forms
from relucert_core.importers.affine_ops import Sliding, spread
from relucert_core.importers.forms import Form
from relucert_core.importers.source import Refused
from relucert_core.importers.torch_call import (
    Call,
    Handler,
    adaptive_axes,
    array,
    as_form,
    leaves,
    name_of,
    optional,
)

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
    return forms.scale(first, array(second)) if isinstance(first, Form) else forms.scale(second, array(first))


def _div(c: Call) -> Form:
    if isinstance(c["other"], Form):
        c.trace.refuse("it divides by a value that depends on the input, which is no affine operation.")
    if c.get("rounding_mode"):
        c.trace.refuse("it divides with rounding, which is no affine operation.")
    return forms.scale(c.form, array(c["other"]), divide=True)


def _pow(c: Call) -> Form:
    if isinstance(c.given.get("exponent"), (int, float)) and c["exponent"] == 1:
        return c.form
    c.trace.refuse("powers of a value that depends on the input are no affine operation.")


def _linear(c: Call) -> Form:
    if isinstance(c["weight"], Form) or isinstance(c.given.get("bias"), Form):
        c.trace.refuse("its weights depend on the input.")
    return affine.linear(c["input"], array(c["weight"]), optional(c.given.get("bias")))


def _matmul(c: Call) -> Form:
    first, second = list(c.given.values())[:2]
    return affine.matmul(_side(first), _side(second))


def _side(value: Any) -> Any:
    return value if isinstance(value, Form) else array(value)


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
        c, affine.convolution(c["input"], weight, optional(c.given.get("bias")), how, int(c.get("groups", 1)))
    )


def _kernel(c: Call) -> np.ndarray:
    if not isinstance(c["input"], Form) or isinstance(c["weight"], Form) or isinstance(c.given.get("bias"), Form):
        c.trace.refuse("its kernels depend on the input.")
    return array(c["weight"])


def _transposed(c: Call) -> Form:
    weight = _kernel(c)
    count = weight.ndim - 2
    how = Sliding.of(count, c.get("stride", 1), c.get("padding", 0), c.get("dilation", 1))
    extra, bias = spread(c.get("output_padding", 0), count), optional(c.given.get("bias"))
    found = affine.transposed_convolution(c["input"], weight, bias, how, extra=extra, groups=int(c.get("groups", 1)))
    return _unbatched(c, found)


def _unbatched(c: Call, found: Form) -> Form:
    return found.reshape(*c.shape)


def _batch_norm(c: Call) -> Any:
    if c.given.get("running_mean") is None:
        c.trace.refuse("it has no running statistics, so that it normalises by the batch (track_running_stats=False).")
    if c.given.get("training") is True:
        c.trace.refuse("it normalises by the batch even in evaluation.")
    weight, bias = optional(c.given.get("weight")), optional(c.given.get("bias"))
    mean, variance = array(c["running_mean"]), array(c["running_var"])
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


def _adaptive_avg(c: Call) -> Form:
    return affine.average(c.form, adaptive_axes(c), None)


def _probed(c: Call) -> Form:
    inputs = [value for value in leaves(c.given) if isinstance(value, Form)]
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

AFFINE: dict[str, Handler] = {
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
    **dict.fromkeys(_PROBES, _probed),
    "sum": _total,
    "mean": lambda c: _total(c, mean=True),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _avg_pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), _adaptive_avg),
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), _adaptive_avg),
}
