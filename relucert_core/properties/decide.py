"""Is a property broken? Bounds over its region, attacks within it, then the anytime search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import scipy.sparse
import torch

from relucert_core.arrays import Vector
from relucert_core.attacks import attack
from relucert_core.certificates.linear_bounds import CROWN_ADA, margin_bounds
from relucert_core.certificates.over_balls.centre import centre
from relucert_core.deadline import now
from relucert_core.errors import InvalidInput
from relucert_core.forward import proven_forward, rational_logits
from relucert_core.layers import Layer
from relucert_core.network import Network
from relucert_core.properties.records import SAT, UNKNOWN, UNSAT, Answer, Property
from relucert_core.registry import CERTIFICATES, supports
from relucert_core.search.verify import BROKEN, ROBUST, verify
from relucert_core.witness import RATIONAL_WEIGHTS

_INWARD = (0.0, 1e-15, 1e-12, 1e-9, 1e-6)  # relative steps from a witness back to the middle of the region


def decide(net: Network, property: Property, *, max_seconds: float | None = None) -> Answer:
    """Is there an input in the property's region that breaks it?

    "unsat" is proved over a region that holds the stated one (its numbers are rational, and a float's rounding only
    widens it); "sat" by a float64 point that lies in the stated region, checked in rationals, with its scores proved.
    method: the region as a ball (norm 2: `verify`), or as the unit inf ball of the network composed with
    t -> middle + half t, whose first layer carries all its outputs on, so that nothing is rounded; CROWN-Ada's bound at
    radius 1, attacks, then `neighbours` where it takes such a network. Raises InvalidInput where sizes differ or an
    input has no limits.
    """
    begun = now()
    if (net.inputs, net.classes) != (property.inputs, property.outputs):
        raise InvalidInput(
            f"The property is about {property.inputs} inputs and {property.outputs} outputs; the network has "
            f"{net.inputs} and {net.classes}."
        )
    if property.ball is None and not property.bounded:
        raise InvalidInput("Every input needs a lower and an upper limit, or all of them one L2 ball.")
    answer, witness = UNKNOWN, None
    if any(interval.empty for interval in property.box) or (property.ball is not None and property.ball.square < 0):
        answer = UNSAT
    else:
        for answer, candidates, middle in _attempts(net, property, begun, max_seconds):
            witness = _proved_witness(net, property, candidates, middle)
            if answer == UNSAT or witness is not None:
                answer = SAT if witness is not None else answer
                break
    outputs = None if witness is None else net(witness)
    return Answer(answer, witness, outputs, now() - begun)


_Attempt = tuple[str, list[Vector], Vector]  # "unsat" or "unknown", points that may break it, the region's middle


def _attempts(net: Network, property: Property, begun: float, seconds: float | None) -> Iterator[_Attempt]:
    """What is tried in turn until something is proved."""
    narrowed = _only(net, [property.label, *property.rivals])
    if property.ball is not None:
        yield _by_ball(narrowed, property, _left(begun, seconds))
    if property.bounded:
        yield from _by_box(narrowed, property, begun, seconds)


def _by_ball(net: Network, property: Property, seconds: float | None) -> _Attempt:
    """`verify` in norm 2 around the centre as a float, with the radius rounded up and by the centre's rounding."""
    assert property.ball is not None
    middle = np.array([float(c) for c in property.ball.centre])
    shift = sum(((Fraction(m) - c) ** 2 for m, c in zip(middle, property.ball.centre, strict=True)), Fraction(0))
    eps = math.nextafter(_root_above(property.ball.square) + _root_above(shift), math.inf)
    found = verify(net, middle, eps, 2, 0, max_seconds=seconds)
    witnesses = [] if found.witness is None else [found.witness]
    return UNSAT if found.answer == ROBUST else UNKNOWN, [middle, *witnesses], middle


