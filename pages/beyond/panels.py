"""The expanders of the page "Beyond": settings, numbers as text, downloads, code."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from pages.beyond.code import beyond_code
from pages.beyond.engine import readings_between
from pages.beyond.slice import Cut, circle_words, plane_controls, third_of
from pages.beyond.state import STATE, Scene, changed_network
from pages.beyond.words import ended, readings_table, way_table
from pages.shared import own
from pages.shared.digit_sources import source_panel
from relucert_core.citation import bibtex, in_csv, in_png, in_svg, made_by
from relucert_core.experiments.best_known import maker_titles
from relucert_core.figures.export import exported
from relucert_core.figures.slice import slice_png, slice_svg
from relucert_core.jobs.lines import point_digest

if TYPE_CHECKING:
    from relucert_core.experiments.search_run import SearchRun


def subject_panel(scene: Scene) -> None:
    """Which digit and which network."""
    STATE.control("net", then=changed_network)
    if scene.digit is not None:
        STATE.control("way")
        source_panel(STATE, scene.net, own.card(scene.model), scene.digit)


def settings_panel() -> None:
    """How it is searched, and for how long."""
    STATE.panel("search")
    st.caption(
        "The exact search begins with the semidefinite bound, a convex problem over matrices whose proved answer often "
        "comes within a few per cent; where a gap is left it splits the ball into pieces along the neurons' switches, "
        "until each is proved free of other answers. The neighbouring polyhedra are entered one after the other, the "
        "nearest first: the picture of the idea, which needs no solver but cannot get far in a wide network."
    )


def plane_panel(scene: Scene) -> None:
    """Where the slice is cut."""
    plane_controls(scene)


PICTURES = "the pictures"


def tables(scene: Scene, run: SearchRun, cut: Cut) -> None:
    """The pictures as text."""
    st.markdown(f"The search over time; it ended because: {ended(run)}.")
    st.table(readings_table(run, maker_titles()))
    st.markdown(f"**The slice**, {cut.view.half:g} from its centre to its edge. {cut.view.words}")
    lines = [*circle_words(scene, run), *(f"{s.words} at ({s.s:.3g}, {s.t:.3g}) in this plane" for s in cut.spots)]
    st.markdown("\n".join(f"- {line}" for line in lines))
    areas = cut.view.classes
    shares = {k: float((areas == k).mean()) for k in sorted(set(areas.ravel().tolist()))}
    st.table(
        {
            "Read as": [scene.names[k] for k in shares],
            "Share of the picture": [f"{100 * v:.1f} %" for v in shares.values()],
        }
    )
    if not scene.toy and run.witness is not None:
        readings = readings_between(scene.net, scene.point.tobytes(), run.witness.tobytes())
        st.markdown("**On the way from the digit to the adversary:**")
        st.table(way_table(readings, scene.names))


def downloads(scene: Scene, run: SearchRun, cut: Cut, figure: go.Figure) -> None:
    """The run as CSV and JSON, both pictures as SVG and PNG, the link."""
    plane, about = None if scene.toy else cut.plane, about_of(scene)
    files: list[tuple[str, Any, str, str]] = [
        ("Search (CSV)", lambda: in_csv(as_csv(run), about), "relucert-search.csv", "text/csv"),
        ("Search (JSON)", lambda: as_json(scene, run, cut, about), "relucert-search.json", "application/json"),
        ("Bounds (SVG)", lambda: exported(figure, "svg", about), "relucert-bounds.svg", "image/svg+xml"),
        ("Bounds (PNG)", lambda: exported(figure, "png", about), "relucert-bounds.png", "image/png"),
        (
            "Slice (SVG)",
            lambda: in_svg(slice_svg(cut.view, scene.theme, cut.circles, cut.spots, plane), about),
            "relucert-slice.svg",
            "image/svg+xml",
        ),
        (
            "Slice (PNG)",
            lambda: in_png(slice_png(cut.view, scene.theme, cut.circles, cut.spots), about),
            "relucert-slice.png",
            "image/png",
        ),
    ]
    files.append(("How to cite (BibTeX)", bibtex, "relucert.bib", "text/plain"))
    with st.container(horizontal=True):
        for label, make, name, kind in files:
            st.download_button(label, make, name, kind, on_click="ignore", key=f"beyond_{name}")
    st.markdown("The link to this view:")
    st.code(STATE.address(), language=None, wrap_lines=True)


def as_csv(run: SearchRun) -> str:
    """One line for each reading."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("seconds", "lower", "lower_by", "upper", "upper_by", "worked_through", "waiting"))
    for r in run.readings:
        writer.writerow((repr(r.seconds), repr(r.lower), r.lower_by, repr(r.upper), r.upper_by, r.regions, r.queue))
    return buffer.getvalue()


def as_json(scene: Scene, run: SearchRun, cut: Cut, about: Mapping[str, str]) -> str:
    """The run with its witness, and what the slice is cut through; infinite numbers are null."""
    values = {
        "subject": vars(run.subject),
        "point": scene.point.tolist(),
        "lower": _finite(run.lower),
        "upper": _finite(run.upper),
        "exact": run.exact,
        "status": run.status,
        "witness": None if run.witness is None else run.witness.tolist(),
        "readings": [
            [r.seconds, _finite(r.lower), _finite(r.upper), r.regions, r.queue, r.lower_by, r.upper_by]
            for r in run.readings
        ],
        "slice": {
            "half": cut.view.half,
            "regions": cut.view.regions,
            "u": cut.plane.u.tolist(),
            "v": cut.plane.v.tolist(),
            "boundary": cut.view.segments.tolist(),
        },
        "header": None if run.header is None else vars(run.header),
        **about,
    }
    return json.dumps(values, allow_nan=False)


def code_panel(scene: Scene) -> None:
    """The same in Python."""
    st.code(code_of(scene), wrap_lines=True)


def about_of(scene: Scene) -> dict[str, str]:
    """What every file says of its making."""
    return made_by(code_of(scene), network=scene.net.digest, point=point_digest(scene.point))


def code_of(scene: Scene) -> str:
    """The Python that makes what is in view again."""
    kind, number = third_of(scene)
    return beyond_code(scene, kind, number, half=STATE.now.zoom, seconds=STATE.now.seconds)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
