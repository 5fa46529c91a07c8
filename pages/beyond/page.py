"""Beyond: grow the certified ball to the exact distance, and cut planes through the space of digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.beyond import engine as beyond_engine
from pages.beyond import panels as beyond_panels
from pages.beyond import state as beyond
from pages.beyond.components import morph
from pages.beyond.live import Live
from pages.beyond.slice import Cut, show_slice
from pages.beyond.state import GROW, Scene
from pages.beyond.words import (
    UNIT,
    compared,
    ended,
    labels,
    makers_sentence,
    sentence,
)
from pages.shared import engine, own, shell
from pages.shared.charts import behind_label, draw, numbers_behind
from pages.shared.control import control
from pages.shared.keys import listen_to_keys
from pages.shared.known import known, learn
from pages.shared.places import Busy
from pages.shared.shell import footer, presenting
from pages.shared.text import plain, say_problem
from pages.shared.toggle_button import toggle_button
from pages.shared.words import distance, headline
from relucert_core.errors import RelucertError
from relucert_core.experiments.best_known import completed, maker_titles, with_run
from relucert_core.figures.digits import digit_png
from relucert_core.figures.export import to_svg
from relucert_core.figures.search_trace import search_trace
from relucert_core.words import NORM_NAMES, down, duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from relucert_core.experiments.search_run import Recorder, SearchRun

LIVE, WANTED = "beyond_live", "beyond_wanted"
MORPH = 210
_LIVE_WIDTH = 560
_IN_SIGHT = 400  # pixels: with headline and presets it fits a screen of 720


def want() -> None:
    """The search is to begin."""
    st.session_state[WANTED] = True


def forget() -> None:
    """Back to the stored run, or to the first look."""
    st.session_state.pop(LIVE, None)


def live_of(scene: Scene) -> Live | None:
    """The search that was started for this scene; it begins here when the button was pressed."""
    live: Live | None = st.session_state.get(LIVE)
    if live is not None and live.token != scene.token:
        live.stop()
        live = st.session_state[LIVE] = None
    if st.session_state.pop(WANTED, False):
        budget = float(beyond.STATE.now.seconds)
        recorder, stream = beyond_engine.begin(
            scene.net, scene.model, scene.point, scene.name, scene.norm, scene.method, budget
        )
        live = st.session_state[LIVE] = Live(scene.token, recorder, stream, budget, stream.remark)
    return live


def complete(scene: Scene, run: SearchRun) -> SearchRun:
    """The run up to what is known of the digit on all pages, which learn of it what is new."""
    if scene.toy:
        return run
    return completed(run, learn(with_run(known(scene.net, scene.point, scene.norm), run)), scene.net)


def words_of(scene: Scene, run: SearchRun) -> str:
    """The headline of a run."""
    reads = scene.names[run.subject.label]
    return headline(reads, run.lower, run.upper, scene.norm, exact=run.exact, toy=scene.toy)


def first_words(scene: Scene) -> str:
    """The headline before anything is computed: what is known of the digit already; empty where nothing is."""
    if scene.toy:
        return ""
    best = known(scene.net, scene.point, scene.norm)
    if best.lower <= 0:
        return ""
    return headline(scene.names[best.label], best.lower, best.upper, scene.norm, exact=best.exact)


def base_of(scene: Scene) -> tuple[SearchRun, Recorder | None, str]:
    """What is known without pressing anything: the stored run, else a short search made now; with where it is from."""
    norm = NORM_NAMES[scene.norm]
    if not scene.toy:
        kept = beyond_engine.stored(scene.net, scene.model, scene.name, scene.method, norm)
        if kept is not None and kept.header is not None:
            header = kept.header
            return (
                kept,
                None,
                f"A stored, finished run of {header.date} ({header.hardware}), made by `{header.command}`.",
            )
    with st.spinner("A first look: searching for a second or two", show_time=True):
        recorder = beyond_engine.first_look(
            scene.net, scene.model, scene.point.tobytes(), scene.name, scene.norm, scene.method
        )
    run = recorder.run()
    more = "." if run.exact else "; press Start for more."
    return run, recorder, f"A first look, searched just now in {duration(run.last.seconds)}{more}"


def chart_of(scene: Scene, run: SearchRun, height: int, least: float = 0.0) -> go.Figure:
    """Both bounds over time."""
    title = f"distance ({run.subject.norm}, log scale)"
    return search_trace(
        run, scene.theme, names=labels(run), axis_title=title, makers=maker_titles(), height=height, seconds=least
    )


def still_chart(scene: Scene, run: SearchRun, height: int) -> go.Figure:
    """The finished chart, with hover."""
    figure = chart_of(scene, run, height)
    far = distance(run.lower, run.upper, exact=run.exact)
    words = f"Lower bound {down(run.lower)}, upper bound {far} after {duration(run.last.seconds)}"
    draw(figure, key="beyond_chart", alt=words, behind=behind_label(beyond_panels.PICTURES))
    return figure


def buttons(live: Live | None, source: str, *, playing: bool) -> Any:
    """Start, stop, back; and the place for what is going on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        face: tuple[str, str, Callable[[], object]] = ("Start" if live is None else "Start again", "play_arrow", want)
        if live is not None and playing:
            face = ("Stop", "stop", live.stop)
        toggle_button("beyond_start", *face)
        place = st.empty()
    if live is not None and not playing:
        place.button("Back to the first view", key="beyond_back", icon=":material/replay:", on_click=forget)
    if live is None:
        st.caption(source)
    elif not playing:
        run = live.run()
        st.caption(f"Searched just now: {ended(run)}. {live.remark()}" if run else "Stopped before the first bound.")
    return place


