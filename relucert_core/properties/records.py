"""A property of local robustness: a region of inputs, one class, and the classes that may not catch up with it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from relucert_core.arrays import Vector

SAT, UNSAT, UNKNOWN = "sat", "unsat", "unknown"


@dataclass(frozen=True)
class Interval:
    """The numbers from `lower` to `upper`; an open end leaves its own number out, None is no limit."""

    lower: Fraction | None = None
    upper: Fraction | None = None
    lower_open: bool = False
    upper_open: bool = False

    def __contains__(self, number: Fraction) -> bool:
        above = self.lower is None or number > self.lower or (number == self.lower and not self.lower_open)
        below = self.upper is None or number < self.upper or (number == self.upper and not self.upper_open)
        return above and below

    @property
    def empty(self) -> bool:
        """Is no number in it?"""
        if self.lower is None or self.upper is None:
            return False
        return self.lower > self.upper or (self.lower == self.upper and (self.lower_open or self.upper_open))


@dataclass(frozen=True)
class Ball:
    """|x - centre|^2 <= square (< where it is `open`), in all inputs, in rational numbers."""

    centre: tuple[Fraction, ...]
    square: Fraction
    open: bool = False

    def __contains__(self, point: list[Fraction]) -> bool:
        distance = sum(((x - c) ** 2 for x, c in zip(point, self.centre, strict=True)), start=Fraction(0))
        return distance < self.square or (distance == self.square and not self.open)


@dataclass(frozen=True)
class Property:
    """Is there an input in `box` and in `ball` (where there is one) at which a rival's score reaches the label's?

    inputs, outputs: how many the network must have. label: the class meant. rivals: the classes that break it by
    f_rival >= f_label; those in `strictly` only by f_rival > f_label. box: an interval an input.
    """

    inputs: int
    outputs: int
    label: int
    rivals: tuple[int, ...]
    strictly: frozenset[int]
    box: tuple[Interval, ...]
    ball: Ball | None = None

    def __contains__(self, point: list[Fraction]) -> bool:
        in_box = all(x in interval for x, interval in zip(point, self.box, strict=True))
        return in_box and (self.ball is None or point in self.ball)

    @property
    def bounded(self) -> bool:
        """Has every input two limits?"""
        return all(interval.lower is not None and interval.upper is not None for interval in self.box)


@dataclass(frozen=True, eq=False)
class Answer:
    """What is proved of a property.

    answer: "sat" (`witness`, (D,), lies in the region and breaks it, both proved), "unsat" (no input does) or
    "unknown". outputs: (K,), the scores at the witness as computed. seconds: the time spent.
    """

    answer: str
    witness: Vector | None
    outputs: Vector | None
    seconds: float

    def lines(self) -> list[str]:
        """The answer as the verification competition wants it: one word, then the witness where there is one."""
        if self.witness is None or self.outputs is None:
            return [self.answer]
        pairs = [f"(X_{i} {float(x)!r})" for i, x in enumerate(self.witness)]
        pairs += [f"(Y_{j} {float(y)!r})" for j, y in enumerate(self.outputs)]
        return [self.answer, *_in_brackets(pairs)]


def _in_brackets(pairs: list[str]) -> list[str]:
    inner = [pairs[0], *(f" {pair}" for pair in pairs[1:])]
    inner[0] = f"({inner[0]}"
    inner[-1] = f"{inner[-1]})"
    return inner
