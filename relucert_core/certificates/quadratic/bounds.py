"""Proved bounds over a ball: the pre-activations of every hidden layer, and the margins, by the quadratic bounds.

Layer 1 has its closed form. From layer 2 on, each layer has CROWN-Ada's bounds, with the tighter bounds of the layers
below; the rows of neurons that stay open get quadratic bounds as well, and the smaller of the two intervals counts. The
margins f_label - f_j likewise: rivals that CROWN excludes cost nothing more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from relucert_core.certificates import linear_bounds as crown
from relucert_core.certificates.over_balls.centre import Centre, centre, lowered, raised
from relucert_core.certificates.over_balls.linear_pass import Pass, carry_back
from relucert_core.certificates.over_balls.relaxations import LayerBounds
from relucert_core.certificates.quadratic.ball import maximum_above
from relucert_core.certificates.quadratic.first_layer import FirstLayer, first_layer, gram_of
from relucert_core.certificates.quadratic.lines import Effort, lowest
from relucert_core.certificates.quadratic.memory import Memory, Start
from relucert_core.certificates.quadratic.moments import Proposal
from relucert_core.certificates.quadratic.parabolas import enclose
from relucert_core.errors import InvalidInput
from relucert_core.network import Network, as_labels, as_points
from relucert_core.rounding import above, sum_above

# The least half-width of a parabola, in units of how far the neuron can stray, and how many multipliers are tried.
_FLOORS = ((0.06, 3), (0.15, 8))
# For a layer's rows, and for margins.
_LAYER_EFFORT, _MARGIN_EFFORT = Effort(6, 1, 1), Effort(15, 3, 2)
Maximum = Callable[[FirstLayer, torch.Tensor, Proposal], torch.Tensor]


@dataclass(frozen=True, eq=False)
class BallBounds:
    """Proved bounds over the ball ||x - point||_2 <= radius, for one network, by its digest, and one label.

    lower, upper: for each hidden layer i = 0 .. M - 2 (N_i,) float64 with lower[i] <= z^(i+1)(x) <= upper[i], for
    all of its outputs, with or without a ReLU.
    margins (K,): lower bounds on f_label - f_j, inf at the label. No NaN: where nothing is proved a bound is infinite.
    """

    digest: str
    point: torch.Tensor
    label: int
    radius: float
    lower: tuple[torch.Tensor, ...]
    upper: tuple[torch.Tensor, ...]
    margins: torch.Tensor

    def open(self, layer: int) -> torch.Tensor:
        """(N,) bool: the neurons of hidden layer `layer` (from 0) that are proved neither on nor off in the ball."""
        return ~((self.lower[layer] >= 0) | (self.upper[layer] <= 0))


@dataclass(frozen=True, eq=False)
class Ball:
    """What does not depend on the radius: one centre (norm 2) and `gram_of` it, (N_1, N_1) or None."""

    centre: Centre
    gram: torch.Tensor | None


def ball_of(net: Network, point: Any, label: int | None = None, gram: torch.Tensor | None = None) -> Ball:
    """The centre of balls around one point (D,) for a label, by default the predicted class.

    gram: that of another ball of the same network, to spare its work.
    """
    points, single = as_points(net, point)
    if not single:
        raise InvalidInput(f"Bounds over a ball are for one point ({net.inputs},); a batch of {len(points)} came.")
    where = centre(net, points, 2.0, as_labels(net, label, 1))
    return Ball(where, gram_of(where) if gram is None else gram)


def quadratic_bounds(
    net: Network,
    point: Any,
    radius: float,
    *,
    label: int | None = None,
    known: BallBounds | None = None,
    ball: Ball | None = None,
    memory: Memory | None = None,
) -> BallBounds:
    """The bounds over the ball of `radius` > 0 around `point` (D,), norm 2.

    known: bounds over a larger ball of the same network, point and label, which are intersected. ball: `ball_of` the
    same three, to spare its work; memory: of other balls around the same point, to spare more. Raises InvalidInput for
    a radius that is not positive and finite, and for a `known` that belongs to something else.
    """
    if not 0 < radius < float("inf"):
        raise InvalidInput(f"The radius of a ball must be positive and finite; {radius!r} came.")
    ball = ball or ball_of(net, point, label)
    where = ball.centre
    if known is not None:
        _check_known(known, where, radius)
    with torch.no_grad():
        layers, margins = climb(ball, float(radius), known=known, memory=memory)
    return BallBounds(
        net.digest,
        where.points[0],
        int(where.margins.label[0]),
        float(radius),
        tuple(layer.lower[0] for layer in layers),
        tuple(layer.upper[0] for layer in layers),
        margins,
    )


def _check_known(known: BallBounds, where: Centre, radius: float) -> None:
    same = known.digest == where.net.digest and torch.equal(known.point, where.points[0])
    if not same or known.label != int(where.margins.label[0]) or not known.radius >= radius:
        raise InvalidInput(
            "The known bounds belong to another network, point or label, or to a smaller ball: give those of a ball of "
            f"radius at least {radius!r} around the same point."
        )


def proved_maximum(first: FirstLayer, weights: torch.Tensor, proposal: Proposal) -> torch.Tensor:
    """(R,): proved upper bounds on sums of weights (R, n) times what the ReLUs change by in the ball.

    Narrow parabolas first; where no multiplier was proved quickly, wide ones, which are easier to prove.
    """
    bound = weights.new_full((len(weights),), torch.inf)
    for floor, tries in _FLOORS:
        left = torch.isinf(bound).nonzero().squeeze(1)
        if len(left):
            own = weights[left]
            widths = torch.sqrt(proposal.half_widths[left].square() + (floor * first.reach).square())
            quadratic = enclose(own, first.values, first.reach, first.open, widths, proposal.slopes[left])
            bound[left] = maximum_above(first, quadratic, proposal.multiplier[left], tries)
    return bound


def foreseen_maximum(first: FirstLayer, weights: torch.Tensor, proposal: Proposal) -> torch.Tensor:
    """(R,): what `proved_maximum` should come to, without its proof: for choosing radii, never for a bound."""
    return proposal.value.clamp(min=0.0)


def climb(
    ball: Ball,
    radius: float,
    known: BallBounds | None = None,
    maximum: Maximum = proved_maximum,
    memory: Memory | None = None,
) -> tuple[list[LayerBounds], torch.Tensor]:
    """The bounds of the hidden layers, (1, N_i) each, and the margins (K,), over the ball of `radius`.

    memory: of the other balls around the same point, where proposals begin; this ball's are kept in it.
    """
    memory = Memory() if memory is None else memory
    where = ball.centre
    state = Pass(where, torch.tensor([0]), torch.tensor([radius], dtype=torch.float64))
    found = [_within(crown.first_layer(state), known, 0)]
    state = crown.relaxed(state, found[0], crown.CROWN_ADA)
    first = first_layer(where, ball.gram, radius, found[0], state.layers[0].kept)
    for depth in range(1, len(where.net.affine) - 1):
        bounds = _within(crown.next_layer(state, crown.CROWN_ADA), known, depth)
        found.append(_tightened(state, first, bounds, depth, maximum, memory))
        state = crown.relaxed(state, found[-1], crown.CROWN_ADA)
    return found, _margins(state, first, maximum, memory)


def _within(bounds: LayerBounds, known: BallBounds | None, depth: int) -> LayerBounds:
    """The bounds, intersected with what is known; infinite where they are not numbers."""
    lower = torch.where(torch.isnan(bounds.lower), -torch.inf, bounds.lower)
    upper = torch.where(torch.isnan(bounds.upper), torch.inf, bounds.upper)
    if known is not None:
        lower, upper = torch.maximum(lower, known.lower[depth]), torch.minimum(upper, known.upper[depth])
    return dataclasses.replace(bounds, lower=lower, upper=upper)


def _tightened(
    state: Pass, first: FirstLayer, bounds: LayerBounds, depth: int, maximum: Maximum, memory: Memory
) -> LayerBounds:
    """The bounds of hidden layer `depth` (from 0), those of its open neurons intersected with the quadratic ones."""
    open_ = ~((bounds.lower[0] >= 0) | (bounds.upper[0] <= 0))
    carried = state.centre.net.affine[depth].carried
    rows = (open_ if carried is None else open_ & ~carried).nonzero().squeeze(1)
    lower, upper = bounds.lower.clone(), bounds.upper.clone()
    if len(rows) and len(first.kept):
        weight = state.centre.net.affine[depth].weight[rows]
        task = _Task(depth, torch.cat([rows, rows + bounds.lower.shape[1]]), _LAYER_EFFORT, maximum, memory)
        down, up = _drops(state, first, torch.cat([weight, -weight]), task).chunk(2)
        forward = state.centre.forward
        values, errors = (part[depth][state.index[0]][rows] for part in (forward.values, forward.errors))
        lower[0, rows] = torch.fmax(lower[0, rows], lowered(values - above(down + errors)))
        upper[0, rows] = torch.fmin(upper[0, rows], raised(values + above(up + errors)))
    lean = (upper >= -lower).to(lower.dtype)
    return LayerBounds(lower, upper, torch.zeros_like(lower), lean)


def _margins(state: Pass, first: FirstLayer, maximum: Maximum, memory: Memory) -> torch.Tensor:
    """(K,): lower bounds on the margins; -inf where nothing is proved."""
    where, index = state.centre, state.index
    gaps = where.gaps[index][0]
    reach = carry_back(state, where.rivals[index], parallel=False, lower_only=True)
    margins = torch.nan_to_num(lowered(gaps - reach.down[0]), nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
    label = int(where.margins.label[index])
    margins[label] = torch.inf
    rivals = (margins <= 0).nonzero().squeeze(1)
    if len(rivals) and len(first.kept):
        task = _Task(len(where.net.affine) - 1, rivals, _MARGIN_EFFORT, maximum, memory)
        drops = _drops(state, first, where.rivals[index][0, rivals], task)
        margins[rivals] = torch.fmax(margins[rivals], lowered(gaps[rivals] - drops))
    return margins


@dataclass(frozen=True, eq=False)
class _Task:
    """The functionals `numbers` (R,), ascending, of a `place`: layer or margins; how they are bounded."""

    place: int
    numbers: torch.Tensor
    effort: Effort
    maximum: Maximum
    memory: Memory


def _drops(state: Pass, first: FirstLayer, rows: torch.Tensor, task: _Task) -> torch.Tensor:
    """(R,): how far at most functionals `rows` of the last relaxed layer's outputs fall below their values at u."""
    start = task.memory.recall(task.place, task.numbers, state, first)
    carried, slopes, proposal = lowest(state, first, rows, task.effort, start)
    task.memory.keep(task.place, task.numbers, state, first, Start(slopes, proposal))
    most = task.maximum(first, -carried.weights, proposal)
    terms = max(*state.centre.net.outputs, state.centre.net.inputs) + 16 + len(state.layers)
    return sum_above(carried.loss + carried.doubt + state.underflow[0] + most, terms)
