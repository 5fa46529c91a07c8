"""What the digits page shows of its answers: headline, number line, pictures, tables. It computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.digits import engine as answering
from pages.digits.answers import Answers
from pages.digits.words import NORM_HELP, limited_by, promise, unknown_gap
from pages.shared import engine, shell
from pages.shared.charts import CAMERA, STILL
from pages.shared.digit import GALLERY, Digit
from pages.shared.shell import presenting, theme_name
from pages.shared.words import headline
from relucert_core.figures.digits import digit_png
from relucert_core.figures.number_line import bounds_chart, number_line
from relucert_core.figures.pictures import signed_picture
from relucert_core.figures.theme import Theme, find_theme
from relucert_core.words import NORM_NAMES, down, duration, number, up

if TYPE_CHECKING:
    from relucert_core.certificates.within_region import RegionDistance
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

PICTURE = 164


@dataclass(frozen=True)
class Scene:
    """What the page is about at the moment: network, digit, norm and look."""

    net: Network
    card: ModelCard
    digit: Digit
    norm: float
    theme: Theme

    @property
    def point(self) -> np.ndarray:
        """The digit as the network sees it, (784,)."""
        return engine.as_point(self.digit.pixels)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names as a sentence takes them: digits as they are, others in quotes."""
        return tuple(name if name.isdigit() else f"“{name}”" for name in self.card.classes)

    @property
    def axis_title(self) -> str:
        """The title of every axis of distances."""
        return f"distance ({NORM_NAMES[self.norm]}, log scale)"


@dataclass(frozen=True)
class Found:
    """An adversarial digit: the point (784,), its distance, rounded up, and what it is read as."""

    point: np.ndarray
    distance: float
    prediction: int


def current_theme() -> Theme:
    """The figures' theme for this visitor."""
    return find_theme(theme_name(), presenting())


def pictures(scene: Scene) -> None:
    """What was given beside what the network sees."""
    size = 260 if presenting() else PICTURE
    if scene.digit.source == GALLERY:
        _, labels = engine.sample()
        index = scene.digit.index or 0
        caption = f"What the network sees: test image {index}, a {labels[index]}"
        st.image(digit_png(scene.point), caption=caption, width=size, alt=caption)
        return
    if scene.digit.given is not None:
        st.image(scene.digit.given, caption="What was given", width=size, alt="The picture that was given")
    st.image(digit_png(scene.point), caption="What the network sees", width=size, alt="The digit as 28 by 28 pixels")


def verdict(scene: Scene, answers: Answers) -> None:
    """The headline, what is proved, and what nobody knows."""
    best, found = answers.best_lower, nearest_found(scene, answers)
    reads = scene.names[best.prediction]
    truth = truth_of(scene)
    wrong = truth is not None and truth[1] not in (None, best.prediction)
    shell.headline(
        headline(
            reads, best.radius, answers.upper, scene.norm, exact=answers.exact,
            truth=str(truth[0]) if truth is not None and wrong else "",
        )
    )  # fmt: skip
    st.markdown(promise(reads, best.radius, scene.norm, best.status))
    if presenting():
        return
    gap_line = st.empty()  # also without words: a drawing with fewer lines would leave one of the last in view
    if found is not None and not answers.exact:
        fooled = scene.names[found.prediction]
        gap = unknown_gap(best.radius, answers.upper)
        gap_line.markdown(
            f"At {up(found.distance)} a changed digit is read as **{fooled}**. {gap} (Proved by: {answers.best_title}.)"
        )
    st.caption(_margin(scene, best.prediction))


def _margin(scene: Scene, winner: int) -> str:
    """The prediction's lead over the runner-up, and what is known of the truth."""
    logits = answering.scores(scene.net, scene.digit.pixels)
    order = np.argsort(-logits, kind="stable")
    rival = int(order[1] if order[0] == winner else order[0])
    names, lead = scene.names, logits[winner] - logits[rival]
    return (
        f"Margin: {names[winner]} leads {names[rival]} by a score of {lead:.2f}. {truth_words(scene, winner)}".strip()
    )


def truth_of(scene: Scene) -> tuple[int, int | None] | None:
    """A shipped image's digit and the network's class for it (None where its training left that digit out)."""
    from pages.shared.digit_sources import class_of

    if scene.digit.index is None:
        return None
    label = int(engine.sample()[1][scene.digit.index])
    return label, class_of(scene.card, label)


def truth_words(scene: Scene, winner: int) -> str:
    """For a shipped image, whether the network is right."""
    truth = truth_of(scene)
    if truth is None:
        return ""
    label, wanted = truth
    if wanted is None:
        return f"The image is a {label}, which this network never saw: its training left that digit out."
    if wanted != winner:
        return f"The image is a {label}: the network is wrong here, and the radius says how firmly it stays wrong."
    return ""


