"""Beyond: opens with a stored finished run, searches and stops, cuts slices, and its code runs as printed."""

from __future__ import annotations

import csv
import io
import json
import re
import threading

import numpy as np
import pytest

import relucert_core as rc
from pages.beyond import engine as beyond_engine
from pages.beyond.code import beyond_code
from pages.beyond.live import Live
from pages.beyond.state import ANOTHER, FACE, RANDOM, ZOOMS, Scene, networks
from pages.beyond.words import makers_sentence, readings_table
from pages.shared.digit import gallery_digit
from pages.shared.words import headline
from relucert_core.experiments.best_known import maker_titles
from relucert_core.experiments.search_run import Reading, Recorder, SearchRun, stored_run, subject_of
from relucert_core.figures.search_trace import search_trace
from relucert_core.figures.theme import DARK, LIGHT
from tests.pages.helpers import figures, open_page, texts

PAGE = "beyond"
SMALL = "mnist-20-20-20"


def digit_scene(model: str = SMALL, method: str = "exact") -> Scene:
    net, digit = rc.load_model(model), gallery_digit(0)
    point = np.frombuffer(digit.pixels, np.uint8) / 255.0
    return Scene(model, net, point, "0", digit, tuple("0123456789"), 2.0, method, LIGHT)


def toy_scene() -> Scene:
    net = beyond_engine.toy_network("toy-plain")
    names = ("class 0", "class 1")
    return Scene("toy-plain", net, np.array([-0.32, -0.12]), "u", None, names, 2.0, "neighbours", LIGHT)


def the_headline(at) -> str:
    return next(m.value.lstrip("# ") for m in at.markdown if m.value.startswith(("# ", "## ")))


def test_it_opens_with_the_stored_run_and_says_so():
    at = open_page(PAGE)
    assert not at.exception
    run = stored_run(rc.load_model(SMALL), SMALL, "0")
    assert the_headline(at) == headline("7", run.lower, run.upper, 2.0, exact=True)
    words = texts(at)
    assert "A stored, finished run of" in words
    assert run.header.command in words
    assert "in this plane" in words
    trace = figures(at)[0]
    assert any("exact" in note["text"] for note in trace["layout"]["annotations"])
    assert [t.value.columns.tolist()[0] for t in at.table] == ["Time", "Read as", "Part of the way"]


def test_a_link_names_network_digit_and_zoom():
    at = open_page(PAGE, beyond_net=SMALL, beyond_zoom="2.0", digits_image="1", beyond_third=RANDOM)
    assert not at.exception
    assert at.selectbox(key="beyond_net").value == SMALL
    assert at.session_state["beyond_zoom"] == 2.0
    assert "2 from its centre to its edge" in texts(at)
    assert "A first look" in texts(at) or "stored" in texts(at)
    assert "rc.mnist_sample()[0][1]" in "".join(c.value for c in at.code)


def test_a_link_may_name_things_as_the_widgets_show_them():
    at = open_page(PAGE, beyond_net="two inputs: Plain", beyond_method="Neighbouring polyhedra", present="1")
    assert not at.exception
    assert the_headline(at).startswith("Class")
    assert next(iter(networks())) == SMALL


@pytest.mark.parametrize("query", [{"beyond_net": "nobody"}, {"beyond_zoom": "nan"}, {"beyond_other": "-7"}])
def test_a_damaged_link_shows_the_page(query):
    at = open_page(PAGE, digits_image="0", **query)
    assert not at.exception
    assert the_headline(at).startswith("Reads")


def test_start_searches_to_the_end_and_the_first_view_comes_back():
    at = open_page(PAGE)
    at.button(key="beyond_start").click().run()
    assert not at.exception
    assert "Searched just now: the witness proves the radius." in texts(at)
    assert "Safe to **0.19" in the_headline(at)
    at.button(key="beyond_back").click().run()
    assert "A stored, finished run of" in texts(at)


def test_the_toy_shows_its_plane():
    at = open_page(PAGE, beyond_net="toy-plain", beyond_method="neighbours", beyond_x="-0.32", beyond_y="-0.12")
    assert not at.exception
    assert the_headline(at).startswith("Class **1** here. Safe to **0.28")
    assert "Click anywhere to put u there" in texts(at)


def test_the_lecture_view_has_no_controls():
    at = open_page(PAGE, present="1")
    assert not at.exception
    assert not at.expander
    assert not at.button
    assert the_headline(at).startswith("Reads")


def test_the_numbers_to_take_away_are_the_run():
    from pages.beyond.panels import about_of, as_csv, as_json
    from pages.beyond.slice import cut_of

    scene = digit_scene()
    run = stored_run(scene.net, SMALL, "0")
    rows = list(csv.DictReader(io.StringIO(as_csv(run))))
    assert [float(r["lower"]) for r in rows] == [r.lower for r in run.readings]
    values = json.loads(as_json(scene, run, cut_of(scene, run), about_of(scene)))
    assert values["lower"] == run.lower
    assert values["exact"] is True
    np.testing.assert_array_equal(values["witness"], run.witness)
    assert {"version", "command", "cite"} <= set(values)
    assert scene.net.digest in values["digests"]
    assert values["subject"]["digest"] == scene.net.digest


