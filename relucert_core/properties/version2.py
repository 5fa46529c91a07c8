"""VNN-LIB 2, parsed by the package `vnnlib`, whose tree is walked here: its own `compat` takes no L2 balls."""

from __future__ import annotations

import json
from math import prod
from typing import Any

from relucert_core.errors import InvalidInput, Unsupported, shown
from relucert_core.properties.expressions import INPUT, OUTPUT, Expression, Term, Variable
from relucert_core.properties.records import Property
from relucert_core.properties.understand import understand
from relucert_core.properties.version1 import exact_number

_OPERATORS = {
    "And": "and",
    "Or": "or",
    "LessEqual": "<=",
    "LessThan": "<",
    "GreaterEqual": ">=",
    "GreaterThan": ">",
    "Equal": "==",
    "NotEqual": "!=",
    "Plus": "+",
    "Minus": "-",
    "Multiply": "*",
    "Negate": "-",
}


def read_version2(text: str) -> Property:
    """The property in a file of version 2: one network, one input and one output tensor, both of any shape.

    Raises Unsupported without the package `vnnlib` and for what is not taken, InvalidInput for a text that it refuses.
    """
    try:
        import vnnlib
    except ImportError:
        raise Unsupported(
            "A VNN-LIB 2 property needs the package vnnlib: pip install 'relucert[vnnlib]'; version 1 needs none."
        ) from None
    try:
        query = vnnlib.parse_query_string(text)
    except Exception as error:  # its own exception, or what C++ raises
        raise InvalidInput(f"The text is no VNN-LIB 2: {_complaint(str(error))}.") from None
    if len(query.networks) != 1:
        raise Unsupported(f"{len(query.networks)} networks are declared: one is taken.")
    network = query.networks[0]
    inputs, outputs = tuple(network.inputs), tuple(network.outputs)
    if len(inputs) != 1 or len(outputs) != 1 or tuple(network.hidden):
        raise Unsupported("One input and one output are taken, and no hidden tensor.")
    names = {inputs[0].name: (INPUT, tuple(inputs[0].shape)), outputs[0].name: (OUTPUT, tuple(outputs[0].shape))}
    assertions = [_expression(assertion.expr, names) for assertion in query.assertions]
    return understand(assertions, prod(inputs[0].shape), prod(outputs[0].shape))


def _complaint(text: str) -> str:
    """What the parser says, shortened: its first error where it lists them as JSON."""
    try:
        first = json.loads(text)["errors"][0]
        text = f"{first['message']} in line {first['line']} ({first['hint']})"
    except (ValueError, LookupError, TypeError):
        pass
    return shown(text.strip(" ."), 150)


def _expression(node: Any, names: dict[str, tuple[str, tuple[int, ...]]]) -> Expression:
    kind = type(node).__name__
    if kind == "Var":
        return _variable(node, names)
    if kind in ("Float", "Int", "Literal"):
        return exact_number(str(node.lexeme))
    if kind not in _OPERATORS:
        raise Unsupported(f"The operator {shown(kind)} is not taken.")
    return Term(_OPERATORS[kind], tuple(_expression(part, names) for part in node.children()))


def _variable(node: Any, names: dict[str, tuple[str, tuple[int, ...]]]) -> Variable:
    """A tensor's entry by its flat index, rows first."""
    kind, shape = names[node.name]
    index = 0
    for i, size in zip(node.indices, shape, strict=True):
        index = index * size + i
    return Variable(kind, index)
