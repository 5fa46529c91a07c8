"""The kinds of fields of a page: each reads its value from a link, writes it there, mends it and draws its control.

A new kind is one class in here and one line in `fields`. Streamlit is not imported: a control is drawn at a place that
comes in as an argument.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relucert_core.errors import RelucertError
from relucert_core.ranges import Range

Options = Mapping[Any, str] | Callable[[], Mapping[Any, str]]
LONGEST = 40  # letters of a number in a link, and of what a sentence repeats of it


class Unreadable(Exception):
    """A link's text for a field is not accepted; `value` is the nearest one that is."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


@dataclass(frozen=True)
class Kind:
    """What all kinds of fields have.

    default: the value that a link leaves out. words: the control's label. link: its name in the link, "" for the
    field's own name behind the page's prefix. panel: in which panel `PageState.panel` draws it, "" for none of them.
    help: more words. when: is the control drawn for this record?
    """

    default: Any
    words: str = ""
    link: str = ""
    panel: str = ""
    help: str | None = None
    when: Callable[[Any], bool] | None = None

    def read(self, text: str) -> Any:
        """The value that a link's text stands for; raises Unreadable."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """The text that stands for it in a link."""
        return str(value)

    def mended(self, value: Any) -> Any:
        """`value`, or the nearest accepted one, of whatever type it is."""
        try:
            return self.read(self.write(value))
        except Unreadable as problem:
            return problem.value
        except (TypeError, ValueError, AttributeError, OverflowError):
            return self.default

    def accepted(self) -> str:
        """What it accepts, in a few words."""
        return ""

    def draw(self, place: Any, value: Any, **more: Any) -> None:
        """Draw the control at `place`, a container of Streamlit.

        value: what it shows until the visitor changes it; `more` has its key and what a change calls.
        """
        raise NotImplementedError(f"A field of the kind {type(self).__name__} has no control.")

    def pieces(self, value: Any) -> dict[str, tuple[Kind, Any]]:
        """The controls that it is drawn with: for each a name, "" for the only one, its kind and what it shows."""
        return {"": (self, value)}

    def joined(self, value: Any, piece: str, new: Any) -> Any:
        """`value`, once its control `piece` shows `new`."""
        return new


def _offered(titles: Mapping[Any, str], more: dict[str, Any]) -> Mapping[Any, str]:
    """Those of the options that a page offers at the moment: `offered` of its call, which is taken out; or all."""
    offered = more.pop("offered", None)
    return titles if offered is None else {value: title for value, title in titles.items() if value in offered}


@dataclass(frozen=True)
class Number(Kind):
    """A number of `range`. look: "number" or "slider"; step and format as Streamlit takes them; kind: int or float."""

    range: Range = dataclasses.field(default_factory=lambda: Range(0, 1))
    step: float | None = None
    format: str | None = None
    look: str = "number"

    def read(self, text: str) -> Any:
        """Whole numbers of any length, and what float() takes; what lies outside goes to the nearest end."""
        text = text.strip()
        if self.range.whole:
            if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
                raise Unreadable(self.default)
            value: float = int(text) if len(text) < 20 else math.copysign(math.inf, -1 if text[0] == "-" else 1)
        else:
            try:
                value = float(text)
            except ValueError:
                raise Unreadable(self.default) from None
            if math.isnan(value):
                raise Unreadable(self.default)
        near = self.range.nearest(value)
        if near != value:
            raise Unreadable(near)
        return near

    def write(self, value: Any) -> str:
        """As short as it comes back the same."""
        return str(value) if self.range.whole else repr(float(value)).removesuffix(".0")

    def accepted(self) -> str:
        """The two ends."""
        return f"{'whole numbers from ' if self.range.whole else ''}{self.range}"

    def draw(self, place: Any, value: Any, **more: Any) -> None:
        """A slider or a box for a number."""
        make = place.slider if self.look == "slider" else place.number_input
        least, most = self.range.least, self.range.most
        kind = int if self.range.whole else float
        more = {"step": self.step, "format": self.format, "help": self.help} | more
        make(self.words, kind(least), kind(most), kind(value), **more)


@dataclass(frozen=True)
class Choice(Kind):
    """One of `options` (value -> title; or a function). look: "select", "segmented", "pills" or "steps"."""

    options: Options = dataclasses.field(default_factory=dict)
    look: str = "select"

    @property
    def titles(self) -> Mapping[Any, str]:
        """The options as they are now."""
        return self.options() if callable(self.options) else self.options

    def read(self, text: str) -> Any:
        """An option by its value, or by the title that the control shows."""
        for value, title in self.titles.items():
            if text in (self.write(value), title):
                return value
        raise Unreadable(self._nearest(text))

    def _nearest(self, text: str) -> Any:
        """Of numbers the one next to it, else the default."""
        options = list(self.titles)
        try:
            wanted = float(text)
        except ValueError:
            return self.default
        if math.isnan(wanted) or not all(isinstance(option, int | float) for option in options):
            return self.default
        return min(options, key=lambda option: abs(option - wanted))

    def write(self, value: Any) -> str:
        """A number as short as can be."""
        return f"{value:g}" if isinstance(value, float) else str(value)

    def accepted(self) -> str:
        """The first options."""
        titles = list(self.titles.values())
        return ", ".join(titles[:8]) + (", ..." if len(titles) > 8 else "")

    def draw(self, place: Any, value: Any, **more: Any) -> None:
        """The control of its look; `offered`: only these options."""
        titles = _offered(self.titles, more)
        looks = {"select": "selectbox", "segmented": "segmented_control", "pills": "pills", "steps": "select_slider"}
        if self.look == "select":
            more["index"] = list(titles).index(value) if value in titles else 0
        elif self.look == "steps":
            more["value"] = value
        else:
            more = {"required": True, "default": value if value in titles else None} | more
        more = {"format_func": lambda option: titles.get(option, str(option)), "help": self.help} | more
        getattr(place, looks[self.look])(self.words, list(titles), **more)


@dataclass(frozen=True)
class Switch(Kind):
    """Yes or no; `on` is how a link says yes (it may also say true)."""

    on: str = "true"

    def read(self, text: str) -> bool:
        """Yes, no, or nothing that is known."""
        if text.lower() in ("true", "1", self.on):
            return True
        if text.lower() in ("false", "0", ""):
            return False
        raise Unreadable(self.default)

    def write(self, value: Any) -> str:
        """`on`, or false."""
        return self.on if value else "false"

    def accepted(self) -> str:
        """Yes and no."""
        return f"{self.on} or false"

    def draw(self, place: Any, value: Any, **more: Any) -> None:
        """A toggle."""
        place.toggle(self.words, value, **({"help": self.help} | more))


@dataclass(frozen=True)
class Several(Kind):
    """Any of `options` (value -> title), in their order, as a tuple."""

    options: Options = dataclasses.field(default_factory=dict)

    @property
    def titles(self) -> Mapping[Any, str]:
        """The options as they are now."""
        return self.options() if callable(self.options) else self.options

    def read(self, text: str) -> tuple[Any, ...]:
        """The known ones among the names between tildes."""
        names = text.split("~") if text else []
        known = tuple(value for value in self.titles if value in names)
        if not set(names) <= set(known):
            raise Unreadable(known)
        return known

    def write(self, value: Any) -> str:
        """Names between tildes."""
        return "~".join(value)

    def accepted(self) -> str:
        """All of them."""
        return ", ".join(self.titles)

    def draw(self, place: Any, value: Any, **more: Any) -> None:
        """Pills of which several may be lit; `offered`: only these options."""
        titles = _offered(self.titles, more)
        more = {"format_func": lambda option: titles.get(option, str(option)), "help": self.help} | more
        value = [option for option in value if option in titles]
        place.pills(self.words, list(titles), selection_mode="multi", default=value, **more)


@dataclass(frozen=True)
class Numbers(Kind):
    """`count` numbers of `range` as a tuple, such as a point; `ordered`: pairs, each with its smaller number first."""

    range: Range = dataclasses.field(default_factory=lambda: Range(-10.0, 10.0))
    count: int = 2
    separator: str = "~"
    ordered: bool = False

    def read(self, text: str) -> tuple[float, ...]:
        """Numbers between separators."""
        parts = text.split(self.separator)
        try:
            numbers = tuple(float(part) for part in parts if len(part) <= LONGEST)
        except ValueError:
            raise Unreadable(self.default) from None
        if len(numbers) != self.count or len(parts) != self.count or any(map(math.isnan, numbers)):
            raise Unreadable(self.default)
        near = tuple(self.range.nearest(number) for number in numbers)
        if self.ordered and any(low >= high for low, high in zip(near[::2], near[1::2], strict=True)):
            raise Unreadable(self.default)
        if near != numbers:
            raise Unreadable(near)
        return numbers

    def write(self, value: Any) -> str:
        """Ten digits are more than a screen shows."""
        return self.separator.join(f"{number:.10g}" for number in value)

    def accepted(self) -> str:
        """How many of which."""
        return f"{self.count} numbers from {self.range} with {self.separator} between them"


@dataclass(frozen=True)
class Wholes(Kind):
    """A tuple of whole numbers of `range`, as many as `counts` accepts, such as the widths of layers.

    each: what one of them is called; its number follows.
    """

    range: Range = dataclasses.field(default_factory=lambda: Range(1, 10, whole=True))
    counts: Range = dataclasses.field(default_factory=lambda: Range(1, 10, whole=True))
    each: str = "Number"

    def pieces(self, value: Any) -> dict[str, tuple[Kind, Any]]:
        """How many there are, and each of them."""
        count = Number(len(value), self.words, range=self.counts, look="slider", help=self.help)
        one = [Number(number, f"{self.each} {i}", range=self.range) for i, number in enumerate(value, start=1)]
        return {"_count": (count, len(value)), **{f"_{i}": (kind, kind.default) for i, kind in enumerate(one)}}

    def joined(self, value: Any, piece: str, new: Any) -> Any:
        """More of them: the last one is repeated."""
        if piece == "_count":
            return (*value, *[value[-1]] * int(new))[: int(new)]
        return tuple(int(new) if piece == f"_{i}" else number for i, number in enumerate(value))

    def read(self, text: str) -> tuple[int, ...]:
        """Numbers between tildes; too many of them are cut off."""
        one = Number(self.range.least, range=self.range)
        found, good = [], True
        parts = text.split("~")
        for part in parts[: int(self.counts.most)]:
            try:
                found.append(one.read(part))
            except Unreadable as problem:
                if not re.fullmatch(r"[+-]?[0-9]+", part, re.ASCII):
                    raise Unreadable(self.default) from None
                found.append(problem.value)
                good = False
        if not good or len(parts) != len(found):
            raise Unreadable(tuple(found))
        return tuple(found)

    def write(self, value: Any) -> str:
        """Numbers between tildes."""
        return "~".join(map(str, value))

    def accepted(self) -> str:
        """How many of which."""
        return f"{self.counts} whole numbers from {self.range} with ~ between them"


@dataclass(frozen=True)
class Maybe(Kind):
    """A value of another kind, or None, which a link calls `none`."""

    of: Kind = dataclasses.field(default_factory=lambda: Kind(None))
    none: str = "none"

    def read(self, text: str) -> Any:
        """None, or what the other kind reads."""
        return None if text == self.none else self.of.read(text)

    def write(self, value: Any) -> str:
        """None by its name."""
        return self.none if value is None else self.of.write(value)

    def accepted(self) -> str:
        """Both."""
        return f"{self.none} or {self.of.accepted()}"


@dataclass(frozen=True)
class Word(Kind):
    """A word that only `check` understands; it raises RelucertError with what is wrong. "" is always accepted."""

    check: Callable[[str], Any] = str

    def read(self, text: str) -> str:
        """The word itself."""
        if text:
            try:
                self.check(text)
            except RelucertError:
                raise Unreadable(self.default) from None
        return text

    def accepted(self) -> str:
        """A whole link."""
        return "what a link of this page says, copied as a whole"
