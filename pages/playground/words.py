"""Sentences of the playground. No Streamlit, no computation but rounding for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pages.shared.words import no_radius
from relucert_core.words import down, number, up

if TYPE_CHECKING:
    import numpy as np

    from pages.shared.plane import Answer
    from relucert_core.attacks.result import Attack


SENTENCES = {
    "headline": "Class **{prediction}**. Nothing inside the filled circle around u changes class (Theorem 3).",
    "nothing": "Nothing limits the ball: this network gives one class to the whole plane.",
    "zero": "u lies on a face or on the boundary, or so near that rounding leaves it open: the safe radius is 0.",
    "a": "**Case (a) of Figure 1**: the boundary to class {rival} is nearer than any face of the region, so the safe "
    "radius is the true distance.",
    "b": "**Case (b) of Figure 1**: the face of neuron {neuron} of layer {layer} is nearer than the boundary, so the "
    "true distance is larger than what is proved.",
}  # the browser fills them too while things move: pages/playground/live.js


def headline(answer: Answer) -> str:
    """What holds at the point, in one line."""
    return SENTENCES["headline"].format(prediction=answer.simplex.prediction)


def case(answer: Answer) -> str:
    """Which case of Figure 1 holds and what limits the ball, in one sentence."""
    cert = answer.simplex
    if cert.radius == 0:
        return no_radius(cert.status, thing="point", answer="class", answers="classes")
    if cert.limit is None:
        return SENTENCES["nothing"]
    if cert.limit.kind == "class":
        return SENTENCES["a"].format(rival=cert.limit.rival)
    return SENTENCES["b"].format(neuron=cert.limit.neuron, layer=cert.limit.layer)


def numbers_table(answer: Answer, attacks: tuple[Attack, ...], titles: dict[str, str]) -> dict[str, list[str]]:
    """All bounds at the point as columns of text."""
    cert, parts = answer.simplex, answer.simplex.parts
    rows = [
        ("Safe radius (simplex, Theorem 3): certified", down(cert.radius)),
        ("P_min, the nearest face", _part(parts.get("face_distance"))),
        ("d_min, the nearest local decision plane", _part(parts.get("decision_distance"))),
    ]
    if answer.boundary is not None:
        rows.append(("Decision boundary certificate (Theorem 4): certified", down(answer.boundary.radius)))
    kind = "exact geometry in float64" if answer.proven else "at most: the budget of regions ended"
    rows.append((f"True distance: {kind}", down(answer.exact) if answer.proven else up(answer.exact)))
    rows += [(f"{titles[a.method]}: attack, upper bound", up(a.distance) if a.success else "nothing") for a in attacks]
    return dict(zip(("At u", "L2"), map(list, zip(*rows))))


def classes_table(found: Mapping[str, Sequence[float]]) -> dict[str, list[str]]:
    """The classes with their parts of the square and their data, as columns of text."""
    right = zip(found["right"], found["data"], strict=True)
    return {
        "Class": [str(k) for k in found["class"]],
        "Part of the square": [f"{100 * share:.1f} %" for share in found["share"]],
        "Data read right": [f"{a} of {b}" for a, b in right],
    }


def neurons_table(found: Mapping[str, Sequence[float]]) -> dict[str, list[str]]:
    """The neurons at a point as columns of text."""
    return {
        "Layer": [str(layer) for layer in found["layer"]],
        "Neuron": [str(neuron) for neuron in found["neuron"]],
        "z": [number(z, 3) for z in found["z"]],
        "Distance": [down(distance) for distance in found["distance"]],
    }


def history_columns(history: Mapping[str, Sequence[float]]) -> dict[str, list[str]]:
    """The training as columns of text."""
    return {
        "Epoch": [str(epoch) for epoch in history["epoch"]],
        "Median safe radius": [down(r) for r in history["safe"]],
        "Median true distance": [down(r) for r in history["exact"]],
        "Accuracy": [f"{100 * share:.1f} %" for share in history["accuracy"]],
    }


def _part(value: object) -> str:
    return down(value) if isinstance(value, float) else "–"


def size_words(widths: tuple[int, ...], parameters: int, regions: int, faces: int, half: float) -> str:
    """Regions, faces and the network's size, in a sentence."""
    shape = "-".join(map(str, widths))
    own = f"u's region has {faces} sides in view" if faces else "u lies outside the square"
    return (
        f"{regions:,} regions in the square of side {2 * half:g}; {own}. Network {shape}: {sum(widths[1:-1])} hidden "
        f"neurons, {parameters:,} numbers."
    )


def until_two_classes(labels: np.ndarray) -> str:
    """What is to do while the drawn points are of fewer than two classes; labels (N,)."""
    if not len(labels):
        return (
            "The plane is empty: click or stroke on it to draw points of one class, then choose another class and draw."
        )
    return f"All points are of class {labels[0]} so far: choose another class and draw; training then starts by itself."