def line(scene: Scene, answers: Answers, stage: int) -> None:
    """The number line with every bound."""
    height = 330 if presenting() else 200
    figure = number_line(answers.marks(), scene.theme, scene.axis_title, height)
    words = f"Proved safe to {down(answers.best_lower.radius)}, nearest adversarial digit known at {up(answers.upper)}."
    st.plotly_chart(figure, key=f"digits_line_{stage}", config=CAMERA, theme=None, alt=words)


def nearest_found(scene: Scene, answers: Answers) -> Found | None:
    """The nearest adversarial digit known: the best attack's, or a certificate's witness."""
    witness, attack = answers.best_witness, answers.best_attack
    if witness is not None and witness.witness is not None:
        return Found(witness.witness, witness.upper, engine.reading(scene.net, witness.witness, witness.label))
    return Found(attack.point, attack.distance, attack.prediction) if attack is not None else None


def adversary(scene: Scene, found: Found | None, stage: int) -> None:
    """The digit, the adversarial digit and the difference between them."""
    if found is None:
        st.markdown("No attack found another answer for this digit.")
        return
    reads = scene.names[found.prediction]
    with st.container(horizontal=True, gap="small"):
        st.image(digit_png(scene.point), caption="The digit", width=PICTURE, alt="The digit")
        words = f"Read as {reads}, at {up(found.distance)} ({NORM_NAMES[scene.norm]})"
        st.image(digit_png(found.point), caption=words, width=PICTURE, alt=words)
        with st.container(width=330, gap=None):
            figure = signed_picture(found.point - scene.point, scene.theme, "darker", "lighter", PICTURE + 40)
            key, words = f"digits_difference_{stage}", "The difference, pixel by pixel"
            st.plotly_chart(figure, key=key, config=STILL, theme=None, alt=words)
            st.caption("The difference (1 is from black to white)")
    outside = max(0.0, -float(found.point.min()), float(found.point.max()) - 1)
    if outside > 0:
        st.caption(
            f"Pixels may leave the range from black to white here, by up to {up(outside)}; they are shown cut off. "
            "“Norm and pixels” below can forbid it."
        )


def all_bounds(scene: Scene, answers: Answers, stage: int) -> None:
    """Every method with its distance and time, as figure, table and sentences."""
    figure = bounds_chart(answers.marks(), scene.theme, scene.axis_title)
    st.plotly_chart(
        figure, key=f"digits_bounds_{stage}", config=CAMERA, theme=None, alt="All bounds; the table has the numbers"
    )
    st.table(answers.table())
    st.markdown("\n".join(f"- **{title}**: {sentence}" for title, sentence in answers.sentences()))
    st.caption(
        f"{NORM_HELP[scene.norm]}. Lower bounds are proved and rounded down; upper bounds are the distances of "
        "adversarial digits, checked and rounded up; an estimate is no proof. Times are of this machine, one thread."
    )


def limits(scene: Scene, answers: Answers) -> None:
    """What limits the region's ball: in words and as a picture of local weights."""
    certificate, names = answers.region, scene.names
    st.markdown(limited_by(certificate, names))
    faces, decisions = certificate.parts.get("face_distance"), certificate.parts.get("decision_distance")
    if isinstance(faces, float) and isinstance(decisions, float):
        st.markdown(
            f"Nearest face of the region: **{down(faces)}**. Nearest boundary of the linear map on it: "
            f"**{down(decisions)}** ({NORM_NAMES[scene.norm]}). The smaller one is the region's safe radius, which the "
            "paper calls the simplex certificate."
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
        st.plotly_chart(figure, key="digits_weights", config=STILL, theme=None, alt=caption)
        st.caption(caption)
    st.markdown("The five strongest pixels:")
    st.table(strongest(weights, "Weight"))


def strongest(values: np.ndarray, name: str, count: int = 5) -> dict[str, list[str]]:
    """The largest entries of a 28x28 picture as a table of text."""
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return {
        "Row": [str(i // 28) for i in order],
        "Column": [str(i % 28) for i in order],
        name: [number(float(values[i])) for i in order],
    }


def changes_table(scene: Scene, found: Found | None) -> None:
    """The difference picture as text."""
    if found is not None:
        change = found.point - scene.point
        moved = int((np.abs(change) > 1 / 255).sum())
        st.markdown(f"{moved} of 784 pixels change by more than one grey level of 255. The five that change most:")
        st.table(strongest(change, "Change"))


def inside_words(scene: Scene, inside: RegionDistance) -> str:
    """The nearest decision point inside the region, in one sentence."""
    if inside.witness is None:
        return f"No other answer was found inside this region ({inside.status}), so the nearest one lies beyond a face."
    rival = "another class" if inside.rival is None else scene.names[inside.rival]
    return (
        f"Inside the region, the nearest point read as **{rival}** is at **{up(inside.distance)}** "
        f"({NORM_NAMES[scene.norm]}, found in {duration(inside.seconds)}). The true distance is at most that."
    )
