"""What the digits page shows of its answers: headline, number line, pictures, tables. It computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.digits import engine as answering
from pages.digits.answers import REGION, Answers, titles_of_makers
from pages.digits.words import NORM_HELP, promise, unknown_gap
from pages.shared import engine, shell
from pages.shared.charts import Numbers, behind_label, draw, table
from pages.shared.digit import GALLERY, Digit
from pages.shared.shell import presenting, theme_name
from pages.shared.words import distance, headline
from relucert_core.citation import made_by
from relucert_core.figures.digits import digit_png
from relucert_core.figures.number_line import bounds_chart, number_line
from relucert_core.figures.pictures import signed_picture
from relucert_core.figures.theme import Theme, find_theme
from relucert_core.jobs.lines import point_digest
from relucert_core.words import NORM_NAMES, down, number, up

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

PICTURE = 164
ALL_BOUNDS, PICTURES = "All bounds, attacks, times", "the pictures"


@dataclass(frozen=True)
class Scene:
    """What the page is about at the moment: network, digit, norm and look; `code` is the Python that says the same."""

    net: Network
    card: ModelCard
    digit: Digit
    norm: float
    theme: Theme
    code: str = ""

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
    """An adversarial digit: the point (784,), its distance, what it is read as, and the distance as the page has it."""

    point: np.ndarray
    distance: float
    prediction: int
    text: str


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
    best, found = answers.best, nearest_found(scene, answers)
    reads = scene.names[best.label]
    truth = truth_of(scene)
    wrong = truth is not None and truth[1] not in (None, best.label)
    shell.headline(
        headline(
            reads, best.lower, best.upper, scene.norm, exact=best.exact,
            truth=str(truth[0]) if truth is not None and wrong else "", looking=not answers.attacks,
        )
    )  # fmt: skip
    status = answers.region.status if REGION in answers.certificates else ""
    st.markdown(promise(reads, best.lower, scene.norm, status))
    if presenting():
        return
    gap_line = st.empty()  # also without words: a drawing with fewer lines would leave one of the last in view
    titles = titles_of_makers()
    if found is not None:
        fooled = scene.names[found.prediction]
        gap = "" if best.exact else f" {unknown_gap(best.lower, best.upper)}"
        where = "Just beyond" if best.exact else "At"
        gap_line.markdown(
            f"{where} {found.text} a changed digit is read as **{fooled}**.{gap} (Proved by: {titles(best.lower_by)}. "
            f"Found by: {titles(best.upper_by)}.)"
        )
    st.caption(_margin(scene, best.label))


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


def line_figure(scene: Scene, answers: Answers, *, flat: bool = False) -> go.Figure:
    """The number line with every bound; flat: for a file."""
    height = 330 if presenting() else 200
    return number_line(answers.marks(), scene.theme, scene.axis_title, height, norm=scene.norm, flat=flat)


def bounds_figure(scene: Scene, answers: Answers) -> go.Figure:
    """All bounds, a row each."""
    return bounds_chart(answers.marks(), scene.theme, scene.axis_title, norm=scene.norm)


def line(scene: Scene, answers: Answers, stage: int) -> None:
    """Draw the number line."""
    best = answers.best
    far = distance(best.lower, best.upper, exact=best.exact)
    words = f"Proved safe to {down(best.lower)}, nearest adversarial digit known at {far}."
    draw(line_figure(scene, answers), key=f"digits_line_{stage}", alt=words, behind=ALL_BOUNDS)


def nearest_found(scene: Scene, answers: Answers) -> Found | None:
    """The nearest adversarial digit known."""
    best = answers.best
    if best.witness is None:
        return None
    text = distance(best.lower, best.upper, exact=best.exact)
    return Found(best.witness, best.upper, engine.reading(scene.net, best.witness, best.label), text)


def adversary(scene: Scene, found: Found | None, stage: int) -> None:
    """The digit, the adversarial digit and the difference between them."""
    if found is None:
        st.markdown("No attack found another answer for this digit.")
        return
    reads = scene.names[found.prediction]
    with st.container(horizontal=True, gap="small"):
        st.image(digit_png(scene.point), caption="The digit", width=PICTURE, alt="The digit")
        words = f"Read as {reads}, at {found.text} ({NORM_NAMES[scene.norm]})"
        st.image(digit_png(found.point), caption=words, width=PICTURE, alt=words)
        with st.container(width=330, gap=None):
            figure = signed_picture(found.point - scene.point, scene.theme, "darker", "lighter", PICTURE + 40)
            key, words = f"digits_difference_{stage}", "The difference, pixel by pixel"
            draw(figure, key=key, alt=words, behind=behind_label(PICTURES))
            st.caption("The difference (1 is from black to white)")
    outside = max(0.0, -float(found.point.min()), float(found.point.max()) - 1)
    if outside > 0:
        st.caption(
            f"Pixels may leave the range from black to white here, by up to {up(outside)}; they are shown cut off. "
            "“Norm and pixels” below can forbid it."
        )


def all_bounds(scene: Scene, answers: Answers, stage: int) -> None:
    """Every method with its distance and time, as figure, table and sentences."""
    words = "All bounds; the table has the numbers"
    draw(bounds_figure(scene, answers), key=f"digits_bounds_{stage}", alt=words, behind=ALL_BOUNDS)
    table(bounds_of(scene, answers), f"digits_bounds_{stage}")
    st.markdown("\n".join(f"- **{title}**: {sentence}" for title, sentence in answers.sentences()))
    st.caption(
        f"{NORM_HELP[scene.norm]}. Lower bounds are proved and rounded down; upper bounds are the distances of "
        "adversarial digits, checked and rounded up; an estimate is no proof. Times are of this machine, one thread."
    )


def bounds_of(scene: Scene, answers: Answers) -> Numbers:
    """All bounds as a table with a file."""
    return Numbers(answers.table(), file="relucert-bounds", about=lambda: about(scene))


def strongest(values: np.ndarray, name: str, count: int = 5) -> dict[str, list[str]]:
    """The largest entries of a 28x28 picture as a table of text."""
    order = np.argsort(-np.abs(values), kind="stable")[:count]
    return {
        "Row": [str(i // 28) for i in order],
        "Column": [str(i % 28) for i in order],
        name: [number(float(values[i])) for i in order],
    }


def changes_table(scene: Scene, found: Found | None, stage: int) -> None:
    """The three pictures as text: the strongest changes, and a file of all pixels."""
    if found is None:
        return
    change = found.point - scene.point
    moved = int((np.abs(change) > 1 / 255).sum())
    note = f"{moved} of 784 pixels change by more than one grey level of 255. The five that change most:"

    def whole() -> dict[str, list[float]]:
        return pixels() | {"digit": scene.point.tolist(), "adversary": found.point.tolist(), "change": change.tolist()}

    table(
        Numbers(strongest(change, "Change"), note, "relucert-pixels", whole, lambda: about(scene)),
        f"digits_changes_{stage}",
    )


def about(scene: Scene) -> dict[str, str]:
    """What a file says of its making."""
    return made_by(scene.code, network=scene.net.digest, digit=point_digest(scene.point))


def pixels() -> dict[str, list[int]]:
    """The places of the 784 pixels, row by row."""
    return {"row": [i // 28 for i in range(784)], "column": [i % 28 for i in range(784)]}
