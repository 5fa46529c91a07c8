"""Sentences of the digits page. No Streamlit, no computation but rounding for print."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pages.shared.words import meaning, no_radius
from relucert_core.words import down, up

if TYPE_CHECKING:
    from relucert_core.certificates.result import Certificate, Limit

NORM_HELP = {
    2.0: "L2: the square root of the sum of all squared changes of pixels",
    math.inf: "Linf: the largest change of any pixel",
    1.0: "L1: the sum of the changes of all pixels",
}


def promise(reads: str, radius: float, norm: float, status: str) -> str:
    """What is proved, in one or two sentences."""
    if radius <= 0:
        reason = no_radius(status, thing="digit", answer="answer", answers="answers")
        return f"{reason} Nothing is guaranteed for this digit."
    if radius == math.inf:
        return f"Proved: no change of any size makes this network read anything but {reads}."
    clause = meaning(radius, norm)
    return f"Proved: whatever the attack, no smaller change makes the network read anything but {reads}. {clause}."


def limited_by(certificate: Certificate, names: tuple[str, ...]) -> str:
    """What stops the ball of a certificate from growing, in one sentence."""
    limit = certificate.limit
    if limit is None:
        return "Nothing limits the ball."
    if limit.kind == "class":
        return (
            f"Limited by the boundary to **{names[limit.rival or 0]}**: inside the region, nothing else is nearer. "
            "This is case (a) of the picture on the first page."
        )
    return (
        f"Limited by {place(limit)}: on that face of the region the neuron switches, and beyond it the linear map is "
        "another one. This is case (b) of the picture on the first page: the boundary itself is farther away."
    )


def unknown_gap(lower: float, upper: float) -> str:
    """The sentence about what nobody knows yet."""
    if upper == math.inf:
        return "How far the nearest other answer really is, is unknown."
    if lower <= 0:
        return f"Between 0 and {up(upper)} nothing is known."
    return f"The true distance lies between {down(lower)} and {up(upper)}."


def place(limit: Limit) -> str:
    """ "neuron 7 of layer 1", counted as the engine counts: layers from 1, neurons from 0."""
    return f"**neuron {limit.neuron} of layer {limit.layer}**"
