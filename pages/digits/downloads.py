"""What a reader takes away from the digits page: all numbers, one record that can be checked, the number line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.digits.answers import Answers, as_json
from pages.digits.engine import scores
from pages.digits.results import Scene, about, bounds_figure, line_figure
from relucert_core.citation import bibtex
from relucert_core.words import NORM_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

    File = tuple[str, Callable[[], str | bytes], str, str]  # label, maker, name, kind

_JSON, _NAME = "application/json", "relucert-digit"


def downloads(scene: Scene, answers: Answers, name: str, valid: bool, link: dict[str, str]) -> None:
    """The buttons; each file is made when it is asked for, from what is known then."""
    files: list[File] = [
        ("Record to check (JSON)", lambda: record_of(scene, answers, name), "relucert-record.json", _JSON),
        ("All numbers (JSON)", lambda: numbers_of(scene, answers, name, valid, link), f"{_NAME}.json", _JSON),
        *pictures("Number line", "relucert-number-line", scene, lambda: line_figure(scene, answers, flat=True)),
        *pictures("All bounds", "relucert-bounds", scene, lambda: bounds_figure(scene, answers)),
        ("How to cite (BibTeX)", bibtex, "relucert.bib", "text/plain"),
    ]  # fmt: skip
    with st.container(horizontal=True):
        for label, make, file, kind in files:
            st.download_button(label, make, file, kind, on_click="ignore", key=f"digits_{file}")
    st.caption(
        "The record holds the headline with the adversarial digit. `relucert check relucert-record.json` proves it "
        "again without trusting this page."
    )


def record_of(scene: Scene, answers: Answers, name: str) -> str:
    """The headline as one line that `relucert check` verifies; it carries the digit itself."""
    from relucert_core.jobs.records import record_json, record_line

    image = "own" if scene.digit.index is None else f"mnist-sample/{scene.digit.index}"
    return record_json(record_line(answers.found, name, scene.code, name=image, point=scene.point))


def numbers_of(scene: Scene, answers: Answers, name: str, valid: bool, link: dict[str, str]) -> str:
    """All numbers of the page."""
    facts: dict[str, Any] = {"network": name, "digest": scene.net.digest, "norm": NORM_NAMES[scene.norm], "digit": link}
    facts |= {"valid_pixels": valid, "classes": list(scene.card.classes), "pixels": list(scene.digit.pixels)}
    return as_json(answers, facts | about(scene), scores(scene.net, scene.digit.pixels).tolist())


def pictures(label: str, name: str, scene: Scene, figure: Callable[[], go.Figure]) -> list[File]:
    """A figure as SVG and as PNG, which say how they were made."""
    from relucert_core.figures.export import exported

    def made(kind: str) -> bytes:
        return exported(figure(), kind, about(scene))

    kinds = {"svg": "image/svg+xml", "png": "image/png"}
    return [(f"{label} ({kind.upper()})", partial(made, kind), f"{name}.{kind}", mime) for kind, mime in kinds.items()]
