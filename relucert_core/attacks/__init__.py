"""Attacks: upper bounds on the distance to the nearest adversarial point, each with the point that proves it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypedDict, Unpack, overload

import torch

from relucert_core.arrays import Labels, ManyPoints, Norm, Numbers, OfAnyRank, OnePoint, TorchPoints
from relucert_core.attacks.best import run_best
from relucert_core.attacks.ddn import run_ddn
from relucert_core.attacks.deepfool import run_deepfool
from relucert_core.attacks.ifgsm import run_ifgsm
from relucert_core.attacks.problem import (
    Found,
    Problem,
    already_adversarial,
    distances_of,
    from_starts,
    make_problem,
    nearer,
)
from relucert_core.attacks.result import Attack, AttackBatch, AttackEntry
from relucert_core.deadline import late
from relucert_core.devices import on_cpu
from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.forward import predicted
from relucert_core.network import Network, as_labels, as_points
from relucert_core.norms import NORMS, check_norm, plain_number

__all__ = ["ATTACKS", "Attack", "AttackBatch", "AttackEntry", "attack"]

_CHUNK = 128
_WHOLE = ("steps", "rounds", "descents")

_ENTRIES = (
    AttackEntry(
        name="ifgsm",
        title="I-FGSM",
        run=run_ifgsm,
        norms=NORMS,
        minimises=(math.inf,),
        sentence="Changes every input by the same small amount, up or down, step by step, until the class changes.",
        reference="Kurakin, Goodfellow and Bengio, Adversarial examples in the physical world, 2016 (arXiv 1607.02533)",
        options={"steps": "steps of one walk", "rounds": "walks, each with another step size"},
    ),
    AttackEntry(
        name="deepfool",
        title="DeepFool",
        run=run_deepfool,
        norms=NORMS,
        minimises=NORMS,
        sentence="Pretends that the network is linear, walks to the nearest boundary of that, and looks again.",
        reference="Moosavi-Dezfooli, Fawzi and Frossard, DeepFool, CVPR 2016 (arXiv 1511.04599)",
        options={"steps": "linearisations at most", "overshoot": "share by which each step is lengthened"},
    ),
    AttackEntry(
        name="ddn",
        title="DDN",
        run=run_ddn,
        norms=NORMS,
        minimises=(2.0,),
        sentence="Circles the point on a sphere that shrinks whenever the class has changed and grows when it has not.",
        reference="Rony et al., Decoupling direction and norm, CVPR 2019 (arXiv 1811.09600)",
        options={"steps": "gradients", "shrink": "share by which the sphere shrinks or grows at first"},
    ),
    AttackEntry(
        name="best",
        title="Best attack",
        run=run_best,
        norms=NORMS,
        minimises=NORMS,
        sentence="Runs all the attacks and many descents, and keeps the nearest point that fools the network.",
        reference="the smallest of the other attacks, and DDN towards each class with slides along the boundary",
        options={"steps": "gradients of DDN", "descents": "descents towards other classes and from all around"},
    ),
)
ATTACKS: dict[str, AttackEntry] = {entry.name: entry for entry in _ENTRIES}


class _Settings(TypedDict, total=False):
    """What else `attack` takes, by name."""

    label: Labels
    bounds: tuple[float, float] | None
    starts: Numbers | None
    path: bool
    progress: Callable[[int, int], None] | None
    steps: int
    rounds: int
    descents: int
    overshoot: float
    shrink: float


@overload
def attack(
    net: Network, x: OfAnyRank, method: str = ..., norm: Norm = ..., **settings: Unpack[_Settings]
) -> Attack | AttackBatch: ...
@overload
def attack(net: Network, x: OnePoint, method: str = ..., norm: Norm = ..., **settings: Unpack[_Settings]) -> Attack: ...
@overload
def attack(
    net: Network, x: ManyPoints, method: str = ..., norm: Norm = ..., **settings: Unpack[_Settings]
) -> AttackBatch: ...
@overload
def attack(
    net: Network, x: TorchPoints, method: str = ..., norm: Norm = ..., **settings: Unpack[_Settings]
) -> Attack | AttackBatch: ...
def attack(
    net: Network,
    x: Any,
    method: str = "deepfool",
    norm: Norm = 2,
    *,
    label: Labels = None,
    bounds: tuple[float, float] | None = None,
    starts: Numbers | None = None,
    path: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Attack | AttackBatch:
    """Search for an adversarial point near x: (D,) gives an Attack, (B, D) an AttackBatch.

    requires: `method` one of ATTACKS; `norm` 1, 2 or inf, in which distances are measured and compared (`minimises` of
        the entry says which ones the search makes small); `label`: the class to leave, one or (B,), by default the
        predicted one; `bounds`: (lowest, highest) value of an input, which then holds exactly for the point found too;
        `starts`: (S, D) points, such as a certificate's witness: the nearest one of another class is pulled back
        towards x, and counts where it ends nearer than the search. `progress(done, total)` is called after every chunk
        of points.
    guarantee: success is proved at the stored point, the forward error bound counted, and `distance`, rounded up, is
        that point's: an upper bound on the exact radius. A point that is adversarial itself (wrong prediction against
        the given label, or a tie, as far as that is proved) has distance 0. After a failure distance is inf and point
        is x. Deterministic.
    Raises InvalidInput for arguments of wrong shape or value, Unsupported for an unknown method, norm or option.
    """
    options = {name: plain_number(value) for name, value in options.items()}
    entry, order = _entry(method, options), check_norm(norm)
    with on_cpu():
        return _attack(net, x, entry, order, options, label, bounds, starts, path, progress)


def _attack(
    net: Network,
    x: Any,
    entry: AttackEntry,
    order: float,
    options: dict[str, Any],
    label: Any,
    bounds: tuple[float, float] | None,
    starts: Any,
    path: bool,
    progress: Callable[[int, int], None] | None,
) -> Any:
    """`attack` with the method and the norm looked up."""
    points, single = as_points(net, x)
    labels = as_labels(net, label, len(points))
    box = _checked_bounds(bounds, points, "the points")
    begins = None if starts is None else _checked_starts(net, starts, box)
    items: list[Attack] = []
    for part in torch.arange(len(points)).split(_CHUNK) if len(points) else ():
        chosen = None if labels is None else labels[part]
        problem = make_problem(net, points[part], chosen, order, box, starts=begins, path=path)
        items += _attack_chunk(entry, problem, options)
        if progress is not None:
            progress(len(items), len(points))
    return items[0] if single else AttackBatch(tuple(items))


def _attack_chunk(entry: AttackEntry, problem: Problem, options: dict[str, Any]) -> list[Attack]:
    """The attacks on one chunk of points."""
    begun = time.perf_counter()
    found = _search(entry, problem, options)
    distances = distances_of(problem, found)
    predictions = predicted(problem.net.logits(found.points))
    seconds = (time.perf_counter() - begun) / max(len(problem.points), 1)
    return [
        Attack(
            method=entry.name,
            norm=problem.norm,
            point=found.points[i].numpy().copy(),
            distance=float(distances[i]),
            prediction=int(predictions[i]),
            label=int(problem.labels[i]),
            success=bool(found.success[i]),
            path=_stations(found, i),
            seconds=seconds,
        )
        for i in range(len(problem.points))
    ]


def _search(entry: AttackEntry, problem: Problem, options: dict[str, Any]) -> Found:
    """The answers: points that are adversarial themselves first, then the search, then the starts (past a deadline
    only where nothing was found)."""
    points, success = problem.points.clone(), already_adversarial(problem)
    rows = (~success).nonzero().squeeze(1)
    if not len(rows):
        return Found(points, success)
    part = problem.take(rows)
    found = entry.run(part, **options)
    if problem.starts is not None and not (late() and bool(found.success.all())):
        found = nearer(part, found, from_starts(part))
    points[rows], success[rows] = found.points, found.success
    return Found(points, success, tuple(problem.points.index_copy(0, rows, station) for station in found.way))


def _stations(found: Found, row: int) -> tuple[Any, ...]:
    """The way of one point as arrays, without standing still."""
    stations = [station[row] for station in found.way]
    kept = [s for i, s in enumerate(stations) if i == 0 or not torch.equal(s, stations[i - 1])]
    return tuple(station.numpy().copy() for station in kept)


def _entry(method: str, options: dict[str, Any]) -> AttackEntry:
    """The registry's entry, with its options checked."""
    if method not in ATTACKS:
        raise Unsupported(f"There is no attack {method!r}: use one of {', '.join(ATTACKS)}.")
    entry = ATTACKS[method]
    for name, value in options.items():
        if name not in entry.options:
            raise Unsupported(f"The attack {method} has no option {name!r}; it takes {', '.join(entry.options)}.")
        kinds = (int,) if name in _WHOLE else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < math.inf:
            kind = "whole number" if name in _WHOLE else "number"
            raise InvalidInput(f"The option {name} must be a {kind} above 0; {value!r} came.")
    return entry


def _checked_bounds(bounds: Any, points: torch.Tensor, what: str) -> tuple[float, float] | None:
    """The box as two floats; InvalidInput when it is none or `what` do not lie in it."""
    if bounds is None:
        return None
    try:
        low, high = (float(value) for value in bounds)
    except (TypeError, ValueError):
        raise InvalidInput(f"bounds must be a pair (lowest, highest), such as (0, 1); {bounds!r} came.") from None
    if not low < high:
        raise InvalidInput(f"bounds must be (lowest, highest) with lowest < highest; {bounds!r} came.")
    if len(points) and (points.min() < low or points.max() > high):
        raise InvalidInput(
            f"With bounds=({low:g}, {high:g}) {what} must lie in that box; they run from {float(points.min()):g} to "
            f"{float(points.max()):g}."
        )
    return low, high


def _checked_starts(net: Network, starts: Any, box: tuple[float, float] | None) -> torch.Tensor | None:
    """The starts as a batch (S, D); None when there are none."""
    tensor, _ = as_points(net, starts)
    _checked_bounds(box, tensor, "the starts")
    return tensor if len(tensor) else None