def test_pictures_are_files_in_both_themes():
    from pages.beyond.slice import cut_of
    from relucert_core.figures.slice import slice_png, slice_svg

    scene = digit_scene()
    run = stored_run(scene.net, SMALL, "0")
    cut = cut_of(scene, run)
    for theme in (LIGHT, DARK):
        svg = slice_svg(cut.view, theme, cut.circles, cut.spots, cut.plane).decode()
        assert svg.count("<circle") >= len(cut.circles)
        assert svg.count("<image") == 5  # the class areas and a digit at each corner
        assert slice_png(cut.view, theme, cut.circles, cut.spots).startswith(b"\x89PNG")


def test_the_circles_of_a_slice_are_the_bounds():
    from pages.beyond.slice import cut_of

    scene = digit_scene("mnist-1024-512")
    run = stored_run(scene.net, "mnist-1024-512", "0")
    cut = cut_of(scene, run)
    assert [(c.kind, c.radius) for c in cut.circles] == [
        ("first", run.readings[0].lower),
        ("lower", run.lower),
        ("upper", run.upper),
    ]
    np.testing.assert_allclose(cut.plane.point(*cut.plane.second), run.witness, atol=1e-9)


@pytest.mark.parametrize(
    ("scene", "third"), [(digit_scene, ANOTHER), (digit_scene, RANDOM), (digit_scene, FACE), (toy_scene, ANOTHER)]
)
def test_the_code_runs_as_it_is_printed(scene, third, capsys):
    exec(compile(beyond_code(scene(), third, 3, half=0.2, seconds=4), "shown", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r" s: safe to 0\.\d+, exact, ", printed)
    assert "exact\n" in printed
    assert "polyhedra" in printed


def test_a_live_search_stops_at_once_and_stays_valid():
    scene = toy_scene()
    recorder, stream = beyond_engine.begin(scene.net, scene.model, scene.point, "u", 2.0, "neighbours", 60)
    live = Live(scene.token, recorder, stream, 60)
    assert live.run() is None
    live.advance(0.0)
    live.advance(0.01)
    reached = live.run()
    assert reached is not None
    live.stop()
    assert not live.playing
    assert live.run().status == "stopped"
    assert live.run().lower == reached.lower > 0
    live.advance(0.1)
    assert live.run().lower == reached.lower


def test_an_endless_search_is_driven_in_slices():
    def endless():
        while True:
            yield object()

    recorder = Recorder(toy_scene().net, subject_of(toy_scene().net, "t", "u", 0, 2.0, "neighbours"))
    live = Live((), recorder, endless(), 1.0)
    live.advance(0.05)
    assert live.playing
    live.stop()
    assert not live.playing


def test_zooms_cover_the_range():
    assert ZOOMS[0] == 0.001
    assert ZOOMS[-1] == 5.0


def test_stop_does_not_wait_for_the_step_that_is_computed():
    begun, go = threading.Event(), threading.Event()
    closed = []

    def slow():
        try:
            while True:
                begun.set()
                go.wait(20)
                yield object()
        finally:
            closed.append(True)

    live = Live((), Recorder(toy_scene().net, subject_of(toy_scene().net, "t", "u", 0, 2.0, "exact")), slow(), 9.0)
    worker = threading.Thread(target=live.advance, args=(5.0,))
    worker.start()
    assert begun.wait(20)
    live.stop()
    assert not live.playing
    go.set()
    worker.join(20)
    assert closed == [True]


def test_the_trace_says_who_made_which_bound():
    def reading(seconds, lower, upper, *makers):
        return Reading(seconds, lower, upper, 0, 0, *makers)

    readings = (
        reading(0.01, 0.125, np.inf, "simplex", ""),
        reading(0.02, 0.25, 0.875, "crown-ada", "best"),
        reading(0.5, 0.5, 0.875, "semidefinite", "best"),
        reading(0.9, 0.625, 0.75, "semidefinite", "semidefinite"),
    )
    run = SearchRun(subject_of(toy_scene().net, "t", "u", 0, 2.0, "exact"), readings, "time is up")
    titles = maker_titles()
    assert makers_sentence(run, titles) == (
        "Raised from below by Simplex (0.125), CROWN-Ada (0.250), Semidefinite (0.625). "
        f"Lowered from above by {titles['best']} (0.875), Semidefinite (0.750)."
    )
    figure = search_trace(run, LIGHT, names=("a", "b", "c"), axis_title="d", makers=titles)
    dots = [trace for trace in figure.data if trace.mode == "markers" and trace.marker.symbol == "circle"]
    assert [len(trace.x) for trace in dots] == [2, 3], "one for each method that takes over, above and below"
    assert "by: CROWN-Ada" in dots[1].text[1]
    assert "Proved by" in readings_table(run, titles)
