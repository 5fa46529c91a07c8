"""Fast-Lin (Weng et al. 2018) and CROWN-Ada (Zhang et al. 2018): linear bounds carried back to the input.

Layer by layer, each pre-activation is bounded over the ball ||x - u|| <= r: its row is carried back through the
layers below, each ReLU replaced by one of its two lines according to the coefficient's sign; what arrives at the input
is bounded by r times the dual norm. Both methods share this pass and differ in the lower line (`relaxations`). The
last layer is taken for the differences f_k - f_j, as in both papers.

`linear_pass` holds the pass and its rounding, `second_layer` the shortcut for the second layer, `relaxations` the
lines. Deviations from the papers: none in the formula; CROWN-Ada takes the slope 1 when u = |l|; bounds are not
intersected with others. Where rounding leaves open which slope CROWN-Ada takes, a line below both is used, which
lowers the radius.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from relucert_core.certificates.intervals import unlimited
from relucert_core.certificates.over_balls.balls import BallMethod, certify_balls
from relucert_core.certificates.over_balls.centre import Centre, blocks, lowered, raised
from relucert_core.certificates.over_balls.linear_pass import Pass, Reach, carry_back
from relucert_core.certificates.over_balls.relaxations import (
    LayerBounds,
    below_crown,
    below_fast_lin,
    lean_of,
    lowest_crown,
    lowest_fast_lin,
    relax,
)
from relucert_core.certificates.over_balls.second_layer import second_layer
from relucert_core.certificates.result import LOWER_BOUND, Certificate, CertificateEntry
from relucert_core.deadline import check_time
from relucert_core.forward import at_label
from relucert_core.layers import Dense
from relucert_core.network import Network
from relucert_core.norms import NORMS
from relucert_core.rounding import SMALLEST, UNIT_ROUNDOFF, above

ALL = slice(None)
_ROWS = 512  # carried back at once: of a sparse layer, for its memory, and between two looks at the clock


@dataclass(frozen=True)
class SlopeRule:
    """How a method bounds a ReLU below. parallel: the lower line has the slope of the upper one.

    below: the rounded line, see `relaxations`. lowest: (l, u, the first layer's lean or None) -> the smallest value
    that the lower line can take over all radii, when l and u bound the neuron over the whole space.
    """

    name: str
    below: Callable[..., tuple[torch.Tensor, ...]]
    lowest: Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
    parallel: bool


FAST_LIN = SlopeRule("fast-lin", below_fast_lin, lowest_fast_lin, parallel=True)
CROWN_ADA = SlopeRule("crown-ada", below_crown, lowest_crown, parallel=False)


def margin_bounds(centre: Centre, rule: SlopeRule, index: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
    """(T, K): lower bounds on f_label - f_j over balls of `radii` (T,) around the centres `index` (T,).

    Never above the exact value of the method's own bound. A NaN means that numbers overflowed: nothing is proved.
    Raises OutOfTime past a deadline.
    """
    return torch.cat([_block_margins(centre, rule, index[b], radii[b]) for b in _blocks(centre, len(index))])


def layer_bounds(centre: Centre, rule: SlopeRule, index: torch.Tensor, radii: torch.Tensor) -> list[LayerBounds]:
    """The bounds on the pre-activations of the hidden layers over the balls, each (T, N_i); may raise OutOfTime."""
    parts = [climb(Pass(centre, index[b], radii[b]), rule)[1] for b in _blocks(centre, len(index))]
    return [
        LayerBounds(*(torch.cat(pieces) for pieces in zip(*(vars(b).values() for b in layer), strict=True)))
        for layer in zip(*parts, strict=True)
    ]


def _blocks(centre: Centre, count: int) -> list[slice]:
    return blocks(count, max(layer.outputs * layer.inputs for layer in centre.net.affine[1:]))


def _block_margins(centre: Centre, rule: SlopeRule, index: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
    state, found = climb(Pass(centre, index, radii), rule)
    state = relaxed(state, found[-1], rule)
    reach = carry_back(state, centre.rivals[index], parallel=rule.parallel, lower_only=True)
    margins = lowered(centre.gaps[index] - reach.down)
    return at_label(margins, centre.margins.label[index], torch.inf)


def climb(state: Pass, rule: SlopeRule) -> tuple[Pass, list[LayerBounds]]:
    """The bounds of all hidden layers, from the first to the last, and the pass that gave the last ones."""
    found = [first_layer(state)]
    for _ in state.centre.net.affine[1:-1]:
        state = relaxed(state, found[-1], rule)
        found.append(next_layer(state, rule))
    return state, found


def relaxed(state: Pass, bounds: LayerBounds, rule: SlopeRule) -> Pass:
    """The pass with the ReLUs of the next hidden layer, of these bounds, replaced by the rule's lines."""
    values, errors = _at_centre(state)
    carried = state.centre.net.affine[len(state.layers)].carried
    return state.with_lines(relax(bounds, values, errors, rule.below, carried))


def _at_centre(state: Pass) -> tuple[torch.Tensor, torch.Tensor]:
    """The values of the next layer at the centre and their error bounds, (T, N) each."""
    forward, depth = state.centre.forward, len(state.layers)
    return forward.values[depth][state.index], forward.errors[depth][state.index]


def first_layer(state: Pass) -> LayerBounds:
    """The closed form z(u) -+ r ||row||_dual."""
    values, errors = _at_centre(state)
    smaller, larger = state.centre.row_norms
    radii = state.radii.unsqueeze(-1)
    reach = above(above(radii * larger) + errors)
    slack = above(4 * errors + radii * (larger - smaller) + 32 * UNIT_ROUNDOFF * (values.abs() + reach) + SMALLEST)
    return LayerBounds(lowered(values - reach), raised(values + reach), slack, state.centre.lean[state.index])


def next_layer(state: Pass, rule: SlopeRule) -> LayerBounds:
    """The bounds of the hidden layer above the relaxed ones."""
    if len(state.layers) > 1:
        return _assemble(state, _carried_layer(state, rule))
    work = second_layer(state)
    bounds = _assemble(state, work.quick_reach())
    unsettled = ~((bounds.lower >= 0) | (bounds.upper <= 0))
    carried = state.centre.net.affine[1].carried
    if carried is not None:
        unsettled = unsettled & ~carried  # the lines of those are settled
    needed = unsettled.any(0).nonzero().squeeze(1)
    for rows in needed.split(_ROWS) if len(needed) else ():
        check_time()
        exact = _assemble(state, work.carry_rows(rows, parallel=rule.parallel), rows)
        for whole, piece in zip(vars(bounds).values(), vars(exact).values(), strict=True):
            # Only where a ball needs them itself: no ball's bounds depend on the others.
            whole[:, rows] = torch.where(unsettled[:, rows], piece, whole[:, rows])
    return bounds


def _carried_layer(state: Pass, rule: SlopeRule) -> Reach:
    """The reach of all pre-activations of the next layer; of a sparse one some rows at a time, for its memory."""
    layer = state.centre.net.affine[len(state.layers)]
    whole = isinstance(layer, Dense)
    parts = []
    for rows in torch.arange(layer.outputs).split(layer.outputs if whole else _ROWS):
        check_time()
        weight = layer.weight if whole else layer.rows(rows)
        parts.append(carry_back(state, weight.unsqueeze(0), parallel=rule.parallel))
    return Reach(*(torch.cat([getattr(part, name) for part in parts], dim=1) for name in ("down", "up", "slack")))


def _assemble(state: Pass, reach: Reach, rows: torch.Tensor | slice = ALL) -> LayerBounds:
    """value - error - down and value + error + up for `rows` of the layer, rounded outward."""
    values, errors = (part[:, rows] for part in _at_centre(state))
    assert state.lag is not None
    lower, upper = lowered(values - above(reach.down + errors)), raised(values + above(reach.up + errors))
    rounding = 32 * UNIT_ROUNDOFF * (values.abs() + torch.maximum(reach.down, reach.up))
    slack = above(above(above(2 * errors + reach.slack) + state.lag[:, rows]) + rounding)
    return LayerBounds(lower, upper, slack, lean_of(lower, upper, slack))


def _run(rule: SlopeRule) -> Callable[..., list[Certificate]]:
    def run(
        net: Network, points: torch.Tensor, *, norm: float, labels: torch.Tensor | None = None
    ) -> list[Certificate]:
        """The radius of each point (B, D) by this module's bounds; `certify_balls` has the search and the record."""

        def prepare(centre: Centre) -> BallMethod:
            return BallMethod(
                lambda index, radii: margin_bounds(centre, rule, index, radii), unlimited(centre, rule.lowest)
            )

        return certify_balls(rule.name, net, points, norm, labels, prepare)

    return run


ENTRIES = (
    CertificateEntry(
        name="fast-lin",
        place=40,
        title="Fast-Lin",
        run=_run(FAST_LIN),
        norms=NORMS,
        any_layers=True,
        guarantee=LOWER_BOUND,
        sentence="Replaces every ReLU by two parallel lines that enclose it, so that the whole network lies between "
        "two linear functions of the input, which are easy to bound over a ball.",
        reference="Weng et al., Towards Fast Computation of Certified Robustness for ReLU Networks (2018)",
    ),
    CertificateEntry(
        name="crown-ada",
        place=50,
        title="CROWN-Ada",
        run=_run(CROWN_ADA),
        norms=NORMS,
        any_layers=True,
        guarantee=LOWER_BOUND,
        sentence="Like Fast-Lin, but the line below each ReLU is chosen to leave out less: flat for a neuron that is "
        "mostly off, slope one for a neuron that is mostly on.",
        reference="Zhang et al., Efficient Neural Network Robustness Certification (2018)",
    ),
)
