"""Experiments: records and their files, the store, stopping and going on, medians, the certified accuracy, exports."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.errors import DataUnavailable, InvalidInput, Unsupported
from relucert_core.experiments import table1
from relucert_core.experiments.catalogue import EXPERIMENTS, shown_methods
from relucert_core.experiments.claims import claims
from relucert_core.experiments.figure2 import figure2_settings, first_images, prepare_figure2
from relucert_core.experiments.records import (
    COLUMNS,
    LOWER,
    NOT_RUN,
    UPPER,
    Header,
    Panel,
    Record,
    Series,
    from_json,
    make_header,
    read_record,
    to_csv,
    to_json,
    write_record,
)
from relucert_core.experiments.runs import PanelPlan, Prepared, Task, attack_work, certificate_work
from relucert_core.experiments.store import Answer, answer_store, content_key, point_digests, shipped_record
from relucert_core.experiments.summaries import (
    accuracy_at,
    accuracy_curve,
    accuracy_range,
    order_by,
    ordered_pairs_hold,
    overtaken,
    proved_shares,
    spread,
    summarise,
)
from relucert_core.experiments.tables import rounded, summary_table
from relucert_core.figures.canvas import PngCanvas, text_width
from relucert_core.figures.export import to_png, to_svg
from relucert_core.figures.reports import pictures_of

STATUSES = ("degenerate", "ok", "ok")
METHODS = ("simplex", "decision-boundary", "deepfool")


def tiny_network(seed=0, widths=(3, 5, 2)):
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(widths))
    return rc.Network([rng.normal(size=(b, a)) for a, b in pairs], [rng.normal(size=b) for _, b in pairs], name="tiny")


def counted(work, calls):
    def counting(points):
        calls.append(len(points))
        return work(points)

    return counting


def tiny_run(folder, count=7, calls=None, chunk=2):
    """A prepared experiment of two methods on a tiny network."""
    net, points = tiny_network(), np.random.default_rng(1).normal(size=(count, 3))
    calls = [] if calls is None else calls
    tasks = []
    for method, kind, work in (
        ("simplex", LOWER, certificate_work(net, "simplex", 2.0)),
        ("ddn", UPPER, attack_work(net, "ddn", 2.0)),
    ):
        store = answer_store(folder, {"network": net.digest, "method": method})
        tasks.append(Task(method, method.title(), kind, store, counted(work, calls), chunk))
    labels = tuple(int(k) for k in np.random.default_rng(2).integers(0, 2, count))
    plan = PanelPlan("tiny", "A tiny network", net, "drawn", points, tuple(range(count)), labels, tuple(tasks))
    return Prepared("figure-2b", 2.0, {"images": count}, "no command", "a share of a batch", (plan,))


def finished(folder, count=7):
    prepared = tiny_run(folder, count)
    for _ in prepared.run():
        pass
    return prepared.record()


def made_up_record():
    """A record with zeros, infinities and images without labels."""
    lower = Series("simplex", "Simplex", LOWER, (0.0, 0.25, math.inf), STATUSES, (1e-3, 2e-3, 5e-4), 0.0037)
    upper = Series("ddn", "DDN", UPPER, (1 / 3, 0.5, math.inf), ("ok", "ok", "nothing found"), (0.1, 0.2, 0.3))
    panel = Panel("net", "A net", "abc", (3, 5, 2), "drawn", (0, 1, 4), (1, None, 0), (1, 0, 0), (lower, upper))
    header = Header("a command", "123", "today", "a machine", 1, {"python": "3"})
    return Record("figure-2b", "L2", {"images": 3}, "a share", header, (panel,))


def test_json_gives_the_record_back_and_knows_infinity_as_null(tmp_path):
    record = made_up_record()
    text = to_json(record)
    assert from_json(text) == record
    assert json.loads(text)["panels"][0]["series"][0]["values"] == [0.0, 0.25, None]
    for name in ("r.json", "r.json.gz"):
        write_record(record, tmp_path / name)
        assert read_record(tmp_path / name) == record
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "r.json.gz"]


def test_packed_files_of_equal_records_are_equal(tmp_path):
    for name in ("a.json.gz", "b.json.gz"):
        write_record(made_up_record(), tmp_path / name)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', "null", to_json(made_up_record())[:-40]])
def test_other_files_are_refused_with_a_sentence(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InvalidInput, match="no stored experiment"):
        read_record(tmp_path / "r.json")
    (tmp_path / "r.json.gz").write_bytes(b"no gzip")
    with pytest.raises(InvalidInput, match="damaged"):
        read_record(tmp_path / "r.json.gz")


def test_csv_has_every_image_and_method_without_loss():
    record = made_up_record()
    said, rows = to_csv(record).split(",".join(COLUMNS))
    assert all(line.startswith("#") for line in said.splitlines())
    assert record.panels[0].digest in said
    assert record.header.command in said
    lines = list(csv.DictReader(io.StringIO(",".join(COLUMNS) + rows)))
    assert len(lines) == 6
    for line in lines:
        series = record.panels[0].find(line["method"])
        row = record.panels[0].images.index(int(line["image"]))
        assert float(line["value"]) == series.values[row]
        assert float(line["seconds"]) == series.seconds[row]
        assert line["status"] == series.statuses[row]
        assert line["label"] == ("" if record.panels[0].labels[row] is None else str(record.panels[0].labels[row]))


def test_a_method_may_be_run_on_the_first_images_only(tmp_path):
    prepared = tiny_run(tmp_path, 7)
    plan = prepared.panels[0]
    late = Task("quadratic", "Quadratic", LOWER, answer_store(tmp_path, {"network": "x", "method": "quadratic"}),
                certificate_work(plan.net, "quadratic", 2.0), 1, first=3)  # fmt: skip
    prepared = dataclasses.replace(prepared, panels=(dataclasses.replace(plan, tasks=(late, *plan.tasks)),))
    reports = list(prepared.run())
    assert [p.total for p in reports] == [3 + 7 + 7] * len(reports)
    assert (reports[-1].done, reports[-1].images_done) == (17, 7)
    assert max(i for i, p in enumerate(reports) if "Simplex" in p.words) < min(
        i for i, p in enumerate(reports) if "Quadratic" in p.words
    ), "what takes long comes last"
    record = prepared.record()
    series = record.panels[0].find("quadratic")
    assert series.rows == (0, 1, 2)
    assert [math.isnan(v) for v in series.values] == [False] * 3 + [True] * 4
    assert from_json(to_json(record)) == record
    assert json.loads(to_json(record))["panels"][0]["series"][0]["values"][3:] == [None] * 4
    assert summarise(series).count == 3
    assert not math.isnan(summarise(series).values.median)
    assert 0 <= accuracy_at(record.panels[0], series, (0.0,))[0] <= 1
    assert ordered_pairs_hold(record.panels[0])
    assert order_by(record.panels[0], "quadratic") == list(range(7)), "some images have no value to order by"
    for figure in pictures_of(record).values():
        assert to_svg(figure)


def test_images_that_ended_at_a_cheaper_bound_are_marked_and_the_share_is_a_median():
    cheap = Series("crown-ada", "CROWN-Ada", LOWER, (0.2, 0.3, 0.4), ("ok",) * 3, (0.0,) * 3)
    dear = Series("semidefinite", "Semidefinite", LOWER, (0.5, 0.3, math.nan), ("ok", "ok", NOT_RUN), (0.0,) * 3)
    attack = Series("ddn", "DDN", UPPER, (1.0, 0.5, 0.4), ("ok",) * 3, (0.0,) * 3)
    panel = Panel("net", "A net", "a", (3, 5, 2), "", (0, 1, 4), (1, 1, 1), (1, 1, 1), (cheap, dear, attack))
    assert overtaken(panel, dear) == {1}
    assert overtaken(panel, cheap) == frozenset()
    middle = Series("quadratic", "Quadratic", LOWER, (0.45, 0.35, math.nan), ("ok", "ok", NOT_RUN), (0.0,) * 3)
    three = dataclasses.replace(panel, series=(cheap, middle, dear, attack))
    assert overtaken(three, middle) == frozenset(), "that a dearer method proves more is no reproach"
    assert overtaken(three, dear) == {1}
    assert proved_shares(panel, ("crown-ada", "semidefinite", "ddn", "none")) == pytest.approx(
        {"crown-ada": (0.2 + 0.6) / 2, "semidefinite": (0.5 + 0.6) / 2}
    )
    record = dataclasses.replace(made_up_record(), panels=(panel,))
    figure = pictures_of(record, accuracy=False)["figure-2b-net"]
    trace = next(t for t in figure.data if t.name == "Semidefinite")
    assert to_svg(figure)
    assert list(trace.marker.symbol).count("circle") == 1
    assert len(trace.x) == 2


def test_content_keys_tell_settings_apart_and_not_their_order():
    assert content_key(a=1, b="x") == content_key(b="x", a=1)
    keys = {content_key(a=1, b="x"), content_key(a=2, b="x"), content_key(a=1, b="y"), content_key(a=1)}
    assert len(keys) == 4
    points = np.random.default_rng(0).normal(size=(3, 4))
    assert point_digests(points) == point_digests(points.copy(order="F"))
    changed = points.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9)
    assert [a == b for a, b in zip(point_digests(points), point_digests(changed))] == [True, False, True]


def test_a_store_survives_a_line_cut_off(tmp_path):
    store = answer_store(tmp_path, {"method": "simplex"})
    answers = [Answer(0.5, "ok", 0.1), Answer(math.inf, "ok", 0.2)]
    store.append(["a", "b"], answers)
    whole = store.path.read_text()
    store.path.write_text(whole + whole[:20])
    store.append(["c"], [Answer(0.0, "degenerate", 0.3)])
    assert store.read() == {"a": answers[0], "b": answers[1], "c": Answer(0.0, "degenerate", 0.3)}
    store.clear()
    assert store.read() == {}


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataUnavailable, match="RELUCERT_RUNS"):
        answer_store(tmp_path / "file", {"method": "simplex"}).append(["a"], [Answer(0.5, "ok", 0.1)])


def test_a_run_finds_what_certify_and_attack_say(tmp_path):
    record = finished(tmp_path)
    net, points = tiny_network(), np.random.default_rng(1).normal(size=(7, 3))
    panel = record.panels[0]
    np.testing.assert_allclose(panel.find("simplex").values, rc.certify(net, points).radius, rtol=1e-7)
    np.testing.assert_array_equal(panel.predictions, net(points).argmax(1))
    lower, upper = (np.array(panel.find(name).values) for name in ("simplex", "ddn"))
    assert (lower <= upper).all()
    assert record.header.command == "no command"
    assert panel.digest == net.digest


def test_a_stopped_run_goes_on_and_a_finished_one_computes_nothing(tmp_path):
    calls = []
    run = tiny_run(tmp_path, calls=calls).run()
    reports = [next(run) for _ in range(4)]
    run.close()
    assert [r.done for r in reports] == [0, 2, 4, 6]
    assert [r.images_done for r in reports] == [0, 0, 2, 2]
    assert reports[0].seconds_left is None
    assert reports[3].seconds_left > 0
    partial = tiny_run(tmp_path).record()
    assert partial.images == 2
    rest = list(tiny_run(tmp_path, calls=calls).run())
    assert rest[0].done == 6
    assert rest[-1].done == rest[-1].total == 14
    assert rest[-1].images_done == 7
    assert sum(calls) == 14
    again = []
    assert len(list(tiny_run(tmp_path, calls=again).run())) == 1
    assert not again


def test_a_larger_run_takes_over_a_smaller_one(tmp_path):
    finished(tmp_path, 4)
    calls = []
    larger = tiny_run(tmp_path, 7, calls)
    assert larger.standing().done == 8
    list(larger.run())
    assert sum(calls) == 6
    larger.forget()
    assert tiny_run(tmp_path).standing().done == 0


def test_quartiles_are_numpys(tmp_path):
    rng = np.random.default_rng(3)
    for count in range(1, 12):
        values = rng.lognormal(size=count)
        expected = np.percentile(values, [25, 50, 75])
        np.testing.assert_allclose(dataclasses.astuple(spread(tuple(values))), expected, rtol=1e-12)
    series = finished(tmp_path).panels[0].find("simplex")
    assert summarise(series).values.median == pytest.approx(np.median(series.values), rel=1e-12)
    assert spread((1.0, 2.0, math.inf, math.inf)).median == math.inf
    assert spread((1.0, math.inf, math.inf)).low == math.inf
    assert math.isnan(spread(()).median)


def test_certified_accuracy_counts_right_images_within_reach(tmp_path):
    panel = finished(tmp_path, 7).panels[0]
    right = np.array(panel.labels) == np.array(panel.predictions)
    assert 0 < right.sum() < 7
    radii = (0.0, 0.01, 0.1, 1.0, *panel.series[0].values, *panel.series[1].values)
    for series, reached in ((panel.series[0], np.greater_equal), (panel.series[1], np.greater)):
        shares = [(right & reached(np.array(series.values), r)).mean() for r in radii]
        np.testing.assert_allclose(accuracy_at(panel, series, radii), shares, rtol=1e-15)
        curve = accuracy_curve(panel, series, accuracy_range([panel]))
        assert list(curve.radii) == sorted(curve.radii)
        assert all(a >= b for a, b in zip(curve.shares, curve.shares[1:]))
    unlabelled = dataclasses.replace(panel, labels=(None,) * 7)
    assert accuracy_at(unlabelled, panel.series[0], (0.0,)) == (0.0,)


def test_images_are_ordered_by_their_safe_radius():
    panel = made_up_record().panels[0]
    assert order_by(panel, "simplex") == [0, 1, 2]
    flipped = dataclasses.replace(panel.series[0], values=(math.inf, 0.25, 0.0))
    assert order_by(dataclasses.replace(panel, series=(flipped,)), "simplex") == [2, 1, 0]
    assert order_by(panel, "clever") == [0, 1, 2]


def test_printed_bounds_stay_on_their_side():
    rng = np.random.default_rng(4)
    for value in np.exp(rng.normal(size=300, scale=8)):
        assert float(rounded(value, LOWER)) <= value <= float(rounded(value, UPPER))
        assert float(rounded(value, digits=3)) == pytest.approx(value, rel=6e-3)
    assert [rounded(v) for v in (0.0, math.inf, math.nan)] == ["0", "∞", "–"]


def test_figure_2_leaves_out_the_fives_and_takes_the_first_images():
    card = next(card for card in rc.list_models() if card.name == "mnist-gt5-1024")
    points, images, labels = first_images(card, 30)
    sample, digits = rc.mnist_sample()
    rows = [i for i, digit in enumerate(digits) if digit != 5][:30]
    assert list(images) == rows
    assert list(labels) == [int(digits[i] > 5) for i in rows]
    np.testing.assert_array_equal(points, sample[rows])


def test_more_images_than_there_are_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("RELUCERT_MNIST", str(tmp_path))
    with pytest.raises(DataUnavailable, match="5000 images were asked for, and 1000"):
        prepare_figure2(figure2_settings("figure-2b", 5000), store=tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("figure-9", {}, "no experiment"),
        ("figure-2a", {"images": 0}, "give 1 or more"),
        ("figure-2a", {"methods": ("magic",)}, "no method 'magic'"),
    ],
)
def test_bad_settings_are_refused(name, options, words):
    with pytest.raises(InvalidInput, match=words):
        figure2_settings(name, **options)
    with pytest.raises(InvalidInput, match="Give 1 to"):
        table1.table1_settings(0)


def test_figure_2a_from_the_command_line_writes_all_its_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RELUCERT_RUNS", str(tmp_path / "kept"))
    out = tmp_path / "out"
    command = ["reproduce", "figure-2a", "--images", "3", "--methods", ",".join(METHODS), "--out", str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Decision boundary" in printed
    assert "mnist-gt5-1024" in printed
    stem = "figure-2a-mnist-gt5-1024"
    names = {f"{stem}{part}.{kind}" for part in ("", "-certified-accuracy") for kind in ("png", "svg")}
    assert {p.name for p in out.iterdir()} == names | {"figure-2a.csv", "figure-2a.json"}
    record = read_record(out / "figure-2a.json")
    assert record.header.command == " ".join(["python -m relucert_core", *command[:-2]])
    net, points = rc.load_model("mnist-gt5-1024"), rc.mnist_sample()[0][:3]
    for method in METHODS[:2]:
        expected = rc.certify(net, points, method=method).radius
        np.testing.assert_allclose(record.panels[0].find(method).values, expected, rtol=1e-7)
    kept = {p.name: p.read_bytes() for p in (tmp_path / "kept").iterdir()}
    assert main(command) == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "kept").iterdir()} == kept
    again = read_record(out / "figure-2a.json")
    assert again.panels == record.panels


def test_table_1_reports_times_radii_and_the_papers_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(table1, "CIFAR_WIDTHS", (12, 8, 8, 10))
    recipe = dataclasses.replace(table1.find_recipe("mnist-3x1024"), widths=(784, 6, 10))
    monkeypatch.setattr(table1, "find_recipe", lambda name: recipe)
    settings = table1.table1_settings(images=3, cifar_images=2)
    prepared = table1.prepare_table1(settings, store=tmp_path, networks=tmp_path)
    assert (prepared.standing().images, prepared.standing().total) == (3, 8 * len(prepared.panels[0].tasks))
    reports = [report.images_done for report in prepared.run()]
    assert (reports[0], reports[-1]) == (0, 3), "an image counts once, on whatever number of networks"
    record = prepared.record()
    assert [p.network for p in record.panels] == ["mnist-3x1024", "mnist-4x1024", "cifar-7x1024"]
    for panel in record.panels:
        assert not panel.radii
        assert "random" in panel.weights
        for series in panel.series:
            assert series.paper_seconds == table1.PAPER_SECONDS[panel.network][series.method]
            assert min(series.seconds) > 0
    table = summary_table(record, record.panels[0])
    assert table["Radius (L2)"] == ["(time only)"] * len(table["Method"])
    place = table["Method"].index("Simplex")
    assert table["Times simplex, here"][place] == "1.00"
    trained = dataclasses.replace(record, panels=(dataclasses.replace(record.panels[0], radii=True),))
    assert set(pictures_of(record)) == {"table-1-times"}
    assert set(pictures_of(trained)) == {"table-1-times", "table-1-radii"}


def test_trained_networks_are_taken_from_their_folder(tmp_path, monkeypatch):
    net = tiny_network(widths=(784, 4, 10))
    rc.save_network(net, table1.trained_path("mnist-3x1024", tmp_path))
    monkeypatch.setattr(table1, "RECIPES", ("mnist-3x1024",))
    settings = table1.table1_settings(images=2, cifar_images=0)
    prepared = table1.prepare_table1(settings, store=tmp_path, networks=tmp_path)
    list(prepared.run())
    panel = prepared.record().panels[0]
    assert panel.radii
    assert panel.weights.startswith("trained")
    expected = rc.certify(prepared.panels[0].net, rc.mnist_sample()[0][:2]).radius
    np.testing.assert_allclose(panel.find("simplex").values, expected, rtol=1e-7)


def test_the_papers_statements_are_counted():
    series = {
        "simplex": (LOWER, (0.3, 0.1, 0.2, 0.5)),
        "ifgsm": (UPPER, (0.9, 0.4, 0.2, math.inf)),
        "deepfool": (UPPER, (0.5, 0.4, 0.1, 0.7)),
        "decision-boundary": (LOWER, (0.0, 0.2, 0.0, 0.0)),
    }
    made = [Series(name, name, kind, values, ("ok",) * 4, (0.1,) * 4) for name, (kind, values) in series.items()]
    base = made_up_record()
    panel = dataclasses.replace(base.panels[0], series=tuple(made), images=(0, 1, 2, 3))
    counts = [row[2] for row in claims(dataclasses.replace(base, experiment="figure-2a", panels=(panel,)))]
    assert counts == ["3 of 4 images", "3 of 4 images", "3 of 4 images"]
    assert claims(dataclasses.replace(base, panels=(panel,)))[-1][2] == "3 of 4 images"
    slow = [
        dataclasses.replace(s, method=name, seconds=(t,) * 4)
        for s, name, t in zip(made, ("simplex", "a", "b"), (0.1, 1.0, 0.9))
    ]
    timed = dataclasses.replace(base, experiment="table-1", panels=(dataclasses.replace(panel, series=tuple(slow)),))
    assert [row[2] for row in claims(timed)] == ["1 of 2 other methods"]


def test_figures_show_the_papers_methods_and_mark_zero_and_nothing_found():
    record = made_up_record()
    assert shown_methods(record) == ("simplex", "ddn")
    figure = pictures_of(record)["figure-2b-net"]
    heights = {trace.name: list(trace.y) for trace in figure.data}
    ticks = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals))
    assert heights["Simplex"][0] == ticks["0"]
    assert heights["DDN (attack)"][2] == ticks["∞"]
    assert heights["DDN (attack)"][1] == pytest.approx(math.log10(0.5))


def test_exports_are_whole_files_with_every_mark(tmp_path):
    record = finished(tmp_path)
    for name, figure in pictures_of(record).items():
        tree = ET.fromstring(to_svg(figure))
        words = {element.text for element in tree.iter() if element.tag.endswith("text")}
        shapes = [element for element in tree.iter() if element.tag.endswith(("polygon", "polyline"))]
        assert {trace.name for trace in figure.data} <= words
        if not name.endswith("accuracy"):
            assert len(shapes) >= sum(len(trace.x) for trace in figure.data)
        picture = Image.open(io.BytesIO(to_png(figure)))
        assert picture.size[0] == 1720
        assert len(picture.convert("RGB").getcolors(10**7)) > 20


def test_table_1_stands_row_by_row_in_both_charts():
    record = shipped_record("table-1")
    times, radii = pictures_of(record).values()
    for name in ("height", "margin.t", "margin.b", "yaxis.range", "yaxis.tickvals", "yaxis.ticktext"):
        assert times.layout[name] == radii.layout[name]
    timed = next(panel for panel in record.panels if not panel.radii)
    row = radii.layout.yaxis.ticktext.index(f"<b>{timed.title}</b>")
    assert [(note.y, "time only" in note.text) for note in radii.layout.annotations] == [(-row, True)]
    below = range(-row - len(timed.series), -row)
    assert not [y for trace in radii.data for y in trace.y if y in below]


def test_exports_raise_powers_and_draw_the_sign_of_infinity():
    figure = pictures_of(shipped_record("figure-2a"), accuracy=False)["figure-2a-mnist-gt5-1024"]
    assert "10<sup>-6</sup>" in figure.layout.yaxis.ticktext
    svg = to_svg(figure).decode()
    assert re.search(r'>10<tspan dy="-[\d.]+" font-size="9.8">-6</tspan></text>', svg)
    assert ">∞</text>" in svg
    assert "^" not in svg
    ET.fromstring(svg)


def ink(words):
    """Where a PNG of the words is black: (height, width) of booleans."""
    canvas = PngCanvas(120, 60, "#ffffff", 1)
    canvas.text((60, 30), words, "#000000", 30, anchor="middle")
    with Image.open(io.BytesIO(canvas.data())) as image:
        return np.asarray(image.convert("L")) < 128


def test_pictures_have_powers_above_the_line_and_a_sign_of_infinity():
    plain, power = (np.argwhere(ink(words)) for words in ("10 6", "10<sup>6</sup>"))
    assert power[:, 0].min() < plain[:, 0].min() - 2
    assert power[:, 1].max() < plain[:, 1].max()
    sign = ink("∞")
    rows, columns = np.argwhere(sign).T
    assert 15 <= np.ptp(columns) <= 30
    assert np.ptp(rows) < 0.6 * np.ptp(columns)
    middle = sign[:, columns.min() : columns.max() + 1]
    assert (middle == middle[:, ::-1]).mean() > 0.98, "both loops are alike"
    assert text_width("10<sup>6</sup>", 30) < text_width("106", 30) < text_width("106∞", 30)


def test_export_refuses_what_it_cannot_draw():
    import plotly.graph_objects as go

    figure = pictures_of(made_up_record())["figure-2b-net"]
    bars = go.Figure(figure)
    bars.add_bar(x=[1], y=[2])
    with pytest.raises(Unsupported, match="bar"):
        to_svg(bars)


def test_the_header_tells_commit_machine_and_versions_but_no_names():
    import platform

    header = make_header("a command", 1)
    assert header.date.endswith("UTC")
    assert {"python", "torch", "numpy"} <= set(header.versions)
    assert header.hardware
    assert platform.node() not in header.hardware


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_a_real_result_is_stored_for_each_experiment(name):
    record = shipped_record(name)
    assert record.experiment == name
    assert record.header.command.startswith(f"python -m relucert_core reproduce {name}")
    assert record.header.commit != "unknown"
    for panel in record.panels:
        lower = [s for s in panel.series if s.kind == LOWER]
        upper = [s for s in panel.series if s.kind == UPPER]
        assert lower
        for a in lower:
            assert len(a.values) == len(panel.images)
            for b in upper:
                assert all(a.values[i] <= b.values[i] for i in a.rows), f"{a.method} exceeds {b.method}"
        if panel.network in {card.name for card in rc.list_models()}:
            net = rc.load_model(panel.network)
            assert panel.digest == net.digest
            points = rc.mnist_sample()[0][list(panel.images[:3])]
            np.testing.assert_allclose(rc.certify(net, points).radius, panel.find("simplex").values[:3], rtol=1e-6)
