"""What both versions of VNN-LIB say, as one kind of tree, and exact polynomials of its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from relucert_core.errors import InvalidInput, Unsupported, shown

INPUT, OUTPUT = "input", "output"
COMPARISONS = ("<=", "<", ">=", ">", "==", "!=")


@dataclass(frozen=True, order=True)
class Variable:
    """One number that the property speaks of: an input or an output of the network, by its flat index."""

    kind: str
    index: int


@dataclass(frozen=True)
class Term:
    """An operator over terms, numbers and variables: `operator` is "+", "-", "*", a comparison, "and" or "or"."""

    operator: str
    parts: tuple[Expression, ...]


Expression = Term | Variable | Fraction
Polynomial = Mapping[tuple[Variable, ...], Fraction]
"""Coefficients by monomial, each a sorted tuple of at most two variables; () is the constant."""


def polynomial(expression: Expression) -> Polynomial:
    """The expression multiplied out, without rounding. Raises Unsupported above degree 2, InvalidInput for logic."""
    if isinstance(expression, Fraction):
        return {(): expression}
    if isinstance(expression, Variable):
        return {(expression,): Fraction(1)}
    parts = [polynomial(part) for part in expression.parts]
    if not parts or expression.operator not in ("+", "-", "*"):
        raise InvalidInput(f"An arithmetic operator belongs where {shown(expression.operator)} stands.")
    if expression.operator == "-" and len(parts) == 1:
        return _scaled(parts[0], Fraction(-1))
    total = parts[0]
    for part in parts[1:]:
        if expression.operator == "*":
            total = _product(total, part)
        else:
            total = _sum(total, part if expression.operator == "+" else _scaled(part, Fraction(-1)))
    return total


def excess(comparison: Term) -> tuple[Polynomial, bool]:
    """(p, strict): the comparison says p <= 0, or p < 0 where it is strict. Raises Unsupported for == and !=."""
    if comparison.operator in ("==", "!=") or len(comparison.parts) != 2:
        raise Unsupported(
            f"The comparison {shown(comparison.operator)} of {len(comparison.parts)} terms is not taken: "
            "write <=, <, >= or > between two."
        )
    left, right = (polynomial(part) for part in comparison.parts)
    if comparison.operator in (">=", ">"):
        left, right = right, left
    return _sum(left, _scaled(right, Fraction(-1))), comparison.operator in ("<", ">")


def value(terms: Polynomial, inputs: list[Fraction]) -> Fraction:
    """A polynomial of the inputs alone at a point, without rounding."""
    total = Fraction(0)
    for monomial, factor in terms.items():
        for variable in monomial:
            factor = factor * inputs[variable.index]
        total += factor
    return total


def kinds(terms: Polynomial) -> set[str]:
    """Which kinds of variables it holds."""
    return {variable.kind for monomial in terms for variable in monomial}


def _scaled(terms: Polynomial, factor: Fraction) -> Polynomial:
    return {monomial: factor * value for monomial, value in terms.items()}


def _sum(first: Polynomial, second: Polynomial) -> Polynomial:
    total = dict(first)
    for monomial, value in second.items():
        total[monomial] = total.get(monomial, Fraction(0)) + value
    return {monomial: value for monomial, value in total.items() if value}


def _product(first: Polynomial, second: Polynomial) -> Polynomial:
    total: dict[tuple[Variable, ...], Fraction] = {}
    for a, x in first.items():
        for b, y in second.items():
            monomial = tuple(sorted(a + b))
            if len(monomial) > 2:
                raise Unsupported("A product of three variables is not taken: boxes and L2 balls need two at most.")
            total[monomial] = total.get(monomial, Fraction(0)) + x * y
    return {monomial: value for monomial, value in total.items() if value}
