"""Lines as tables and reports: the schema of every line, CSV and Parquet, HTML and LaTeX."""

import csv
import html.parser
import json
import math

import jsonschema
import numpy as np
import pytest

import relucert_core as rc
from relucert_core.cli import main
from relucert_core.errors import InvalidInput
from relucert_core.jobs.lines import read_lines
from relucert_core.jobs.report import html_report, latex_table
from relucert_core.jobs.schema import line_schema
from relucert_core.jobs.summary import accuracies, summarise


@pytest.fixture(scope="module")
def path(small, tmp_path_factory):
    model, data, _, _ = small
    out = tmp_path_factory.mktemp("tables") / "x.csv"
    command = ["certify", "--model", str(model), "--data", str(data), "--first", "20", "--points", "--out", str(out)]
    assert main([*command, "--method", "simplex,lipschitz,clever", "--attack", "deepfool,ddn"]) == 0
    return out.with_suffix(".jsonl")


@pytest.fixture(scope="module")
def summary(path):
    return summarise(line.entry for line in read_lines(path))


def test_every_line_is_of_the_schema(path, capsys):
    jsonschema.Draft202012Validator.check_schema(line_schema())
    validator = jsonschema.Draft202012Validator(line_schema())
    lines = list(read_lines(path))
    assert len(lines) == 100
    for line in lines:
        assert not list(validator.iter_errors(line.entry))
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == line_schema()


def test_the_csv_has_every_line_in_order(path):
    with path.with_suffix(".csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 100
    assert [int(r["index"]) for r in rows] == sorted(int(r["index"]) for r in rows)
    radius = next(float(r["radius"]) for r in rows if r["index"] == "3" and r["method"] == "simplex")
    line = next(x.entry for x in read_lines(path) if x.entry["index"] == 3 and x.entry["method"] == "simplex")
    assert radius == line["radius"]


def test_a_csv_has_its_making_beside_it(path, small):
    """The table itself is data alone: its first line names the columns."""
    _, _, net, _ = small
    table = path.with_suffix(".csv")
    assert table.read_text().startswith("format,index,")
    said = json.loads(table.with_name(f"{table.name}.about.json").read_text())
    assert said["command"] == f"relucert convert {path} --out {table}"
    assert net.digest in said["digests"]
    assert said["version"] == f"relucert {rc.__version__}"
    assert "@software{relucert," in said["cite"]
    assert not list(table.parent.glob("*.part*"))


def test_parquet_and_unknown_tables(path, tmp_path, capsys):
    import pyarrow.parquet as pq

    assert main(["convert", str(path), "--out", str(tmp_path / "x.parquet")]) == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 100
    said = pq.read_schema(tmp_path / "x.parquet").metadata
    assert said[b"version"].decode() == f"relucert {rc.__version__}"
    assert b"relucert convert" in said[b"command"]
    assert b"singla2019robustness" in said[b"cite"]
    assert main(["convert", str(path), "--out", str(tmp_path / "x.xls")]) == 2
    assert "a .csv or a .parquet file" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "x.csv")]) == 2


def test_the_summary_counts_what_the_engine_says(path, small, summary):
    _, _, net, points = small
    radii = rc.certify(net, points[:20]).radius
    simplex = next(m for m in summary.methods if m.method == "simplex")
    assert simplex.median == np.median(radii)
    eps = float(np.quantile(radii, 0.4))
    assert simplex.accuracy(eps) == np.mean(radii > eps)
    clever = next(m for m in summary.methods if m.method == "clever")
    assert clever.guarantee == "estimate"
    [(_, low, high)] = accuracies(summary, [eps])
    lipschitz = rc.certify(net, points[:20], method="lipschitz").radius
    assert low == np.mean(np.maximum(radii, lipschitz) > eps)  # no estimate counts as certified
    assert low <= high


def test_lines_of_two_runs_are_not_summarised_together(path):
    entries = [dict(line.entry) for line in read_lines(path)]
    entries[0]["run"] = "0" * 12
    with pytest.raises(InvalidInput, match="different settings"):
        summarise(entries)
    with pytest.raises(InvalidInput, match="no whole line"):
        summarise([])


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]


def test_the_report_is_self_contained_and_shows_foreign_text_as_text(summary):
    from dataclasses import replace

    page = html_report(replace(summary, network="<script>alert(1)</script>"), {"command": "relucert <script>"}, [0.1])
    tags = Tags()
    tags.feed(page)
    assert not tags.addresses
    assert "script" not in tags.tags
    assert tags.tags.count("svg") == 2
    assert page.count("<circle") == int(np.isfinite(summary.best_upper).sum())


def test_the_latex_table_has_a_row_a_method(summary):
    table = latex_table(summary, {"version": "1", "cite": "@article{a,\n}"})
    assert table.startswith("% version: 1\n% cite: @article{a,\n%   }\n% ")
    assert table.count(r"\\") == len(summary.methods) + 1
    assert latex_table(summary, {}, [0.1, 0.3]).count(r"\\") == len(summary.methods) + 1 + 3
    assert r"$\ell_2$" in table
    assert "nan" not in table
    assert math.isfinite(summary.methods[0].median)


def test_report_and_eps_on_the_command_line(path, small, tmp_path, capsys):
    command = [
        "report",
        str(path),
        "--html",
        str(tmp_path / "r.html"),
        "--latex",
        str(tmp_path / "r.tex"),
        "--eps",
        "0,0.1",
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "certified accuracy" in printed
    assert (tmp_path / "r.html").stat().st_size > 1000
    assert main(["report", str(path), "--eps", "a"]) == 2
    assert main(["report", str(path), "--html", str(tmp_path / "no" / "r.html")]) == 2
    errors = capsys.readouterr().err
    assert "separated by commas" in errors
    assert "cannot be written" in errors
