"""VNN-LIB 1: S-expressions with declared constants X_i and Y_j. The package `vnnlib` reads only version 2."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from relucert_core.errors import InvalidInput, Unsupported, shown
from relucert_core.properties.expressions import COMPARISONS, INPUT, OUTPUT, Expression, Term, Variable
from relucert_core.properties.records import Property
from relucert_core.properties.understand import understand

_TOKEN = re.compile(r"[()]|[^\s()]+")
_NAME = re.compile(r"([XY])_(\d{1,9})\Z")
_IGNORED = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")
MOST_NESTED = 200  # brackets within brackets; what people write needs four
_LARGEST_EXPONENT = 5000
_OPERATORS = ("+", "-", "*", "and", "or", *COMPARISONS)
_Tree = str | list["_Tree"]


def read_version1(text: str) -> Property:
    """The property in a file of version 1. Raises InvalidInput or Unsupported, which names what is not taken."""
    counts = {INPUT: set[int](), OUTPUT: set[int]()}
    assertions: list[Expression] = []
    for command in _trees(text):
        head = command[0] if isinstance(command, list) and command else command
        if head == "declare-const":
            _declare(command, counts)
        elif head == "assert":
            if len(command) != 2:
                raise InvalidInput("An `assert` takes one statement.")
            assertions.append(_expression(command[1], counts))
        elif head not in _IGNORED:
            raise Unsupported(f"The command {shown(head)} is not taken: declare-const and assert are.")
    for kind, seen in counts.items():
        if not seen or seen != set(range(len(seen))):
            raise InvalidInput(f"The declared {kind}s must be numbered from 0 without gaps; {len(seen)} came.")
    return understand(assertions, len(counts[INPUT]), len(counts[OUTPUT]))


def _trees(text: str) -> list[_Tree]:
    """The bracketed expressions of a text; everything from ; to the end of a line is a comment."""
    open_lists: list[list[_Tree]] = [[]]
    for line in text.splitlines():
        for token in _TOKEN.findall(line.partition(";")[0]):
            if token == "(":
                open_lists.append([])
                if len(open_lists) > MOST_NESTED:
                    raise InvalidInput(f"Brackets stand within brackets more than {MOST_NESTED} deep.")
            elif token == ")":
                if len(open_lists) == 1:
                    raise InvalidInput("A closing bracket has no opening one.")
                closed = open_lists.pop()
                open_lists[-1].append(closed)
            else:
                open_lists[-1].append(token)
    if len(open_lists) > 1:
        raise InvalidInput(f"{len(open_lists) - 1} opening bracket(s) are never closed.")
    return open_lists[0]


def _declare(command: _Tree, counts: dict[str, set[int]]) -> None:
    found = _NAME.match(command[1]) if len(command) == 3 and isinstance(command[1], str) else None
    if found is None or command[2] != "Real":
        raise Unsupported("Only constants X_i and Y_j of sort Real may be declared.")
    counts[INPUT if found[1] == "X" else OUTPUT].add(int(found[2]))


def _expression(tree: _Tree, counts: dict[str, set[int]]) -> Expression:
    if isinstance(tree, str):
        found = _NAME.match(tree)
        if found is None:
            return exact_number(tree)
        kind, index = INPUT if found[1] == "X" else OUTPUT, int(found[2])
        if index not in counts[kind]:
            raise InvalidInput(f"{shown(tree)} is used before it is declared.")
        return Variable(kind, index)
    if not tree or (tree[0] not in _OPERATORS and tree[0] != "="):
        raise Unsupported(f"The operator {shown(tree[0] if tree else '()')} is not taken.")
    operator = "==" if tree[0] == "=" else str(tree[0])
    return Term(operator, tuple(_expression(part, counts) for part in tree[1:]))


def exact_number(text: str) -> Fraction:
    """A decimal number, exactly."""
    try:
        number = Decimal(text)
        if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT or len(text) > _LARGEST_EXPONENT:
            raise InvalidOperation
        return Fraction(number)
    except (InvalidOperation, ValueError):
        raise InvalidInput(f"{shown(text)} is neither a declared constant nor a number.") from None
