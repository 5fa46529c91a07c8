"""Properties of local robustness as VNN-LIB text, without rounding: what is written is what was asked."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from relucert_core.arrays import Norm, Numbers
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.forward import predicted
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import check_norm


def write_property(
    net: Network,
    x: Numbers,
    eps: float,
    norm: Norm = 2,
    label: int | None = None,
    *,
    version: int = 2,
    bounds: tuple[float, float] | None = None,
) -> str:
    """The text that asks: is there a point within `eps` of x (D,) at which another class reaches `label`?

    norm: inf gives a box, cut by `bounds` (lowest, highest value of an input) where they are given; 2 a ball, and the
    box of the bounds with it, in version 2 alone. label: by default the prediction at x. Every number is written in
    full, so that `parse_property` gives back the region to the last bit. Raises InvalidInput, and Unsupported for a
    region that the version cannot say.
    """
    order = check_norm(norm)
    points, single = as_points(net, x)
    if not single:
        raise InvalidInput("Give one point (D,): a property has one region.")
    if not 0 <= eps < math.inf or version not in (1, 2):
        raise InvalidInput(f"eps must be finite and at least 0, and the version 1 or 2; {eps!r} and {version!r} came.")
    if order == 1 or (order == 2 and version == 1):
        raise Unsupported("VNN-LIB can say inf boxes, and in version 2 L2 balls: give norm=inf, or 2 with version=2.")
    labels = as_labels(net, label, 1)
    own = int(labels[0]) if labels is not None else int(predicted(net.logits(points))[0])
    point = [Fraction(v) for v in points[0].tolist()]
    x_names = [f"X_{i}" if version == 1 else f"X[{i}]" for i in range(net.inputs)]
    y_names = [f"Y_{j}" if version == 1 else f"Y[{j}]" for j in range(net.classes)]
    lines = [*_declared(net, version), *_box(point, Fraction(eps) if order == np.inf else None, bounds, x_names)]
    if order == 2:
        squares = " ".join(f"(* (- {n} {_text(c)}) (- {n} {_text(c)}))" for n, c in zip(x_names, point, strict=True))
        lines.append(f"(assert (<= (+ {squares}) {_text(Fraction(eps) ** 2)}))")
    rivals = " ".join(f"(>= {name} {y_names[own]})" for j, name in enumerate(y_names) if j != own)
    return "\n".join([*lines, f"(assert (or {rivals}))"]) + "\n"


def _declared(net: Network, version: int) -> list[str]:
    if version == 1:
        names = [f"X_{i}" for i in range(net.inputs)] + [f"Y_{j}" for j in range(net.classes)]
        return [f"(declare-const {name} Real)" for name in names]
    tensors = (
        f"(declare-input X float64 [{net.inputs}])",
        f"(declare-output Y float64 [{net.classes}])",
    )
    return ["(vnnlib-version <2.0>)", f"(declare-network f {' '.join(tensors)})"]


def _box(
    point: list[Fraction], eps: Fraction | None, bounds: tuple[float, float] | None, names: list[str]
) -> list[str]:
    """Two limits an input: x -+ eps where there is one, cut by the bounds where there are some."""
    lines = []
    for name, middle in zip(names, point, strict=True):
        lower = None if eps is None else middle - eps
        upper = None if eps is None else middle + eps
        if bounds is not None:
            low, high = (Fraction(b) for b in bounds)
            lower, upper = (low, high) if lower is None or upper is None else (max(lower, low), min(upper, high))
        if lower is not None and upper is not None:
            lines += [f"(assert (>= {name} {_text(lower)}))", f"(assert (<= {name} {_text(upper)}))"]
    return lines


def _text(number: Fraction) -> str:
    """A number whose denominator is a power of two, as a decimal without an exponent and without rounding."""
    with localcontext() as context:
        context.prec = 5000
        text = format(Decimal(number.numerator) / Decimal(number.denominator), "f")
    return text if "." in text else f"{text}.0"  # version 2 takes 1 for a whole number, which is another type
