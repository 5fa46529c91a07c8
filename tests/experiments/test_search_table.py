"""The closing table and stored searches: they resume, survive a cut line, and never print more than is proved."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.deadline import counted_by
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.experiments import search_table
from relucert_core.experiments.explored import explored_regions
from relucert_core.experiments.search_run import (
    Reading,
    Recorder,
    SearchRun,
    at_seconds,
    follow,
    read_run,
    run_path,
    stored_run,
    subject_of,
    thinned,
    write_run,
)
from relucert_core.experiments.search_table import (
    ASKED,
    Asked,
    Closing,
    TableSettings,
    closing_store,
    closing_table,
    curve_table,
    finished,
    table_settings,
)
from relucert_core.jobs import closing as jobs_closing
from relucert_core.jobs.closing import run_table
from relucert_core.network import Network
from relucert_core.region import activation_region
from relucert_core.words import down, up

SMALL = "mnist-20-20-20"


def toy_network(seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(6, 2)), rng.normal(size=(5, 6)), rng.normal(size=(3, 5))]
    return Network(weights, [rng.normal(size=len(w)) for w in weights], name="toy")


def recorded(net: Network, point: np.ndarray, method: str = "neighbours", **options) -> Recorder:
    label = int(net(point).argmax())
    recorder = Recorder(net, subject_of(net, "toy", "u", label, 2.0, method))
    for _ in follow(recorder, rc.search(net, point, 2, method, **options), keep_patterns=True):
        pass
    return recorder


def entry(image: int = 0, **values) -> Closing:
    trace = ((0.5, 0.2, 0.6), (1.5, 0.25, 0.6), (9.0, 0.375, 0.5))
    names = ("time is up", "semidefinite", "polish")
    return dataclasses.replace(Closing(image, f"d{image}", 0.2, 0.6, 0.375, 0.5, 9.0, 100, *names, trace), **values)


def test_a_record_says_what_the_search_said(tmp_path):
    net, point = toy_network(), np.array([0.3, -0.2])
    last = list(rc.search(net, point, 2, "neighbours"))[-1]
    run = recorded(net, point).run()
    assert (run.lower, run.upper, run.status) == (last.lower, last.upper, last.status)
    assert run.exact == last.exact
    lowers, uppers = [r.lower for r in run.readings], [r.upper for r in run.readings]
    assert lowers == sorted(lowers)
    assert uppers == sorted(uppers, reverse=True)
    assert run.readings[0].lower == rc.certify(net, point).radius
    write_run(run, tmp_path / "run.json.gz")
    again = read_run(tmp_path / "run.json.gz")
    assert again.readings == run.readings
    assert (again.subject, again.status, again.rival) == (run.subject, run.status, run.rival)
    np.testing.assert_array_equal(again.witness, run.witness)


def test_closing_the_record_closes_the_search():
    net, point = toy_network(), np.array([0.3, -0.2])
    recorder = Recorder(net, subject_of(net, "toy", "u", 0, 2.0, "neighbours"))
    stream = follow(recorder, rc.search(net, point, 2, "neighbours"))
    first = next(stream)
    stream.close()
    assert first.lower > 0
    assert recorder.run().status == "stopped"
    assert recorder.run().lower == first.lower
    assert next(stream, None) is None


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "x.json.gz").write_bytes(b"nonsense")
    with pytest.raises(InvalidInput, match="no stored search"):
        read_run(tmp_path / "x.json.gz")


def test_thinning_keeps_the_ends_and_the_order():
    readings = [Reading(0.01 * i, float(i), math.inf, i, 0) for i in range(5000)]
    few = thinned(readings, 50)
    assert few[0] is readings[0]
    assert few[-1] is readings[-1]
    assert len(few) <= 52
    assert [r.seconds for r in few] == sorted({r.seconds for r in few})


def test_a_checkpoint_is_the_last_reading_before_it():
    run = SearchRun(
        subject_of(toy_network(), "toy", "u", 0, 2.0, "exact"),
        (Reading(0.5, 0.1, 1.0, 1, 0), Reading(0.9, 0.2, 1.0, 2, 0), Reading(3.0, 0.3, 0.9, 3, 0)),
        "time is up",
    )
    assert at_seconds(run, 1.0).lower == 0.2
    assert at_seconds(run, 10.0).lower == 0.3


@pytest.mark.parametrize("model", ["mnist-20-20-20", "mnist-1024-512"])
def test_the_shipped_runs_are_true(model):
    net, point = rc.load_model(model), rc.mnist_sample()[0][0]
    run = stored_run(net, model, "0")
    assert run is not None, "run `python -m relucert_core search --ship` for this network again"
    assert run.header.command.startswith("python -m relucert_core search")
    assert run.header.commit
    assert run.readings[0].lower <= rc.certify(net, point).radius * (1 + 1e-9)
    assert run.lower >= rc.certify(net, point, "crown-ada").radius * (1 - 1e-9)
    assert float(np.linalg.norm(run.witness - point)) <= run.upper
    logits = net(run.witness)
    assert logits[run.rival] >= logits[run.subject.label]
    assert run.lower <= run.upper


def test_a_run_of_other_weights_is_not_shown(tmp_path, monkeypatch):
    net = rc.load_model(SMALL)
    other = Network([w * 2 for w in net.weights], net.biases)
    assert run_path(SMALL, "0").is_file()
    assert stored_run(other, SMALL, "0") is None
    assert stored_run(net, SMALL, "999") is None


def test_explored_regions_are_those_of_the_walk():
    net, point = toy_network(3), np.array([0.2, 0.1])
    recorder = recorded(net, point)
    run = recorder.run()
    patterns = np.concatenate(recorder.patterns)
    plane = rc.planar_complex(rc.slice_network(net, point, [1.0, 0.0], [0.0, 1.0]), ((-4, 4), (-4, 4)))
    found = explored_regions(plane, patterns)
    assert found.distances[0] == 0.0
    assert list(found.distances) == sorted(found.distances)
    own = np.concatenate(activation_region(net, point).pattern)
    np.testing.assert_array_equal(np.concatenate(plane.pattern(int(found.regions[0]))), own)
    # every region that the certified ball really reaches has been looked at
    import shapely

    reached = np.flatnonzero(shapely.distance(plane.polygons, shapely.Point(0, 0)) < run.lower * (1 - 1e-9))
    assert set(reached) <= set(found.regions.tolist())


def test_a_store_takes_back_what_it_was_given_and_skips_a_cut_line(tmp_path):
    net = toy_network()
    store = closing_store(tmp_path, net, 2.0)
    one = entry(0, upper=math.inf, attack=math.inf, trace=((0.1, 0.1, math.inf),))
    two = entry(1, lower=0.25, upper=0.25)
    three = entry(2, lower=math.inf, upper=math.inf)
    store.append([one.digest], [one])
    store.append([two.digest], [two])
    with store.path.open("a") as stream:
        stream.write('{"image": 9, "dig')
    store.append([three.digest], [three])
    assert store.read() == {e.digest: e for e in (one, two, three)}
    assert closing_store(tmp_path, net, 1.0).read() == {}


def test_a_ratio_counts_what_was_proved_in_time_against_the_nearest_point_of_all():
    one = entry()
    assert [one.ratio_at(t) for t in (0.4, 0.5, 2.0, 60.0)] == [0.0, 0.2 / 0.5, 0.25 / 0.5, 0.375 / 0.5]
    assert not one.closed
    assert entry(lower=0.4996, trace=((1.0, 0.4996, 0.5),)).closed
    assert not entry(lower=0.4994).closed
    unbounded = entry(lower=0.3, upper=math.inf, trace=((1.0, 0.3, math.inf),))
    assert unbounded.ratio_at(2.0) == 0.0


def test_the_tables_put_what_was_asked_beside_what_was_reached_and_round_down():
    closed = entry(3, lower=0.49999, trace=((1.0, 0.49999, 0.5),))
    asked = Asked("net", (1.0, 10.0), (0.3, 0.9), images=4, closed=2, least=(10.0, 0.5))
    settings = TableSettings((asked, Asked("none", (1.0,), (1.0,))))
    results = {"net": [*(entry(i) for i in range(3)), closed], "none": []}
    table = closing_table(results, settings)
    assert table["network"] == ["net", "net"]
    assert table["seconds"] == ["1", "10"]
    assert table["asked"] == ["0.300", "0.900"]
    assert table["lower / upper"] == ["0.400", "0.750"]
    assert table["least asked"] == ["", "0.500"]
    assert table["least"] == ["0.400", "0.750"]
    assert table["closed asked"] == ["", "2"]
    assert table["closed"] == ["1 of 4", "1 of 4"]
    assert table["attack / upper"] == ["1.20", "1.20"]
    curve = curve_table(results, settings)
    assert curve["lower / upper after"] == ["net"]
    assert [curve[f"{t:g} s"] for t in (0.2, 0.5, 2, 10)] == [["0"], ["0.400"], ["0.500"], ["0.750"]]
    assert "20 s" not in curve


def test_settings_are_checked_and_cut():
    whole = table_settings(None, None, None)
    assert whole == TableSettings(ASKED, 100)
    assert [asked.network for asked in whole.asked][-1] == "mnist-1024-512"
    cut = table_settings(["mnist-1024-512"], 3, 60).asked[0]
    assert (cut.seconds, cut.medians, cut.images, cut.least) == ((10.0, 60.0), (0.75, 0.90), 3, (60.0, 0.6))
    short = table_settings(["mnist-1024-512", "mnist-20-20-20"], None, 20)
    assert short.asked[0].seconds == (10.0, 20.0)
    assert math.isnan(short.asked[0].medians[1])
    assert short.asked[1] == ASKED[0]
    for images, seconds, first in ((0, None, 100), (20, 0, 100), (20, math.nan, 100), (None, 60, 990), (1, 1, -1)):
        with pytest.raises(InvalidInput):
            table_settings(None, images, seconds, first)
    with pytest.raises(DataUnavailable, match="None of these networks ships"):
        finished(table_settings(["nobody"], 1, 1), None)


def test_the_command_measures_once_and_goes_on_from_there(tmp_path, capsys, monkeypatch):
    arguments = ["closing", "--networks", SMALL, "--store", str(tmp_path)]
    out = tmp_path / "out.json"
    assert main([*arguments, "--images", "1", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1 of 1" in printed or "0 of 1" in printed
    row = json.loads(out.read_text())[SMALL][0]
    assert row["image"] == 100
    assert 0 < row["crown"] <= row["lower"] <= row["upper"] <= row["attack"]
    lowers, uppers = [part[1] for part in row["trace"]], [part[2] for part in row["trace"]]
    assert lowers == sorted(lowers)
    assert uppers == sorted(uppers, reverse=True)
    assert lowers[-1] == row["lower"]
    assert row["seconds"] <= 1.2
    monkeypatch.setattr(jobs_closing, "measure", lambda *a: pytest.fail("this image was done already"))
    assert main([*arguments, "--images", "1"]) == 0
    assert SMALL in capsys.readouterr().out


def test_progress_counts_what_is_there(tmp_path, monkeypatch):
    settings = table_settings([SMALL], 2, 1)
    digests = search_table.point_digests(rc.mnist_sample()[0][100:102])
    monkeypatch.setattr(jobs_closing, "measure", lambda net, image, _: entry(image, digest=digests[image - 100]))
    reports = []
    run_table(settings, tmp_path, show=reports.append)
    assert [r.done for r in reports] == [0, 1, 2, 2]
    assert [e.image for e in finished(settings, tmp_path)[SMALL]] == [100, 101]
    run_table(settings, tmp_path, show=reports.append)
    assert [r.done for r in reports[4:]] == [2, 2], "nothing is measured again"


def test_budgets_count_by_the_clock_that_is_set():
    ticks = iter(range(10**6))
    with counted_by(lambda: float(next(ticks))):
        steps = list(rc.search(toy_network(), [0.3, -0.2], max_seconds=3.0))
    assert steps[0].seconds == int(steps[0].seconds) >= 1
    assert steps[-1].status == "time is up"


def test_the_search_command_prints_both_bounds(tmp_path, capsys):
    out = tmp_path / "run.json.gz"
    assert main(["search", "--model", SMALL, "--image", "1", "--seconds", "1", "--out", str(out)]) == 0
    run = read_run(out)
    assert f"between {down(run.lower, 6)} and {up(run.upper, 6)}" in capsys.readouterr().out
    assert run.header.command.endswith("--image 1 --method exact --norm 2 --seconds 1")
    assert main(["search", "--image", "1000"]) == 2
