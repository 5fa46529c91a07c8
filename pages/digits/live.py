"""The semidefinite certificate on the page: it works while the visitor watches, and both sides of the headline move.

One such job runs for a visitor: a click ends it at the next iteration of its solver, and what it had proved is kept for
the session, so that the digit's numbers stand at once when the visitor comes back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import streamlit as st

from pages.digits.answers import Answers
from pages.shared.engine import as_point, job_seconds
from pages.shared.known import learn
from pages.shared.places import Improvements, Say, follow

if TYPE_CHECKING:
    from pages.digits.results import Scene
    from relucert_core.certificates.result import Certificate, CertificateEntry
    from relucert_core.search.ledger import SearchStep

METHOD = "semidefinite"
SECONDS = job_seconds()
STOP = "digits_stop"
_KEPT, _STOPPED, _REMEMBERED = "digits_both_sides", "digits_stopped", 24
Token = tuple[str, bytes, float]


def offered(answers: Answers) -> CertificateEntry | None:
    """The registry's entry, where it is made for this network and norm."""
    return next((entry for entry in answers.certificate_entries if entry.name == METHOD), None)


def token_of(scene: Scene) -> Token:
    """What the answer belongs to."""
    return scene.net.digest, scene.digit.pixels, scene.norm


def known(scene: Scene) -> Certificate | None:
    """What was proved for this digit in this session."""
    found: Certificate | None = st.session_state.get(_KEPT, {}).get(token_of(scene))
    return found


def settled(scene: Scene, answers: Answers) -> bool:
    """Is there nothing to be gained?

    There is no time, nothing is proved at all, the distance is known, or the work was done: now, or for the record.
    """
    if SECONDS <= 0:
        return True
    best, kept = answers.best, known(scene)
    worked = kept is not None and kept.seconds >= SECONDS * 0.9
    return answers.base.stored or best.settled or worked or _stopped(scene) or not 0 < best.lower < best.upper


def keep(scene: Scene, certificate: Certificate) -> None:
    """Remember an answer for the session."""
    kept = {**st.session_state.get(_KEPT, {}), token_of(scene): certificate}
    st.session_state[_KEPT] = dict(list(kept.items())[-_REMEMBERED:])


def stop(token: Token) -> None:
    """The visitor has seen enough of this digit's work."""
    st.session_state[_STOPPED] = token


def _stopped(scene: Scene) -> bool:
    return st.session_state.get(_STOPPED) == token_of(scene)


def seconds_for(waited: float) -> float:
    """How long the two sides may move for a visitor who has waited so many seconds for all other answers: less where
    that was long already (others compute, or the network is large), so that the page is complete soon."""
    return min(SECONDS, max(SECONDS / 4, 2 * SECONDS - waited))


def work(scene: Scene, answers: Answers, seconds: float, show: Callable[[float], None], say: Say) -> None:
    """Let both sides move for that time, from the best that `answers` hold; `show(seconds)` after each improvement.

    say: takes words while others have all the places.
    """
    best = answers.found
    start = dataclasses.replace(
        answers.region, method=METHOD, radius=best.lower, guarantee="lower bound", limit=None, nearest=None,
        upper=float("inf"), witness=None, parts={}, seconds=0.0,
    )  # fmt: skip
    with closing(_improvements(scene, best.label, best.lower, best.upper, seconds, say)) as steps:
        for step in steps:
            certificate = _certificate(start, step, answers.found.upper)
            keep(scene, certificate)
            answers.certificates[METHOD] = certificate
            learn(dataclasses.replace(answers.found, seconds=step.seconds))
            show(step.seconds)
    if not steps.cut:  # else it may go on at a quieter moment
        keep(scene, dataclasses.replace(answers.certificates.get(METHOD, start), seconds=SECONDS))


def _improvements(scene: Scene, label: int, lower: float, upper: float, seconds: float, say: Say) -> Improvements:
    from relucert_core.experiments.one_digit import both_sides

    point, kind = as_point(scene.digit.pixels), f"{METHOD} {scene.net.digest}"
    return follow(both_sides, scene.net, point, label, lower, upper, seconds=seconds, kind=kind, say=say)


def _certificate(start: Certificate, step: SearchStep, upper: float) -> Certificate:
    """The state of the work as a record; a witness only where it is nearer than what was known."""
    witness = None if step.witness is None or not step.upper < upper else step.witness
    return dataclasses.replace(
        start,
        radius=step.lower,
        upper=step.upper if witness is not None else float("inf"),
        witness=witness,
        guarantee="exact" if witness is not None and step.exact else "lower bound",
        seconds=step.seconds,
        parts={"iterations": step.regions},
    )


def progress_words(seconds: float, most: float) -> str:
    """What the bar says while the work goes on."""
    return f"Better bounds are being computed: {seconds:.0f} s of at most {most:.0f} s"