def adversary(scene: Scene, run: SearchRun) -> None:
    """The slider from the digit to the adversarial one; without one, the digit."""
    size = 190 if presenting() else MORPH
    if run.witness is None or run.rival is None:
        st.image(
            digit_png(scene.point), caption="The digit. No other answer is known yet.", width=size, alt="The digit"
        )
        return
    readings = beyond_engine.readings_between(scene.net, scene.point.tobytes(), run.witness.tobytes())
    morph(
        "beyond_morph", scene.point, run.witness, distance=run.upper,
        whole=distance(run.lower, run.upper, exact=run.exact), readings=readings, names=scene.names,
        ends=("digit", "nearest" if run.exact else "adversary"), theme=scene.theme, size=size,
    )  # fmt: skip


def grow_part(scene: Scene, run: SearchRun, height: int) -> tuple[Any, go.Figure]:
    """The chart, and the digit beside it."""
    left, right = (st.container(), None) if scene.toy else st.columns([3, 1], gap="medium")
    with left:
        place = st.empty()
        with place.container():
            figure = still_chart(scene, run, height)
    if right is not None:
        with right:
            adversary(scene, run)
    return place, figure


def _told(scene: Scene, run: SearchRun) -> str:
    """What one is looking at, and who made the bounds."""
    return f"{sentence(run, scene.norm, toy=scene.toy)} {makers_sentence(run, maker_titles())}".strip()


def drive(scene: Scene, live: Live, chart: Any, words: Any, top: Any, told: Any) -> None:
    """Search a little, draw, and again; a click goes first, and the search stands still meanwhile."""
    while live.playing:
        live.advance()
        run = live.run()
        if run is None:
            words.progress(0.0, live.remark() or "Looking for the first bounds")
            continue
        top.markdown(f"## {words_of(scene, complete(scene, run))}")
        figure = chart_of(scene, run, 340, min(1.0, live.seconds))
        chart.image(to_svg(figure, _LIVE_WIDTH).decode(), width="stretch")
        unit, last = UNIT[run.subject.method], run.last
        told.markdown(_told(scene, run))
        work = f"{last.regions:,} {unit}, {last.queue:,} waiting, {duration(last.seconds)} of {duration(live.seconds)}"
        words.progress(min(1.0, last.seconds / live.seconds), work)
    st.rerun()


def preset_row(scene: Scene) -> None:
    """The prepared views."""
    entries = beyond.presets()
    shown = beyond.current_preset(scene)
    key, first = control(beyond.CHOICE, shown)
    st.pills(
        "Prepared views", list(entries), format_func=lambda name: entries[name].title, key=key, default=first,
        on_change=beyond.choose, label_visibility="collapsed",
    )  # fmt: skip
    if shown in entries:
        st.caption(entries[shown].words)


def network_line(scene: Scene) -> None:
    """Which network reads the digit: the same digit has other numbers on another one."""
    if not scene.toy:
        names = engine.digit_networks() | own.titles()
        st.caption(f"The network: {plain(names.get(scene.model, scene.model))}.")


def slice_first(scene: Scene) -> bool:
    """Is the slice what the view is about? Then it stands above the search, in sight without scrolling."""
    shown = beyond.current_preset(scene)
    return scene.toy or (shown is not None and beyond.presets()[shown].part == beyond.SLICE)