def _by_box(net: Network, property: Property, begun: float, seconds: float | None) -> Iterator[_Attempt]:
    """The box as the unit inf ball: the bound at radius 1, attacks within it, the search."""
    middle, half = unit_box(property)
    unit, zero = scaled(net, middle, half), np.zeros(net.inputs)
    around = centre(unit, torch.zeros(1, net.inputs, dtype=torch.float64), math.inf, torch.zeros(1, dtype=torch.int64))
    margins = margin_bounds(around, CROWN_ADA, torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.float64))
    yield UNSAT if bool((margins > 0).all()) else UNKNOWN, [middle], middle
    for method in ("ifgsm", "best"):
        if _left(begun, seconds) != 0:
            found = attack(unit, zero, method, math.inf, label=0, bounds=(-1.0, 1.0))
            yield UNKNOWN, [_inside(property, middle + half * found.point)] if found.success else [], middle
    left = _left(begun, seconds)
    if left != 0 and not supports(CERTIFICATES["neighbours"], unit, math.inf):
        verdict = verify(unit, zero, 1.0, math.inf, 0, max_seconds=left)
        points = [_inside(property, middle + half * verdict.witness)] if verdict.witness is not None else []
        yield UNSAT if verdict.answer == ROBUST else UNKNOWN, points if verdict.answer == BROKEN else [], middle


def unit_box(property: Property) -> tuple[Vector, Vector]:
    """(middle, half), (D,) each: floats such that every point of the box is middle + half t with |t| <= 1, exactly."""
    middle, half = np.zeros(property.inputs), np.zeros(property.inputs)
    for i, interval in enumerate(property.box):
        assert interval.lower is not None
        assert interval.upper is not None
        centre_of = float((interval.lower + interval.upper) / 2)
        reach = max(interval.upper - Fraction(centre_of), Fraction(centre_of) - interval.lower)
        middle[i], half[i] = centre_of, _above(reach)
    return middle, half


def scaled(net: Network, middle: Vector, half: Vector) -> Network:
    """t -> f(middle + half t): one more layer that carries all its outputs on, so that nothing is rounded."""
    scale = scipy.sparse.csr_array(scipy.sparse.diags_array(half).tocsr())
    first = Layer(scale, middle, np.zeros(len(middle), dtype=bool))
    return Network.of_layers([first, *net.layers], name=f"{net.name} over a box")


def _only(net: Network, classes: list[int]) -> Network:
    """The network with only these classes, in this order: rows of its last layer."""
    last = net.layers[-1]
    weight = last.weight if isinstance(last.weight, np.ndarray) else scipy.sparse.csr_array(last.weight)
    kept = Layer(weight[classes], last.bias[classes], None)
    return Network.of_layers([*net.layers[:-1], kept], name=net.name)


def _proved_witness(net: Network, property: Property, candidates: list[Vector], middle: Vector) -> Vector | None:
    """The first candidate, or a point a little nearer to the middle, that is proved to break the property."""
    for candidate in candidates:
        for step in _INWARD:
            point = candidate + step * (middle - candidate)
            if [Fraction(v) for v in point.tolist()] in property and _breaks(net, property, torch.from_numpy(point)):
                return point
    return None


def _breaks(net: Network, property: Property, point: torch.Tensor) -> bool:
    """Is some rival proved to reach the label at the point (D,)?"""
    if sum(layer.entries for layer in net.layers) <= RATIONAL_WEIGHTS:
        exact = rational_logits(net, point)
        own = exact[property.label]
        return any(exact[j] > own or (exact[j] == own and j not in property.strictly) for j in property.rivals)
    forward = proven_forward(net, point.unsqueeze(0))
    values, errors = forward.values[-1][0].tolist(), forward.errors[-1][0].tolist()
    if not all(map(math.isfinite, [*values, *errors])):
        return False
    most = Fraction(values[property.label]) + Fraction(errors[property.label])
    return any(Fraction(values[j]) - Fraction(errors[j]) > most for j in property.rivals)


def _inside(property: Property, point: Vector) -> Vector:
    """The point put into the stated box: each number to the nearest float that lies in its interval."""
    clipped = point.copy()
    for i, (value, interval) in enumerate(zip(point.tolist(), property.box, strict=True)):
        if interval.lower is not None and Fraction(value) < interval.lower:
            clipped[i] = _above(interval.lower)
        elif interval.upper is not None and Fraction(value) > interval.upper:
            clipped[i] = -_above(-interval.upper)
    return clipped


def _above(number: Fraction) -> float:
    """The smallest float that is at least the number."""
    nearest = float(number)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)


def _root_above(square: Fraction) -> float:
    """A float >= the root of a rational number >= 0."""
    root = math.sqrt(float(square)) if square else 0.0
    while Fraction(root) ** 2 < square:
        root = math.nextafter(root, math.inf)
    return root


def _left(begun: float, seconds: float | None) -> float | None:
    """Seconds that are left of the budget (None: no limit), 0 when it is spent."""
    return None if seconds is None else max(0.0, seconds - (now() - begun))
