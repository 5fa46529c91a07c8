"""Tensors whose entries are affine forms of earlier values, and the ReLUs that make new values.

A reader walks through a network's operations with `Form`s in place of numbers. The values that forms refer to come in
blocks: the input is one, each ReLU makes one. Affine operations only rewrite forms, so that convolution, batch norm,
pooling by averages and the next convolution merge by themselves; `relucert_core.importers.merge` turns the blocks into
layers. What a form needs from the surroundings (limits, where we are, what was rounded) is in its `Trace`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from relucert_core.errors import Unsupported
from relucert_core.importers import rows as matrices
from relucert_core.importers.limits import Limits
from relucert_core.importers.rows import Picks, Rows

_NUMBERS = itertools.count()


@dataclass(frozen=True, eq=False)
class Block:
    """Values that forms may refer to: the input (`form` None), ReLUs of a form, or a form carried on as it is.

    level: how many ReLU layers lie before its values, its own counted. number: the order in which blocks were made.
    """

    size: int
    level: int
    form: Form | None = field(repr=False)
    rectified: bool
    number: int = field(default_factory=lambda: next(_NUMBERS))


@dataclass(frozen=True, eq=False)
class Form:
    """A tensor of affine forms: entry i of the flattened tensor is bias[i] + sum over blocks of (terms[block] v)[i].

    shape: the tensor's. terms: for each block a matrix (size, block.size). bias: (size,).
    """

    shape: tuple[int, ...]
    terms: dict[Block, Rows] = field(repr=False)
    bias: np.ndarray = field(repr=False)
    trace: Trace = field(repr=False)

    @property
    def size(self) -> int:
        """How many entries the tensor has."""
        return len(self.bias)

    @property
    def level(self) -> int:
        """The largest level of the blocks referred to."""
        return max((block.level for block, rows in self.terms.items() if matrices.entries(rows)), default=0)

    @property
    def entries(self) -> int:
        """How many coefficients the form stores."""
        return sum(matrices.entries(rows) for rows in self.terms.values())

    def places(self) -> np.ndarray:
        """The flat positions of the entries, in the tensor's shape."""
        return np.arange(self.size).reshape(self.shape)

    def reshape(self, *shape: int) -> Form:
        """The same entries in another shape; one length may be -1."""
        return moved(lambda places: places.reshape(shape), self)


@dataclass
class Trace:
    """What the walk through one network knows: limits, the operation it is at, and what had to be rounded.

    trained_on: the source's own inputs are a + (b - a) x for points x.
    place: a name for the node in messages, such as "node 'conv1' (Conv)". operation: its operation alone.
    rounded: the operations whose coefficients were rounded to float64, in order. notes: words for the card.
    """

    limits: Limits
    trained_on: tuple[float, float] = (0.0, 1.0)
    place: str = "the input"
    operation: str = "input"
    rounded: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def input(self, shape: Sequence[int]) -> Form:
        """The source's input in the given shape, as a form of the points: a + (b - a) x."""
        if not shape or any(length < 1 for length in shape):
            self.refuse(f"its shape {tuple(shape)} holds no numbers.")
        size = math.prod(shape)
        self.room(size, "its length")
        block = Block(size, 0, None, rectified=False)
        points = Form(tuple(shape), {block: Picks(np.arange(size), size)}, np.zeros(size), self)
        low, high = self.trained_on
        if (low, high) == (0.0, 1.0):
            return points
        self.operation = "trained_on"
        self.exact(matrices.exact_sum(high, -low))
        return add(scale(points, high - low), self.constant(low))

    def constant(self, values: Any) -> Form:
        """An array of numbers as a form without terms."""
        array = np.asarray(values, dtype=np.float64)
        return Form(array.shape, {}, array.reshape(-1), self)

    def refuse(self, reason: str) -> NoReturn:
        """Raise Unsupported with the place in front."""
        raise Unsupported(f"{self.place[0].upper()}{self.place[1:]}: {reason}")

    def exact(self, exact: bool) -> None:
        """Remember the operation when it was not free of rounding."""
        if not exact:
            self.rounded.setdefault(self.operation)

    def room(self, count: float, what: str = "its result") -> None:
        """Refuse before `count` coefficients or numbers are made, when there is no room for them."""
        self.limits.check(count, f"{self.place}: {what}")


def moved(move: Callable[[np.ndarray], np.ndarray], *forms: Form) -> Form:
    """The tensor whose entries come from the forms' entries as `move` says.

    `move` is given one array of positions for each form (in the form's shape; entries of different forms never share
    a number) and returns an array of positions; -1 stands for 0. Exact.
    """
    trace = forms[0].trace
    starts = np.cumsum([0, *(form.size for form in forms)])
    index = np.asarray(move(*(form.places() + start for form, start in zip(forms, starts, strict=False))))
    return picked(joined(forms), index) if len(forms) > 1 else picked(forms[0], index, trace)


def picked(form: Form, index: np.ndarray, trace: Trace | None = None) -> Form:
    """The tensor of the shape of `index` whose entries are the form's at these flat positions (-1: the number 0)."""
    trace, flat = trace or form.trace, index.reshape(-1)
    stored = sum(int(matrices.counts(rows)[flat[flat >= 0]].sum()) for rows in form.terms.values())
    trace.room(stored + len(flat))
    terms = {block: matrices.take(rows, flat) for block, rows in form.terms.items()}
    bias = np.where(flat < 0, 0.0, form.bias[np.where(flat < 0, 0, flat)]) if form.size else np.zeros(len(flat))
    return Form(index.shape, terms, bias, trace)


