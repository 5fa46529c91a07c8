"""The fields of a page: one frozen record, from which session state, link and controls come. No Streamlit in here.

A field of the record is declared in one line, with its default, the values that it accepts and its words:

    seconds: int = number(30, Range(1, 600, whole=True), "Stop after (seconds)", panel="search")

Its kind reads it from a link, writes it there, mends a value that is not accepted, and draws its control. Ranges and
options are the engine's own objects wherever the engine checks them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pages.shared.kinds import (
    LONGEST,
    Choice,
    Kind,
    Maybe,
    Number,
    Numbers,
    Options,
    Several,
    Switch,
    Unreadable,
    Wholes,
    Word,
)
from relucert_core.ranges import Range

R = TypeVar("R")


def _declared(kind: type[Kind], default: Any, *positional: Any, **values: Any) -> Any:
    made = kind(default, *positional, **values)
    return dataclasses.field(default=default, metadata={"kind": made})


def number(default: float, range: Range, words: str = "", **more: Any) -> Any:
    """A field with a number, whole when the range is. more: step, format, look ("number" or "slider"), see Kind too."""
    return _declared(Number, default, words, range=range, **more)


def choice(default: Any, options: Options, words: str = "", *, kind: type[Choice] = Choice, **more: Any) -> Any:
    """A field with one of `options`. more: look ("select", "segmented", "pills", "steps"), see Kind too."""
    return _declared(kind, default, words, options=options, **more)


def switch(words: str = "", **more: Any) -> Any:
    """A field with yes or no, which is no unless a link says so."""
    return _declared(Switch, False, words, **more)


def several(default: tuple[Any, ...], options: Options, words: str = "", **more: Any) -> Any:
    """A field with any of `options`."""
    return _declared(Several, default, words, options=options, **more)


def numbers(default: tuple[float, ...], range: Range, words: str = "", **more: Any) -> Any:
    """A field with as many numbers as the default has. more: separator, ordered, see Kind too."""
    return _declared(Numbers, default, words, range=range, count=len(default), **more)


def wholes(default: tuple[int, ...], range: Range, counts: Range, words: str = "", **more: Any) -> Any:
    """A field with several whole numbers."""
    return _declared(Wholes, default, words, range=range, counts=counts, **more)


def maybe(of: Kind, none: str, words: str = "", **more: Any) -> Any:
    """A field with a value of the kind `of`, or None, which is the default."""
    return _declared(Maybe, None, words, of=of, none=none, **more)


def word(check: Callable[[str], Any], words: str = "", **more: Any) -> Any:
    """A field with a word that `check` understands; "" by default."""
    return _declared(Word, "", words, check=check, **more)


def kinds(record: type | object) -> dict[str, Kind]:
    """The kinds of a record's fields by name."""
    return {field.name: field.metadata["kind"] for field in dataclasses.fields(record)}  # type: ignore[arg-type]


def names_in_links(record: type | object, prefix: str) -> dict[str, str]:
    """How a link calls each field: field -> parameter."""
    return {name: kind.link or prefix + name for name, kind in kinds(record).items()}


def mended(record: R) -> R:
    """The record with every value accepted; a record's own `settled()` has the rules between its fields."""
    values = {name: kind.mended(getattr(record, name)) for name, kind in kinds(record).items()}
    good: Any = dataclasses.replace(record, **values)  # type: ignore[type-var]
    return good.settled() if hasattr(good, "settled") else good


def read_link(link: Mapping[str, str], home: R, prefix: str, only: Sequence[str] | None = None) -> tuple[R, list[str]]:
    """The record that a link means over `home`, which has what it leaves out, and a clause for each value put right.

    only: the fields that are read. A clause names the field, what came (as code) and what is shown instead.
    """
    values: dict[str, Any] = {}
    clauses = []
    parameters = names_in_links(home, prefix)
    for name, kind in kinds(home).items():
        if parameters[name] not in link or (only is not None and name not in only):
            continue
        text = link[parameters[name]]
        try:
            values[name] = kind.read(text)
        except Unreadable as problem:
            values[name] = problem.value
            shown = kind.write(problem.value) or "nothing"
            clauses.append(f"{parameters[name]} = {text[:LONGEST]} ({kind.accepted()}; now {shown[:LONGEST]})")
    found: Any = dataclasses.replace(home, **values)  # type: ignore[type-var]
    if hasattr(found, "settled"):
        settled = found.settled()
        for name, kind in kinds(found).items():
            if getattr(settled, name) != getattr(found, name) and name in values:
                clauses.append(
                    f"{parameters[name]} = {kind.write(getattr(found, name))[:LONGEST]} "
                    f"(now {kind.write(getattr(settled, name))[:LONGEST]})"
                )
        found = settled
    return found, clauses


def write_link(record: Any, home: Any, prefix: str) -> dict[str, str]:
    """The parameters of the link to `record`: what equals `home` is left out."""
    parameters = names_in_links(record, prefix)
    return {
        parameters[name]: kind.write(getattr(record, name))
        for name, kind in kinds(record).items()
        if getattr(record, name) != getattr(home, name)
    }
