"""The lesson's questions: each is answered by the records, so that it stays right wherever u is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.lesson.formulas import far, far_or_never, num

if TYPE_CHECKING:
    from relucert_core.experiments.lesson import Line, Walk
    from relucert_core.experiments.lesson_mix import Mix


@dataclass(frozen=True)
class Question:
    """What is asked before a reveal. right: the place of the right option; why: said to everybody afterwards."""

    text: str
    options: tuple[str, ...]
    right: int
    why: str

    def is_right(self, choice: str) -> bool:
        """Is this the right option?"""
        return choice == self.options[self.right]

    @property
    def answer(self) -> str:
        """The right option and the reason, for those who did not choose."""
        return f"**Answer: {self.options[self.right]}.** {self.why}".replace("..**", ".**")

    def feedback(self, choice: str) -> str:
        """A kind word about an answer, then the reason."""
        if self.is_right(choice):
            return f"**Right.** {self.why}"
        return f"**Not this time**: it is *{self.options[self.right]}*. {self.why}"


def pieces(walk: Walk, mix: Mix) -> Question:
    """How many pieces three lines make."""
    counts = (walk.pieces - 1, walk.pieces, walk.pieces + 1)
    why = f"Each new line adds one piece for every piece it runs through: 1 + 1 + 2 + 3 = {walk.pieces}."
    return Question(
        "Three neurons draw three lines. Into how many pieces do they cut the plane?", _texts(counts), 1, why
    )


def signs(walk: Walk, mix: Mix) -> Question:
    """Which neurons are on at u."""
    on = walk.layers[0].on.tolist()
    patterns = [on, [not on[0], *on[1:]], [*on[:2], not on[2]]]
    patterns.sort()
    names = [_on(pattern) for pattern in patterns]
    why = f"On the + side of its line a neuron is on, on the − side off. At u: {_on(on)}."
    return Question("Which of the neurons A, B, C are on at u?", tuple(names), patterns.index(on), why)


def _on(pattern: list[bool]) -> str:
    names = [name for name, on in zip("ABC", pattern, strict=True) if on]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) + " on" if names else "none on"


def edges_of_piece(walk: Walk, mix: Mix) -> Question:
    """How many lines touch the piece."""
    count = sum(walk.piece_touches)
    options = ("1", "2", "3")
    names = ", ".join(name for name, touches in zip("ABC", walk.piece_touches, strict=True) if touches)
    why = f"{names} draw its edges. An inequality whose line is farther off is there too, but does not bite."
    return Question(
        "Three half-planes meet around u. How many of the three lines are edges of what is left?",
        options,
        max(count, 1) - 1,
        why,
    )


def second_layer_map(walk: Walk, mix: Mix) -> Question:
    """What layer 2 sees on the piece."""
    off = [name for name, on in zip("ABC", walk.layers[0].on, strict=True) if not on]
    cut = f"The columns of neurons that are off ({', '.join(off)}) drop out" if off else "No neuron is off"
    return Question(
        "On this piece no neuron of layer 1 switches. What are the inputs z of layer 2 there, as a function of x?",
        ("one affine map: a matrix times x, plus a vector", "a curve", "another map at every point"),
        0,
        f"{cut}; what is left are products of matrices, the same all over the piece.",
    )


def bends(walk: Walk, mix: Mix) -> Question:
    """What the second layer's lines do at the piece's rim."""
    return Question(
        "The straight lines of D and E are right only on u's piece. What do they do in the whole plane?",
        ("They go straight on.", "They bend where they cross a line of layer 1.", "They end at the edge of the piece."),
        1,
        "Behind an edge one neuron of layer 1 has switched, so z is another affine map, continuous at the edge.",
    )


def inequalities(walk: Walk, mix: Mix) -> Question:
    """How many inequalities describe the region."""
    rows, faces = len(walk.region.P), sum(line.touches for line in walk.faces)
    why = (
        f"One for each hidden neuron, 3 + 2 = {rows} (Corollary 1); {faces} of them draw a face in this picture. "
        "With the depth they grow by addition, though 2 × 2 × … patterns can be written down."
    )
    return Question("How many inequalities describe the region of u?", ("2", str(rows), str(2**rows)), 1, why)


def numbers(walk: Walk, mix: Mix) -> Question:
    """How many numbers describe f on the region."""
    count = walk.region.C.size + walk.region.d.size
    why = f"A matrix of 3 × 2 and a vector of 3: {count} numbers are the whole network here."
    return Question(
        "How many numbers are needed to know f on the whole region of u?",
        (str(count), str(2**5), "infinitely many"),
        0,
        why,
    )


def passes(walk: Walk, mix: Mix) -> Question:
    """What Algorithm 1 costs."""
    return Question(
        "How often must the network be run through to get P, q, C and d?",
        ("once", "5 times, once for each hidden neuron", "32 times, once for each pattern"),
        0,
        "Each layer flips the signs of C's rows for P, and passes C on to the next layer: one forward pass.",
    )


def nearest_face(walk: Walk, mix: Mix) -> Question:
    """Which face is nearest."""
    nearest = walk.nearest_face
    names = tuple(line.name for line in walk.faces)
    return Question(
        "Which neuron's line is nearest to u?",
        names,
        names.index(nearest.name),
        f"{nearest.name}, at {_far(nearest)}: no neuron switches closer than that.",
    )


def nearest_boundary(walk: Walk, mix: Mix) -> Question | None:
    """Which rival's plane is nearest; no question where the scores never meet."""
    nearest = walk.nearest_rival
    if nearest.squares == 0:
        return None
    names = tuple(f"class {line.name}" for line in walk.rivals)
    return Question(
        f"The network says class {walk.prediction} at u. Which rival's dotted line is nearer?",
        names,
        names.index(f"class {nearest.name}"),
        f"Class {nearest.name}, at {_far(nearest)}, if the map stayed the same that far.",
    )


