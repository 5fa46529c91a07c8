"""A table behind every figure: charts are drawn in one place, which asks for one, and `open_page` looks for it."""

from __future__ import annotations

import ast
import csv
import io

import pytest

from pages.shared import charts
from pages.shared.charts import Numbers, as_csv
from tests.pages.helpers import ROOT, open_page


def test_charts_are_drawn_in_one_place():
    for path in (ROOT / "pages").rglob("*.py"):
        names = [n.attr for n in ast.walk(ast.parse(path.read_text(encoding="utf8"))) if isinstance(n, ast.Attribute)]
        assert ("plotly_chart" in names) == (path == ROOT / "pages/shared/charts.py"), f"{path}: use charts.draw"


def test_a_figure_without_its_table_is_found(monkeypatch):
    monkeypatch.setattr("pages.shared.charts.table", lambda numbers, key: None)
    with pytest.raises(AssertionError, match="has a table"):
        open_page("experiments")


def test_the_file_has_every_line_and_says_how_it_was_made():
    count = charts.LONGEST + 5
    short = Numbers({"a": ["1"]}, file="x", whole=lambda: {"a": range(count)}, about=lambda: {"version": "relucert 9"})
    lines = as_csv(short).splitlines()
    assert lines[0] == "# version: relucert 9"
    assert [row["a"] for row in csv.DictReader(io.StringIO("\n".join(lines[1:])))] == [str(i) for i in range(count)]
