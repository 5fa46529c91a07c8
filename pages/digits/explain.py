"""Why this number: what keeps the headline's proof from growing, then the wall of the digit's own region."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.digits import engine as answering
from pages.digits.answers import REGION, REGION_TITLE, Answers, titles_of_makers
from pages.digits.results import Scene, about, pixels, strongest
from pages.digits.words import limited_by
from pages.shared import engine
from pages.shared.charts import Numbers, draw, table
from pages.shared.words import shown_share
from relucert_core.figures.pictures import signed_picture
from relucert_core.words import NORM_NAMES, down, duration, up

if TYPE_CHECKING:
    from relucert_core.certificates.over_balls.losses import Losses
    from relucert_core.certificates.within_region import RegionDistance

LIMITS = "What limits it"
_LINES = ("fast-lin", "crown-ada")
_RELAXED = {
    **dict.fromkeys(_LINES, "It puts two lines around every neuron that may switch in the ball."),
    "quadratic": "It puts parabolas and lines around every neuron that may switch in the ball.",
    "semidefinite": "It replaces every neuron that may switch in the ball by a convex set of matrices.",
    "branching": "It splits the ball along the neurons that may switch, and puts lines around those not split yet.",
}


def limits(scene: Scene, answers: Answers, stage: int) -> None:
    """What limits the headline's method, and then the region's ball."""
    st.markdown("### The headline")
    _headline(scene, answers)
    st.markdown("### The region around the digit")
    _region(scene, answers, stage)


def _headline(scene: Scene, answers: Answers) -> None:
    """The method that proved the headline, its rival, and the layers and neurons that cost it most."""
    best, title = answers.best, titles_of_makers()(answers.best.lower_by)
    if best.lower == math.inf:
        st.markdown("Nothing limits it: the network reads every picture the same.")
        return
    if best.lower <= 0:
        st.markdown("No method proves a radius for this digit, so there is nothing that could grow.")
        return
    if best.exact:
        rival = scene.names[engine.reading(scene.net, best.witness, best.label)] if best.witness is not None else ""
        st.markdown(
            f"**Only the truth limits it.** Proved by: {title}. A digit read as **{rival}** was found at the very edge "
            f"of the ball of {down(best.lower)}, so no proof can ever go farther."
        )
        return
    if best.lower_by == REGION:
        st.markdown(f"The best proof is the {REGION_TITLE} itself: what stops it stands below.")
        return
    if best.lower_by not in _RELAXED:
        sentence = next((e.sentence for e in answers.certificate_entries if e.name == best.lower_by), "")
        st.markdown(f"Proved by: **{title}**. {sentence} It looks at the worst case of all neurons at once.")
        return
    _relaxation(scene, best.lower_by, title, answering.losses(scene.net, scene.digit.pixels, best.lower, scene.norm))


def _relaxation(scene: Scene, method: str, title: str, found: Losses) -> None:
    """Which rival, which layer and which neurons a relaxation loses by."""
    worst = found.worst_layer
    measured = "" if method in _LINES else " Measured with lines around the same neurons (CROWN-Ada):"
    st.markdown(
        f"**{title}** proves {down(found.radius)}. {_RELAXED[method]} That keeps every true answer in, and adds some "
        f"that no picture gives: with a larger ball **{scene.names[found.rival]}** could win among those.{measured}"
    )
    if worst is None:
        st.markdown("No neuron may switch in this ball: the network is one linear map on it.")
        return
    neurons = ", ".join(str(neuron) for neuron, _ in worst.worst[:3])
    st.markdown(
        f"Most is lost in **layer {worst.layer}**, {shown_share(found.share(worst))} of it all, above all at the "
        f"neurons {neurons}."
    )
    st.table(
        {
            "Layer": [str(layer.layer) for layer in found.layers],
            "Neurons that may switch": [f"{layer.open:,} of {layer.neurons:,}" for layer in found.layers],
            "Part of the loss": [shown_share(found.share(layer)) for layer in found.layers],
            "Neurons that cost most": [", ".join(str(n) for n, _ in layer.worst) or "none" for layer in found.layers],
        }
    )
    st.caption("Neurons count from 0, layers from 1.")


def _region(scene: Scene, answers: Answers, stage: int) -> None:
    """What limits the region's ball: in words and as a picture of local weights."""
    certificate, names = answers.region, scene.names
    st.markdown(limited_by(certificate, names))
    faces, decisions = certificate.parts.get("face_distance"), certificate.parts.get("decision_distance")
    if isinstance(faces, float) and isinstance(decisions, float):
        st.markdown(
            f"Nearest face of the region: **{down(faces)}**. Nearest boundary of the linear map on it: "
            f"**{down(decisions)}** ({NORM_NAMES[scene.norm]}). The smaller one is the region's safe radius, which the "
            "paper calls the simplex certificate. Both speak of the linear map of this one region; beyond its faces "
            "the network is another one, so a bound of another kind may be larger than either."
        )
    limit = certificate.limit
    if limit is None:
        return
    if limit.kind == "face" and limit.layer is not None and limit.neuron is not None:
        weights = answering.face_weights(scene.net, scene.digit.pixels, limit.layer, limit.neuron)
        caption = f"How each pixel moves neuron {limit.neuron} of layer {limit.layer} inside this region"
    else:
        rival = limit.rival or 0
        weights = answering.rival_weights(scene.net, scene.digit.pixels, certificate.prediction, rival)
        caption = (
            f"How each pixel moves the lead of {names[certificate.prediction]} over {names[rival]} inside this region"
        )
    with st.container(width=360, gap=None):
        figure = signed_picture(weights, scene.theme, "lowers", "raises", height=270)
        draw(figure, key=f"digits_weights_{stage}", alt=caption, behind=LIMITS)
        st.caption(caption)
    whole = pixels() | {"weight": weights.tolist()}
    numbers = Numbers(
        strongest(weights, "Weight"), "The five strongest pixels:", "relucert-weights", lambda: whole,
        lambda: about(scene),
    )  # fmt: skip
    table(numbers, f"digits_weights_{stage}")


def inside_words(scene: Scene, inside: RegionDistance) -> str:
    """The nearest decision point inside the region, in one sentence."""
    if inside.witness is None:
        return f"No other answer was found inside this region ({inside.status}), so the nearest one lies beyond a face."
    rival = "another class" if inside.rival is None else scene.names[inside.rival]
    return (
        f"Inside the region, the nearest point read as **{rival}** is at **{up(inside.distance)}** "
        f"({NORM_NAMES[scene.norm]}, found in {duration(inside.seconds)}). The true distance is at most that."
    )