def circle(walk: Walk, mix: Mix) -> Question:
    """How large the circle may be."""
    low, high = sorted((walk.nearest_face.distance, walk.nearest_rival.distance))
    return Question(
        f"The nearest face is {_far(walk.nearest_face)} away, the nearest dotted line {_far(walk.nearest_rival)}. "
        "How large a circle is safe for sure?",
        ("the smaller of the two", "the larger of the two", "their sum"),
        0,
        f"Up to {far_or_never(low)} the map stays the same and no rival reaches the first place"
        + (
            f"; beyond it one of the two is no longer sure, even if the other holds to {far_or_never(high)}."
            if high
            else "."
        ),
    )


def reached(walk: Walk, mix: Mix) -> Question:
    """Case (a) or (b)."""
    right = 0 if walk.reached else 1
    if walk.reached:
        why = "The circle touches a dotted line inside the region, where the map is right."
    elif walk.certificate.radius > 0:
        why = "The circle stopped at a face: one division cannot tell what the map behind it does."
    else:
        why = "The radius is 0 here, because u lies on a line. That says nothing about the true distance."
    return Question(
        "Does another class begin exactly where the circle ends?",
        ("Yes, at the touching point.", "Not there: it may begin farther away."),
        right,
        why,
    )


def phantoms(walk: Walk, mix: Mix) -> Question:
    """Whether the minimum over patterns can exceed the true distance."""
    nearest = mix.patterns[0]
    there = "though no input has it" if not nearest.real else "though that pattern holds elsewhere"
    why = (
        f"Every true boundary lies on one of the lines, so the nearest line is never farther; here it is "
        f"{far(nearest.line.distance)} away"
        + (", that of u's own pattern." if nearest.own else f" and belongs to another pattern, {there}.")
    )
    return Question(
        "Theorem 4 is for one hidden layer: take the last layer off and let D and E be two classes (thick line). "
        "Draw where D and E would tie for each of the 8 patterns of A, B, C. How far is the nearest of these lines?",
        ("as far as the true boundary, or nearer", "farther than the true boundary"),
        0,
        why,
    )


def mixes(walk: Walk, mix: Mix) -> Question:
    """What the relaxation does to the radius."""
    why = (
        f"The numerator is the smallest over all mixes: {num(mix.relaxed)} in place of {num(mix.here)}. "
        f"The denominator bounds the steepest of them: {num(mix.weight_norm * mix.spectral)} in place of "
        f"{num(mix.steepness)}. Neither can push the radius up."
    )
    return Question(
        "Now a neuron may be half on: each θ is any number from 0 to 1. What can the radius do?",
        ("shrink", "grow"),
        0,
        why,
    )


def relation(walk: Walk, mix: Mix) -> Question:
    """What the relation allows for one input."""
    return Question(
        "Write a neuron with input a and output z as z (z − a) = 0, z ≥ 0, z ≥ a. How many z go with each a?",
        ("exactly one", "two", "a whole interval"),
        0,
        "z is 0 or a; the larger of the two is the only one that is not below 0 and not below a: the ReLU's output.",
    )


def _texts(values: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(str(v) for v in values)


def _far(line: Line) -> str:
    return far_or_never(line.distance)
