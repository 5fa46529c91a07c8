"""Digits: draw, upload or pick a digit, certify it with every method, and see what limits it and what fools it.

The quick answers are on the screen first; the slower methods follow with progress, and the picture is drawn once more
with them in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.digits import downloads, explain, live, results
from pages.digits import engine as answering
from pages.digits.answers import REGION, Answers
from pages.digits.code import digit_code
from pages.digits.state import STATE, Fields
from pages.digits.turns import FIRST_WORDS
from pages.digits.words import NORM_HELP
from pages.shared import engine, own, places
from pages.shared.charts import numbers_behind
from pages.shared.digit import DRAW, Digit, digit_of, gallery_digit, packed, show
from pages.shared.digit_sources import lecture_strip, source_panel
from pages.shared.keys import listen_to_keys, pressed_key
from pages.shared.known import known, learn
from pages.shared.places import Busy
from pages.shared.shell import footer, presenting
from pages.shared.text import plain, say_problem
from relucert_core.errors import RelucertError, Unsupported
from relucert_core.places.pool import JobLost
from relucert_core.words import NORM_CHOICES

if TYPE_CHECKING:
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

FIRST_CERTIFICATES = (REGION, "decision-boundary")
FIRST_ATTACKS = ("deepfool",)
KEYS = "digits_keys"
REGION_ANSWER, COMPLETE = "digits_region_answer", "digits_complete"
_REMEMBERED = 12  # digits whose slower answers are likely still in the cache


def about_network(name: str) -> str:
    """What a network is, in one line."""
    card, mine = own.card(name), own.own_networks().get(name)
    shape = "-".join(str(n) for n in card.architecture)
    if mine is not None:
        right = f"{100 * mine.right:.1f} % of the shipped digits right"
        return f"Your own network {plain(mine.file)}, {name}: neurons {shape}, {right}."
    return (
        f"The network {name}: {card.title}. Layers {shape}, {100 * card.test_accuracy:.1f} % of the test images right."
    )


def norm_and_pixels() -> None:
    """The controls of the norm and of the attacks' pixel range."""
    with st.expander("Norm and pixels"):
        STATE.panel("norm")
        st.caption(NORM_HELP[NORM_CHOICES[STATE.now.norm]])


def preset() -> None:
    """A pressed key shows the first test image of that digit; r goes back to the first image."""
    key = pressed_key(KEYS)
    if key is not None:
        labels = engine.sample()[1].tolist()
        show(STATE, gallery_digit(0 if key == "r" else labels.index(int(key))))


def compute(
    answers: Answers, scene: results.Scene, valid: bool, kind: str, name: str, say: places.Say | None = None
) -> None:
    """One method's answer, into `answers`; `say` takes words while it waits for a place."""
    about = (scene.net, scene.digit.pixels, name, scene.norm)
    try:
        if kind == "certificate":
            answers.certificates[name] = engine.certificate(*about, say)
        else:
            answers.attacks[name] = engine.adversarial(*about, valid, say)
    except (Unsupported, JobLost) as problem:  # no room for a network of this size, or lost: its line is left out
        if kind == "certificate" and name == REGION:
            raise
        answers.leave_out(name, str(problem) if isinstance(problem, JobLost) else "")


def plan(answers: Answers) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """(kind, name, title) of the quick methods and of the others, without what has its answer."""
    jobs = [("certificate", e.name, e.title) for e in answers.certificate_entries if e.name not in answers.certificates]
    jobs += [("attack", e.name, e.title) for e in answers.attack_entries]
    quick = [job for job in jobs if job[1] in FIRST_CERTIFICATES + FIRST_ATTACKS]
    patient = [e.name for e in answers.certificate_entries if "max_seconds" in e.options or e.guarantee == "estimate"]
    slow = [job for job in jobs if job not in quick and job[1] != live.METHOD]
    return quick, sorted(slow, key=lambda job: job[1] in patient)


