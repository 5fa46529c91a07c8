"""The experiments page: the stored results without a click, a run of one's own, stopping and going on."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import pytest

from pages.experiments import marks, runs, view
from relucert_core.experiments.catalogue import EXPERIMENTS, FIGURES, shown_methods
from relucert_core.experiments.records import LOWER, from_json, to_csv, to_json
from relucert_core.experiments.store import shipped_record
from relucert_core.experiments.tables import rounded, summary_table
from tests.pages.helpers import figures, open_page, texts

PAGE = "experiments"
OWN = "Show this machine's run instead of the stored one"
TITLES = {name: entry.title for name, entry in EXPERIMENTS.items()}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RELUCERT_RUNS", str(tmp_path / "runs"))
    runs.prepared.clear()
    runs.own_record.clear()


def names(figure):
    return [trace["name"] for trace in figure["data"] if trace.get("name")]


@pytest.mark.parametrize("name", FIGURES)
def test_a_stored_figure_is_shown_without_a_click(name):
    at = open_page(PAGE, experiments_show=TITLES[name])
    assert not at.exception
    record = shipped_record(name)
    shown = figures(at)
    assert len(shown) == len(record.panels) + 1
    for figure, panel in zip(shown, record.panels, strict=False):
        titles = {panel.find(method).title for method in shown_methods(record) if panel.find(method)}
        assert {label.removesuffix(" (attack)") for label in names(figure)} == titles
    words = texts(at)
    simplex = sorted(record.panels[0].find("simplex").values)
    count = len(simplex)
    median = (simplex[(count - 1) // 2] + simplex[count // 2]) / 2
    assert f"proved safe to **{rounded(median, LOWER)}**" in words
    assert record.header.commit in words


def test_the_decision_boundary_zeros_are_said():
    words = texts(open_page(PAGE, experiments_show="Figure 2a"))
    boundary = shipped_record("figure-2a").panels[0].find("decision-boundary").values
    assert f"is 0 for {boundary.count(0.0)} of {len(boundary)} images" in words


def test_table_1_shows_the_papers_seconds_beside_ours_and_the_radii():
    at = open_page(PAGE, experiments_show="Table 1")
    assert not at.exception
    times = figures(at)[0]
    assert {"here", "the paper's"} <= set(names(times))
    table = at.table[0].value
    assert table["Paper (s)"].tolist() == [f"{s.paper_seconds:g}" for s in shipped_record("table-1").panels[0].series]
    assert any("Radius" in column for column in table.columns)


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_no_cell_is_a_hyphen_which_markdown_makes_a_bullet(name):
    cells = [
        str(cell) for shown in open_page(PAGE, experiments_show=TITLES[name]).table for cell in shown.value.stack()
    ]
    assert len(cells) > 10
    assert not [cell for cell in cells if re.match(r"[-+*](\s|$)", cell)]


def test_an_image_counts_once_on_several_networks():
    words = texts(open_page(PAGE, experiments_show="Figure 2b"))
    assert re.search(r"50 images on 3 networks, \d+ answers to find", words)


def test_certified_accuracy_has_a_line_for_every_method():
    at = open_page(PAGE, experiments_show="Figure 2a", experiments_accuracy="true")
    assert not at.exception
    panel = shipped_record("figure-2a").panels[0]
    assert len(names(figures(at)[0])) == len(panel.series)
    table = next(shown.value for shown in at.table if "Kind" in shown.value)
    assert table["Method"].tolist() == [series.title for series in panel.series]


def test_the_link_keeps_the_view_and_a_bad_link_is_survived():
    at = open_page(PAGE, experiments_show="Figure 2a", experiments_alone="true")
    simplex = figures(at)[0]["data"][0]
    heights = simplex["y"]
    assert "each method sorted by itself" in json.dumps(figures(at)[0]["layout"])
    assert len(heights) > 0
    assert not open_page(PAGE, experiments_show="Figure 99", experiments_own="perhaps").exception


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_lecture_view_has_picture_and_sentence_alone(name):
    at = open_page(PAGE, experiments_show=TITLES[name], present="1")
    assert not at.exception
    assert figures(at)
    assert not at.expander
    assert not at.toggle


def test_a_run_of_ones_own_is_shown_kept_and_forgotten(tmp_path):
    query = {"experiments_show": "Figure 2a", "experiments_images_figure-2a": "1"}
    at = open_page(PAGE, **query)
    assert "Nothing is kept here yet" in texts(at)
    assert OWN not in [toggle.label for toggle in at.toggle]
    run = next(button for button in at.button if button.label == "Run")
    run.click().run(timeout=120)
    assert not at.exception
    assert "This machine's own run: 1 of 1 images" in texts(at)
    assert "All 1 images are done" in texts(at)
    assert [toggle.value for toggle in at.toggle if toggle.label == OWN] == [True]
    assert OWN not in [toggle.label for expander in at.expander for toggle in expander.toggle]
    files = {p.name: p.read_bytes() for p in (tmp_path / "runs").iterdir()}
    assert len(files) == len(runs.prepared("figure-2a", 1).panels[0].tasks)
    again = open_page(PAGE, experiments_own="true", **query)
    assert "This machine's own run: 1 of 1 images" in texts(again)
    assert {p.name: p.read_bytes() for p in (tmp_path / "runs").iterdir()} == files


def test_too_many_images_are_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("RELUCERT_MNIST", str(tmp_path))
    at = open_page(PAGE, **{"experiments_show": "Figure 2a", "experiments_images_figure-2a": "5000"})
    assert not at.exception
    assert "5000 images were asked for" in at.error[0].value
    assert figures(at)


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_downloads_are_the_record(name):
    record = shipped_record(name)
    assert from_json(to_json(record)) == record
    lines = list(csv.DictReader(line for line in to_csv(record).splitlines() if not line.startswith("#")))
    assert len(lines) == sum(len(s.values) for panel in record.panels for s in panel.series)
    labels = [element.proto.label for element in open_page(PAGE, experiments_show=TITLES[name]).get("download_button")]
    kinds = " ".join(labels)
    assert all(kind in kinds for kind in ("CSV", "JSON", "PNG", "SVG"))


def test_the_code_prints_the_tables_of_the_page(capsys):
    record = shipped_record("figure-2a")
    exec(compile(view.code(record), "printed", "exec"), {})
    printed = capsys.readouterr().out
    table = summary_table(record, record.panels[0])
    for cells in zip(*table.values(), strict=True):
        assert re.search(r"\s+".join(map(re.escape, cells)), printed)
    compile(view.code(shipped_record("table-1")), "printed", "exec")


def test_the_code_of_ones_own_run_runs_it(capsys):
    record = shipped_record("figure-2a")
    code = view.code(replace(record, header=replace(record.header, date="now")))
    assert f"images={record.images}" in code
    exec(compile(re.sub(r"images=\d+", 'images=1, methods=("simplex",)', code), "printed", "exec"), {})
    assert re.search(r"\nSimplex +lower bound +1 ", capsys.readouterr().out)


def test_every_mark_knows_its_image():
    record = shipped_record("figure-2b")
    shown = figures(open_page(PAGE, experiments_show="Figure 2b"))
    for figure, panel in zip(shown, record.panels, strict=False):
        for trace in figure["data"]:
            said = [int(re.match(r"image (\d+):", words).group(1)) for words in trace["text"]]
            assert list(trace["customdata"]) == said
            assert set(said) <= set(panel.images)


@pytest.mark.parametrize(
    "value",
    [None, 7, ["mnist-1024-512"], ["no-network", 3], ["mnist-1024-512", 1000], [["a"], 3], ["mnist-1024-512", "3"]],
)
def test_what_no_mark_says_opens_nothing(value):
    assert marks.chosen(value) is None
    assert marks.chosen(["mnist-1024-512", 3]) == ("mnist-1024-512", 3)
