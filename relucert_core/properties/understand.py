"""From assertions to a `Property`, or one sentence about what in them is no question of local robustness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from relucert_core.errors import InvalidInput, Unsupported
from relucert_core.properties.expressions import (
    COMPARISONS,
    INPUT,
    OUTPUT,
    Expression,
    Polynomial,
    Term,
    Variable,
    excess,
    kinds,
)
from relucert_core.properties.records import Ball, Interval, Property

_TAKEN = "one box or L2 ball of inputs, and one class against others (or-ed comparisons of two outputs)"


def understand(assertions: Sequence[Expression], inputs: int, outputs: int) -> Property:
    """The property that all `assertions` together state of a network with these numbers of inputs and outputs.

    Raises Unsupported for what is no box or ball, or not one class against others; InvalidInput for what has no sense.
    """
    box, balls, rivals = [Interval()] * inputs, list[Ball](), list[tuple[int, int, bool]]()
    for part in (p for assertion in assertions for p in _conjuncts(assertion)):
        if part.operator == "or":
            if rivals:
                raise Unsupported(f"Several conditions on the outputs must hold at once: what is taken is {_TAKEN}.")
            rivals = [_rival(*_single(branch)) for branch in part.parts]
            continue
        terms, strict = excess(part)
        if kinds(terms) == {OUTPUT}:
            if rivals:
                raise Unsupported(f"Several conditions on the outputs must hold at once: what is taken is {_TAKEN}.")
            rivals = [_rival(terms, strict)]
        elif kinds(terms) == {INPUT}:
            _limit(terms, strict, box, balls, inputs)
        else:
            raise Unsupported(f"A condition binds inputs to outputs, or neither: what is taken is {_TAKEN}.")
    if not rivals:
        raise Unsupported(f"There is no condition on the outputs: what is taken is {_TAKEN}.")
    if len({label for label, _, _ in rivals}) > 1:
        raise Unsupported(f"The conditions on the outputs are about several classes: what is taken is {_TAKEN}.")
    if len(balls) > 1:
        raise Unsupported("Two L2 balls are given at once: give one.")
    return Property(
        inputs=inputs,
        outputs=outputs,
        label=rivals[0][0],
        rivals=tuple(dict.fromkeys(rival for _, rival, _ in rivals)),
        strictly=frozenset(r for _, r, strict in rivals if strict) - {r for _, r, strict in rivals if not strict},
        box=tuple(box),
        ball=balls[0] if balls else None,
    )


def _conjuncts(expression: Expression) -> list[Term]:
    """The parts that must all hold. Raises InvalidInput for what is no statement."""
    if not isinstance(expression, Term) or expression.operator not in ("and", "or", *COMPARISONS):
        raise InvalidInput("An assertion must be a comparison, an `and` or an `or`.")
    if expression.operator == "and" or (expression.operator == "or" and len(expression.parts) == 1):
        return [part for inner in expression.parts for part in _conjuncts(inner)]
    return [expression]


def _single(branch: Expression) -> tuple[Polynomial, bool]:
    """The one comparison of outputs that a branch of an `or` consists of."""
    parts = _conjuncts(branch)
    if len(parts) != 1 or parts[0].operator == "or":
        raise Unsupported(f"A branch of an `or` holds several conditions: what is taken is {_TAKEN}.")
    terms, strict = excess(parts[0])
    if kinds(terms) != {OUTPUT}:
        raise Unsupported(f"An `or` is about inputs: what is taken is {_TAKEN}.")
    return terms, strict


def _rival(terms: Polynomial, strict: bool) -> tuple[int, int, bool]:
    """(label, rival, strict) of f_label - f_rival <= 0."""
    signs = {m[0].index: value for m, value in terms.items() if len(m) == 1}
    if len(signs) != 2 or len(terms) != 2 or sum(signs.values(), start=Fraction(0)) != 0:
        raise Unsupported(f"A condition on the outputs is no comparison of two of them: what is taken is {_TAKEN}.")
    label, rival = sorted(signs, key=lambda index: -signs[index])
    return label, rival, strict


def _limit(terms: Polynomial, strict: bool, box: list[Interval], balls: list[Ball], inputs: int) -> None:
    """Narrow the box by a limit of one input, or add a ball."""
    if any(len(monomial) == 2 for monomial in terms):
        balls.append(_ball(terms, strict, inputs))
        return
    named = [monomial[0] for monomial in terms if monomial]
    if len(named) != 1:
        raise Unsupported(f"A linear condition binds {len(named)} inputs to one another: what is taken is {_TAKEN}.")
    factor, index = terms[(named[0],)], named[0].index
    bound, old = -terms.get((), Fraction(0)) / factor, box[index]
    if factor > 0:
        if old.upper is None or bound < old.upper or (bound == old.upper and strict):
            box[index] = replace(old, upper=bound, upper_open=strict)
    elif old.lower is None or bound > old.lower or (bound == old.lower and strict):
        box[index] = replace(old, lower=bound, lower_open=strict)


def _ball(terms: Polynomial, strict: bool, inputs: int) -> Ball:
    """q sum (x_i - c_i)^2 + rest <= 0 with the squares completed; Unsupported for any other quadratic."""
    xs = [Variable(INPUT, i) for i in range(inputs)]
    squares = {terms.get((x, x), Fraction(0)) for x in xs}
    mixed = [m for m in terms if len(m) == 2 and m[0] != m[1]]
    if len(squares) != 1 or mixed or min(squares) <= 0:
        raise Unsupported(
            "A quadratic condition is no L2 ball: the squares of all inputs need the same positive factor, and no two "
            "inputs may be multiplied."
        )
    factor = squares.pop()
    centre = tuple(-terms.get((x,), Fraction(0)) / (2 * factor) for x in xs)
    square = sum((c * c for c in centre), start=Fraction(0)) - terms.get((), Fraction(0)) / factor
    return Ball(centre, square, strict)