class Slots:
    """The places on the page that are filled more than once: with what is known at once, and with all the answers.

    blank: there is no digit yet, and no place for answers.
    """

    def __init__(self, top: st.delta_generator.DeltaGenerator, scene: results.Scene, *, blank: bool) -> None:
        self.top = top
        if blank:
            self.settings = st.container()
            return
        self.begin(scene)
        self.line = st.container(key="digits_line")
        self.line_slot = self.line.empty()
        self.progress = st.container(key="digits_progress").empty()
        if not presenting():
            st.markdown("## The nearest digit that is read differently")
            self.adversary = st.container(key="digits_adversary").empty()
            self.bounds = st.expander(results.ALL_BOUNDS).empty()
            self.limits = st.expander(explain.LIMITS).empty()
            self.inside = st.expander("Inside the digit's own region").container()
            self.settings = st.container()
            self.tables = numbers_behind(results.PICTURES).empty()
            self.download = st.expander("Download and link").container()
            self.code = st.expander("The same in a few lines of Python").container()

    def say(self, scene: results.Scene, answers: Answers) -> None:
        """The headline as it is now."""
        with self.verdict.container():
            results.verdict(scene, answers)

    def draw(self, scene: results.Scene, answers: Answers, stage: int) -> None:
        """Everything that depends on the answers so far."""
        self.say(scene, answers)
        with self.line_slot.container():
            results.line(scene, answers, stage)
        if presenting():
            return
        with self.adversary.container():
            results.adversary(scene, results.nearest_found(scene, answers), stage)
        with self.bounds.container():
            results.all_bounds(scene, answers, stage)
        with self.tables.container():
            results.changes_table(scene, results.nearest_found(scene, answers), stage)
        if stage > 1 or answers.base.stored:
            with self.limits.container():
                explain.limits(scene, answers, stage)

    def begin(self, scene: results.Scene) -> None:
        """What depends on no answer."""
        with self.top:
            results.pictures(scene)
            side = st.container(width="stretch", key="digits_side") if presenting() else st
            self.verdict = side.container(width="stretch", key="verdict").empty()
            if presenting():
                self.strip = side.container(key="digits_strip")


def source_and_top(net: Network, card: ModelCard, digit: Digit, *, blank: bool) -> st.delta_generator.DeltaGenerator:
    """The panel that the digit comes from, and the place for its pictures: beside the drawing pad, else below."""
    beside = STATE.now.way == DRAW and not presenting()
    panel, place = st.columns([2, 3], gap="medium") if beside else (st.container(), st.container())
    if not presenting():
        with panel:
            source_panel(STATE, net, card, digit)
    key = None if blank else "digits_top"  # the style sheet keeps its room from the beginning
    return place.container(horizontal=True, gap="small", vertical_alignment="top", key=key)


def search_region(scene: results.Scene, answers: Answers) -> None:
    """On request: the nearest decision point inside the own region, kept for this session."""
    token = (scene.net.digest, scene.digit.pixels, scene.norm)
    if st.button("Look for the nearest other answer inside this region (takes seconds)"):
        bar = st.progress(0.0, "Solving a small optimisation problem for each rival class")

        def tick(done: int, rivals: int) -> None:
            bar.progress(done / rivals, f"{done} of {rivals} rival classes done")

        inside = answering.inside_region(scene.net, scene.digit.pixels, scene.norm, tick)
        st.session_state[REGION_ANSWER] = (token, inside)
        bar.empty()
    kept, inside = st.session_state.get(REGION_ANSWER, (None, None))
    if kept == token:
        st.markdown(explain.inside_words(scene, inside))
        answers.extra_upper = inside.distance


def fill_in(
    slots: Slots, scene: results.Scene, answers: Answers, valid: bool, jobs: list[tuple[str, str, str]]
) -> None:
    """The slower methods one after the other: whatever is better stands in the headline at once."""
    better = not (answers.base.stored or answers.base.settled)
    what = "Better bounds are being computed" if better else "The other methods are being computed, to compare"
    for place, (kind, name, title) in enumerate(jobs):
        share, words = place / len(jobs), f"{what}: {title} ({place + 1} of {len(jobs)})"
        slots.progress.progress(share, words)
        before = answers.best
        compute(answers, scene, valid, kind, name, lambda more: slots.progress.progress(share, f"{words}. {more}"))  # noqa: B023 - called at once
        best = answers.best
        if name in FIRST_ATTACKS or (best.lower, best.upper) != (before.lower, before.upper):
            slots.say(scene, answers)
    slots.progress.empty()
    if answers.lost:
        slots.progress.warning(answers.lost)


def digit_link(digit: Digit) -> dict[str, str]:
    """The part of a link that names the digit."""
    return {"digits_image": str(digit.index)} if digit.index is not None else {"digits_ink": packed(digit)}


def code_of(fields: Fields, digit: Digit) -> str:
    """The Python that prints the headline."""
    which = str(digit.index) if digit.index is not None else packed(digit)
    return digit_code(own.reading_code(fields.net), which, NORM_CHOICES[fields.norm], valid_pixels=fields.valid)