def joined(forms: Sequence[Form]) -> Form:
    """The entries of all forms, one tensor after the other, flattened."""
    blocks = {block: None for form in forms for block in form.terms}
    terms = {
        block: matrices.stack([form.terms.get(block, _nothing(form.size, block.size)) for form in forms])
        for block in blocks
    }
    bias = np.concatenate([form.bias for form in forms])
    return Form((len(bias),), terms, bias, forms[0].trace)


def _nothing(count: int, size: int) -> Picks:
    return Picks(np.full(count, -1), size)


def broadcast(form: Form, shape: tuple[int, ...]) -> Form:
    """The form repeated as NumPy's broadcasting says; refused when the shapes do not fit."""
    if form.shape == shape:
        return form
    form.trace.room(float(np.prod(shape, dtype=np.float64)))
    return moved(lambda places: np.broadcast_to(places, shape), form)


def add(first: Form, second: Form) -> Form:
    """first + second, broadcast."""
    shape = _together(first, second)
    first, second = broadcast(first, shape), broadcast(second, shape)
    terms = dict(first.terms)
    for block, rows in second.terms.items():
        if block in terms:
            terms[block], exact = matrices.added(terms[block], rows)
            first.trace.exact(exact)
        else:
            terms[block] = rows
    first.trace.exact(matrices.exact_sum(first.bias, second.bias))
    return Form(shape, terms, first.bias + second.bias, first.trace)


def scale(form: Form, factors: Any, *, divide: bool = False) -> Form:
    """form * factors or form / factors, broadcast; the factors are numbers."""
    array = np.asarray(factors, dtype=np.float64)
    if divide and not array.all():
        form.trace.refuse("it divides by 0.")
    form = broadcast(form, _together(form, form.trace.constant(array)))
    flat = np.broadcast_to(array, form.shape).reshape(-1)
    terms = {}
    for block, rows in form.terms.items():
        terms[block], exact = matrices.scaled(rows, flat, divide=divide)
        form.trace.exact(exact)
    bias, exact = matrices.scaled(form.bias[:, None], flat, divide=divide)
    form.trace.exact(exact)
    return Form(form.shape, terms, np.asarray(bias)[:, 0], form.trace)


def negative(form: Form) -> Form:
    """-form; exact."""
    return scale(form, -1.0)


def transform(matrix: Rows, form: Form, offset: np.ndarray | None, shape: tuple[int, ...]) -> Form:
    """matrix (n, size) times the flattened form, plus `offset` (n,), in the given shape."""
    trace = form.trace
    trace.room(sum(matrices.expected(matrix, rows) for rows in form.terms.values()) + matrix.shape[0])
    terms = {}
    for block, rows in form.terms.items():
        terms[block], exact = matrices.applied(matrix, rows)
        trace.exact(exact)
    bias = np.zeros(matrix.shape[0])
    if form.bias.any():
        product, exact = matrices.applied(matrix, form.bias[:, None])
        trace.exact(exact or _one_each(matrix, form.bias))
        bias = np.asarray(product)[:, 0]
    if offset is not None:
        trace.exact(matrices.exact_sum(bias, offset))
        bias = bias + offset
    return Form(shape, terms, bias, trace)


def _one_each(matrix: Rows, bias: np.ndarray) -> bool:
    """Does each row of the matrix, all of whose coefficients are 1, meet at most one bias other than 0?"""
    if not matrices.nonnegative_ones(matrix):
        return False
    met = matrices.sparse(matrix) @ (bias != 0).astype(np.float64)
    return bool((met <= 1).all())


def relu(form: Form) -> Form:
    """max(form, 0): new values, one for each entry that is no constant and not known to be non-negative."""
    if _nonnegative(form):
        return form
    varying = np.zeros(form.size, dtype=bool)
    for rows in form.terms.values():
        varying |= matrices.counts(rows) > 0
    if varying.all():
        return _new_block(form, rectified=True)
    fixed = form.trace.constant(np.maximum(form.bias, 0.0))
    if not varying.any():
        return Form(form.shape, {}, fixed.bias, form.trace)
    made = _new_block(picked(form, np.flatnonzero(varying)), rectified=True)
    index = np.where(varying, np.cumsum(varying) - 1, made.size + np.arange(form.size))
    return picked(joined([made, fixed]), index.reshape(form.shape))


def carried(form: Form) -> Form:
    """The form as values of their own, so that what refers to it stays sparse; as it is where it is simple already."""
    simple = form.entries <= form.size and not form.bias.any()
    return form if simple or not form.terms else _new_block(form, rectified=False)


def _new_block(form: Form, *, rectified: bool) -> Form:
    block = Block(form.size, form.level + 1, form, rectified)
    return Form(form.shape, {block: Picks(np.arange(form.size), form.size)}, np.zeros(form.size), form.trace)


def _nonnegative(form: Form) -> bool:
    """Are all entries sums of outputs of ReLUs and non-negative numbers, taken once? Then a ReLU changes nothing."""
    return bool((form.bias >= 0).all()) and all(
        block.rectified and matrices.nonnegative_ones(rows) for block, rows in form.terms.items()
    )


def _together(first: Form, second: Form) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        first.trace.refuse(f"shapes {first.shape} and {second.shape} do not fit together.")