def slice_part(scene: Scene, run: SearchRun, recorder: Recorder | None, tallest: int = 560) -> Cut:
    """The slice with its slider."""
    if not slice_first(scene):
        st.markdown("## A slice through the space of digits, around this one")
    partner = beyond.plain_partner(scene)
    cut = show_slice(scene, run, recorder, tallest) if partner is None else side_by_side(scene, partner, run)
    beyond.STATE.control("zoom")
    st.caption(
        f"{cut.view.words} Distances seen in the picture hold *in this plane*; the true distance may be smaller."
        if not scene.toy
        else f"{cut.view.words} Click anywhere to put u there."
    )
    return cut


def side_by_side(scene: Scene, partner: Scene, run: SearchRun) -> Cut:
    """The slice of a regularised network, and that of the plain one at the same scale."""
    tallest, aside = (560, False) if presenting() else (360, True)
    other = complete(partner, base_of(partner)[0])
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Regularised.** {compared(run)}")
        cut = show_slice(scene, run, None, tallest, aside=aside)
    with right:
        st.markdown(f"**Plain.** {compared(other)}")
        show_slice(partner, other, None, tallest, beyond.VIEWER + "_plain", aside=aside)
    return cut


def lecture(scene: Scene, run: SearchRun, recorder: Recorder | None) -> None:
    """Picture and sentence alone."""
    shell.headline(words_of(scene, run))
    shown = beyond.current_preset(scene)
    part = beyond.STATE.now.show or (beyond.presets()[shown].part if shown else GROW)
    if part == GROW and not scene.toy:
        left, right = st.columns([1, 1], gap="medium")
        with left:
            still_chart(scene, run, 300)
            adversary(scene, run)
        with right:
            cut = show_slice(scene, run, recorder, 500, aside=False)
            st.markdown("Dashed around the digit: " + "; ".join(circle.words for circle in cut.circles) + ".")
    else:
        partner = beyond.plain_partner(scene)
        if partner is None:
            show_slice(scene, run, recorder, 590)
        else:
            side_by_side(scene, partner, run)


def expanders(scene: Scene, run: SearchRun, cut: Cut, figure: go.Figure) -> None:
    """Everything else."""
    with st.expander("Another digit or network"):
        beyond_panels.subject_panel(scene)
    own.panel(beyond.STATE)
    with st.expander("Search: method, norm, limits"):
        beyond_panels.settings_panel()
    with st.expander("The point u" if scene.toy else "The plane of the slice"):
        beyond_panels.plane_panel(scene)
    with numbers_behind(beyond_panels.PICTURES):
        beyond_panels.tables(scene, run, cut)
    with st.expander("Download and link"):
        beyond_panels.downloads(scene, run, cut, figure)
    with st.expander("The same in a few lines of Python"):
        beyond_panels.code_panel(scene)


def page() -> None:
    """The whole page."""
    if not presenting():
        st.title("How far can the safe ball grow?")
    beyond.STATE.open()
    listen_to_keys(beyond.KEYS, beyond.press)
    beyond.STATE.write()
    scene = beyond.current_scene()
    if not presenting():
        preset_row(scene)
        network_line(scene)
    top = st.empty() if presenting() else st.container(key="beyond_top").empty()
    first = first_words(scene)
    if first and not presenting():
        top.markdown(f"## {first}")
    live = live_of(scene)
    playing = live is not None and live.playing  # read once: the step of an earlier run of the script may end it
    base, recorder, source = base_of(scene)
    if live is not None and not playing and live.run() is not None:
        base, recorder = live.run() or base, live.recorder
    base = complete(scene, base)
    if presenting():
        lecture(scene, base, recorder)
        return
    body(scene, live if playing else None, base, recorder, top, lambda: buttons(live, source, playing=playing))


def body(
    scene: Scene, going: Live | None, run: SearchRun, recorder: Recorder | None, top: Any, below: Callable[[], Any]
) -> None:
    """The page at a desk; `going` is a search to drive, `top` the headline's place, `below` draws the buttons."""
    top.markdown(f"## {words_of(scene, run)}")
    cut = slice_part(scene, run, recorder, _IN_SIGHT) if slice_first(scene) else None
    chart, figure = grow_part(scene, run, 340)
    told = st.empty()
    told.markdown(_told(scene, run))
    words = below()
    cut = cut or slice_part(scene, run, recorder)
    expanders(scene, run, cut, figure)
    footer()
    if going is not None:
        drive(scene, going, chart, words, top, told)


try:
    page()
except (RelucertError, Busy) as problem:
    say_problem(problem)