def take_away(slots: Slots, scene: results.Scene, answers: Answers, name: str, valid: bool) -> None:
    """Downloads, link and code."""
    with slots.download:
        downloads.downloads(scene, answers, name, valid, digit_link(scene.digit))
        st.markdown("The link to this digit and these settings:")
        st.code(STATE.address(), language=None, wrap_lines=True)
    with slots.code:
        st.code(scene.code, wrap_lines=True)


@dataclass(frozen=True)
class Opened:
    """A page whose first words stand; begun: when its answers were asked for."""

    slots: Slots
    scene: results.Scene
    answers: Answers
    name: str
    valid: bool
    begun: float


def page() -> None:
    """The whole page: its controls and first words, then its answers."""
    with FIRST_WORDS.under_way():
        opened = first_words()
    if opened is not None:
        FIRST_WORDS.let_pass()
        answer(opened)


def first_words() -> Opened | None:
    """All controls, and the headline with what is known at once; None where no digit is drawn yet."""
    if not presenting():
        st.title("How far is this digit from being read as another?")
    listen_to_keys(KEYS, preset)
    STATE.open()
    if not presenting():
        left, right = st.columns([1, 1], vertical_alignment="bottom")
        STATE.control("way", left)
        STATE.control("net", right)
    fields = STATE.now
    net, card, digit = own.network(fields.net), own.card(fields.net), digit_of(fields)
    blank = fields.way == DRAW and not fields.ink and not presenting()
    scene = results.Scene(net, card, digit, NORM_CHOICES[fields.norm], results.current_theme(), code_of(fields, digit))
    slots = Slots(source_and_top(net, card, digit, blank=blank), scene, blank=blank)
    if not presenting():
        with slots.settings:
            norm_and_pixels()
            own.panel(STATE)
    STATE.write()
    if blank:
        slots.top.markdown("**Nothing is drawn yet.** Lift the pen after the first stroke: the answer appears here.")
        footer()
        return None
    if presenting():
        with slots.strip:
            lecture_strip(STATE, net, card, digit)
    begun, valid = time.monotonic(), fields.valid and not presenting()
    certificates, attacks = answering.certificates_for(net, scene.norm), answering.attacks_for(scene.norm)
    answers = Answers(known(net, scene.point, scene.norm), certificates, attacks, in_range=valid)
    if answers.base.lower <= 0:
        compute(answers, scene, valid, "certificate", REGION)
    slots.say(scene, answers)
    return Opened(slots, scene, answers, fields.net, valid, begun)


def answer(opened: Opened) -> None:
    """The quick answers, then the rest."""
    slots, scene, answers, valid = opened.slots, opened.scene, opened.answers, opened.valid
    quick, slow = plan(answers)
    if places.crowded():  # what is computed at once is shown first, and the visitor waits for the rest
        waits = [job for job in quick if job[1] not in engine.CLOSED_FORMS]
        quick, slow = [job for job in quick if job not in waits], waits + slow
    for kind, method, _ in quick:
        compute(answers, scene, valid, kind, method)
    complete = (scene.net.digest, scene.digit.pixels, scene.norm, valid)
    remembered = st.session_state.get(COMPLETE, ())  # the rest comes from the cache, and one drawing will do
    if complete not in remembered:
        slots.draw(scene, answers, 1)
    if not presenting():
        with slots.inside:
            search_region(scene, answers)
    fill_in(slots, scene, answers, valid, slow)
    kept = live.known(scene)
    if kept is not None:
        answers.certificates[live.METHOD] = kept
    learn(answers.found)
    slots.draw(scene, answers, 2)
    st.session_state[COMPLETE] = (complete, *remembered)[:_REMEMBERED]
    if not presenting():
        take_away(slots, scene, answers, opened.name, valid)
        st.caption(about_network(opened.name))
        footer()
    if live.offered(answers) is not None and not live.settled(scene, answers):
        grow(slots, scene, answers, live.seconds_for(time.monotonic() - opened.begun))


def grow(slots: Slots, scene: results.Scene, answers: Answers, most: float) -> None:
    """The headline's two sides come nearer to each other while the visitor watches; the rest is drawn at the end."""
    with slots.progress.container(horizontal=True, vertical_alignment="center", key="digits_growing"):
        bar = st.progress(0.0, live.progress_words(0.0, most))
        st.button("Stop", key=live.STOP, on_click=live.stop, args=(live.token_of(scene),))

    def show(seconds: float) -> None:
        bar.progress(min(seconds / most, 1.0), live.progress_words(seconds, most))
        slots.say(scene, answers)

    live.work(scene, answers, most, show, lambda words: bar.progress(0.0, words))
    slots.progress.empty()
    slots.draw(scene, answers, 3)


try:
    page()
except (RelucertError, Busy) as problem:
    say_problem(problem)
