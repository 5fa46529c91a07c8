"""The step about the semidefinite certificate: the two numbers that meet, and what the relaxation allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.charts import Numbers, draw
from pages.shared.shell import presenting, theme_name
from relucert_core.experiments.lesson_relation import relation_at
from relucert_core.figures.relation import relation_figure
from relucert_core.figures.theme import find_theme
from relucert_core.words import down, up

if TYPE_CHECKING:
    from relucert_core.experiments.lesson_relation import OpenNeuron, Relation

_DIGITS = 7  # of two numbers that agree to six


def relation_part(point: tuple[float, float], *, under_way: bool) -> None:
    """The numbers and the picture at u; under_way: u is being dragged, and the problem is not solved at every move."""
    if under_way:
        st.caption("Let u go: then the problem is solved for the new place.")
        return
    found = relation_at(*point)
    st.markdown(two_sides(found))
    if not 0 < found.certificate.radius < math.inf:
        return
    neuron = found.neurons[0]
    if presenting():
        st.markdown(range_of(neuron))
        return
    words = allowed(neuron)
    draw(
        relation_figure(neuron, find_theme(theme_name())),
        key="lesson_relation",
        alt=words,
        behind=Numbers(numbers_of(found)),
    )
    st.markdown(words)


def numbers_of(found: Relation) -> dict[str, list[str]]:
    """Every neuron of the first layer over the ball."""
    return {
        "Neuron": [one.name for one in found.neurons],
        "Least a in the ball": [f"{one.low:.3f}" for one in found.neurons],
        "a at u": [f"{one.value:.3f}" for one in found.neurons],
        "Largest a in the ball": [f"{one.high:.3f}" for one in found.neurons],
        "Sign": ["undecided" if one.open else "decided" for one in found.neurons],
    }


def two_sides(found: Relation) -> str:
    """The proved radius and the distance of the point that was found."""
    certificate = found.certificate
    if certificate.radius == math.inf:
        return "Proved: no input at all is read differently."
    if certificate.radius <= 0:
        return "u lies on a boundary here: the distance is 0, and there is nothing to solve."
    low, high = down(certificate.radius, _DIGITS), up(certificate.upper, _DIGITS)
    met = " They meet: this **is** the true distance." if certificate.guarantee == "exact" else ""
    return f"Proved with this network's matrices: **{low}** (L2). Found, with its point: **{high}**.{met}"


def range_of(neuron: OpenNeuron) -> str:
    """One line for the lecture view, which has no room for the picture and speaks of none."""
    sign = "its sign is open, so it is relaxed" if neuron.open else "its sign is decided"
    return f"Neuron {neuron.name} in that ball: a from {neuron.low:.2f} to {neuron.high:.2f}; {sign}."


def allowed(neuron: OpenNeuron) -> str:
    """What the relaxation allows this neuron, in words, beside its picture."""
    where = f"Neuron {neuron.name} over the ball that reaches the found point: a runs from {neuron.low:.2f} to "
    where += f"{neuron.high:.2f}"
    if not neuron.open:
        return f"{where}, so its sign is decided, and nothing is relaxed. The same holds for the others of layer 1."
    return (
        f"{where}. The relation leaves the bold angle. Relaxed, only **averages** of points on it are asked for, which "
        "fill the grey triangle; but all products of all neurons must be averages of the *same* points, and that is "
        "what keeps the answer tight."
    )
