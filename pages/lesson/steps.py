"""The steps of the lesson: for each its title, sentence, formulas, question and what the picture shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.lesson import formulas
from pages.lesson import questions as ask
from pages.lesson.questions import Question
from relucert_core.experiments.lesson import LESSON_BIASES, LESSON_WEIGHTS
from relucert_core.words import down

if TYPE_CHECKING:
    from relucert_core.experiments.lesson import Walk
    from relucert_core.experiments.lesson_mix import Mix


@dataclass(frozen=True)
class Step:
    """One step. source: where in the paper; sentence, formula, question are made from the records; show: see the JS.

    relation: it goes on with the semidefinite certificate, see `relation.py`.
    """

    title: str
    source: str
    sentence: Callable[[Walk, Mix], str]
    formula: Callable[[Walk, Mix], list[str]]
    show: tuple[str, ...]
    question: Callable[[Walk, Mix], Question | None] = lambda walk, mix: None
    relation: bool = False


def _says(text: str) -> Callable[[Walk, Mix], str]:
    return lambda walk, mix: text


def _start(walk: Walk, mix: Mix) -> str:
    return (
        f"A network with 2 inputs, hidden neurons **A, B, C** and **D, E**, and 3 classes. At **u** it says "
        f"**class {walk.prediction}**. How far can u move before that changes?"
    )


def _signs(walk: Walk, mix: Mix) -> str:
    return "Each neuron is on (1) or off (0) at u: the **activation pattern** θ. Where it is off, the ReLU gives 0."


def _half_planes(walk: Walk, mix: Mix) -> str:
    off = [name for name, on in zip("ABC", walk.layers[0].on, strict=True) if not on]
    rows = f"the rows of {' and '.join(off)} are turned around" if off else "no row needs turning around"
    return f"The **piece** of u is where all three signs stay as they are: an intersection of half-planes ({rows})."


def _region(walk: Walk, mix: Mix) -> str:
    return (
        "The **region** S(θ) of u is the piece, cut once more by the lines of D and E: a polyhedron, and its edges "
        "are its **faces**. Inside it not one neuron switches."
    )


def _faces(walk: Walk, mix: Mix) -> str:
    return (
        f"The distance from u to each line is one division. The nearest is **{walk.nearest_face.name}**: up to "
        f"{formulas.far(walk.nearest_face.distance)} away from u the map stays the same."
    )


def _rivals(walk: Walk, mix: Mix) -> str:
    if walk.nearest_rival.squares == 0:
        return "On this region the scores are constant, so no rival can catch up in it: $d_{\\min}$ is infinite."
    return (
        f"By the same map, class {walk.prediction} ties with each rival along a dotted line: the **boundary**, if the "
        "map held that far."
    )


def _circle(walk: Walk, mix: Mix) -> str:
    certificate = walk.certificate
    if certificate.radius <= 0:
        return (
            "u lies on a face or on a boundary here, so the **safe radius** is 0. Move it a little. "
            "(*Simplex certificate* is the paper's name for this radius.)"
        )
    limit = walk.nearest_face.name if walk.nearest_face.distance < walk.nearest_rival.distance else None
    by = f"a face, that of **{limit}**" if limit else f"the boundary to **class {walk.nearest_rival.name}**"
    return (
        f"The smaller of the two is the **safe radius**, {down(certificate.radius, 4)}, limited by {by}. "
        "(*Simplex certificate* is the paper's name for it.)"
    )


def _truth(walk: Walk, mix: Mix) -> str:
    if walk.certificate.radius <= 0:
        return "A radius of 0 promises nothing. The true distance (dashed) is known because this plane is so small."
    if walk.reached:
        return "**Case (a)** of the paper's Figure 1: a boundary limits the circle, inside the region, so it is exact."
    if walk.exact_inside:
        return (
            "The nearest other class is in this very region, but a face is nearer than it. The safe radius holds, and "
            "the true distance (dashed) is larger."
        )
    return (
        "**Case (b)** of the paper's Figure 1: a face limits it, and the nearest other class is outside the region. "
        "The safe radius holds, and the true distance (dashed) is larger."
    )


def _phantoms(walk: Walk, mix: Mix) -> str:
    return (
        "On the true boundary of **D** and **E** some pattern holds, so the nearest of all 8 lines is never farther. "
        "(Dashes: some input has the pattern; dots: none has.)"
    )


def _mixes(walk: Walk, mix: Mix) -> str:
    four, three = mix.certificate.radius, mix.simplex.radius
    if four <= 0:
        end = "Here some mix makes D and E tie at u itself, so Theorem 4 gives 0."
    elif four > three:
        end = (
            f"Theorem 4 gives {down(four, 4)}: here more than Theorem 3 ({down(three, 4)}), because no face stops it, "
            f"but less than the nearest line ({formulas.far(mix.patterns[0].line.distance)})."
        )
    else:
        end = (
            f"Theorem 4 gives **{down(four, 4)}**, Theorem 3 **{down(three, 4)}**, the true distance is "
            f"{formulas.far(mix.exact)}."
        )
    return f"2ᴺ patterns are too many, so Theorem 4 lets each θ be **any number from 0 to 1**. {end}"


def _second_lines(walk: Walk, mix: Mix) -> list[str]:
    layer = walk.layers[1]
    maps = formulas.next_map(walk, LESSON_WEIGHTS[1], LESSON_BIASES[1], 1)
    return [*maps, formulas.line_equations(layer.names, layer.C, layer.d)]


def _bent(walk: Walk, mix: Mix) -> list[str]:
    layer = walk.layers[1]
    here = formulas.line_equations(layer.names, layer.C, layer.d)
    return [
        r"\mathbf W^{(2)}\,\mathrm{ReLU}(\mathbf W^{(1)}\mathbf x+\mathbf b^{(1)})+\mathbf b^{(2)}=0",
        r"\text{On u's piece this is}",
        here,
    ]


_FRAME = ("first", "sides", "signs")
_REGION = (*_FRAME, "second", "region")
STEPS: tuple[Step, ...] = (
    Step(
        "A tiny network",
        "The question",
        _start,
        lambda w, m: formulas.network(w, LESSON_WEIGHTS, LESSON_BIASES),
        ("tints", "decision"),
    ),
    Step(
        "The lines of the first layer",
        "Definition 1",
        _says("The input z of a neuron is 0 along a line. There the neuron switches from off (−) to on (+)."),
        lambda w, m: [
            r"\mathbf W^{(1)}_i\mathbf x+\mathbf b^{(1)}_i=0",
            formulas.line_equations(w.layers[0].names, w.layers[0].C, w.layers[0].d),
        ],
        ("first", "sides"),
        ask.pieces,
    ),
    Step("The sign vector", "Definition 1", _signs, lambda w, m: formulas.values(w), _FRAME, ask.signs),
    Step(
        "The piece of u",
        "Theorem 1 (a)",
        _half_planes,
        lambda w, m: formulas.flipped(w.layers[0], 1),
        (*_FRAME, "piece"),
        ask.edges_of_piece,
    ),
    Step(
        "One affine map on the piece",
        "Theorem 1 (b)",
        _says(
            "With the signs fixed, layer 2 gets **one affine map** of x. So on this piece D and E have straight lines."
        ),
        _second_lines,
        (*_FRAME, "piece", "straight"),
        ask.second_layer_map,
    ),
    Step(
        "The bent lines of the second layer",
        "Theorem 2",
        _says("Across a line of layer 1 the map changes, and the lines of **D** and **E** bend. They never break."),
        _bent,
        (*_FRAME, "second", "piece"),
        ask.bends,
    ),
    Step(
        "The region", "Theorem 2 (a), Corollary 1", _region, lambda w, m: formulas.region(w), _REGION, ask.inequalities
    ),
    Step(
        "The affine map of the region",
        "Theorem 2 (b)",
        _says(
            "One more product, and the network is **C x + d** on the region. Dotted: where two classes tie by this map."
        ),
        lambda w, m: [*formulas.next_map(w, LESSON_WEIGHTS[2], LESSON_BIASES[2], 2), formulas.at_point(w)],
        (*_REGION, "tints-here", "extension"),
        ask.numbers,
    ),
    Step(
        "All of it in one pass",
        "Algorithm 1",
        _says("Algorithm 1 does these steps layer by layer: flip the rows of C for P, then pass C on."),
        lambda w, m: formulas.algorithm(w),
        (*_REGION, "tints-here", "extension"),
        ask.passes,
    ),
    Step(
        "The distance to the faces",
        "Theorem 3, first half",
        _faces,
        lambda w, m: formulas.face_distances(w),
        (*_REGION, "beyond", "face-spokes"),
        ask.nearest_face,
    ),
    Step(
        "The distance to the boundaries",
        "Theorem 3, second half",
        _rivals,
        lambda w, m: formulas.rival_distances(w),
        (*_REGION, "extension", "rival-spokes"),
        ask.nearest_boundary,
    ),
    Step(
        "The safe circle",
        "Theorem 3",
        _circle,
        lambda w, m: formulas.safe_radius(w),
        (*_REGION, "extension", "circle"),
        ask.circle,
    ),
    Step(
        "Is it exact?",
        "Figure 1",
        _truth,
        lambda w, m: formulas.truth(w),
        ("tints", "decision", "region", "circle", "exact"),
        ask.reached,
    ),
    Step(
        "Every boundary that could be",
        "Theorem 4, before it is relaxed",
        _phantoms,
        lambda w, m: formulas.pattern_minimum(m),
        ("first", "patterns", "lower-decision", "exact", "own"),
        ask.phantoms,
    ),
    Step(
        "What Theorem 4 gives up",
        "Theorem 4",
        _mixes,
        lambda w, m: formulas.relaxation(m),
        ("first", "lower-decision", "exact", "own", "mix"),
        ask.mixes,
    ),
    Step(
        "A relation instead of an angle",
        "The semidefinite certificate",
        _says(
            "No θ at all: a neuron *is* **z (z − a) = 0** with z ≥ 0 and z ≥ a. Kept for all neurons **together**, "
            "these relations lose next to nothing."
        ),
        lambda w, m: formulas.relation(w),
        ("tints", "decision", "region", "circle", "exact"),
        ask.relation,
        relation=True,
    ),
)
THEOREM_4 = (len(STEPS) - 2, len(STEPS) - 1)


def shown_before(number: int) -> tuple[str, ...]:
    """What the picture of step `number` (from 1) shows until its question is answered: the step before."""
    return ("first", "lower-decision", "exact") if number == THEOREM_4[0] + 1 else STEPS[max(number - 2, 0)].show
