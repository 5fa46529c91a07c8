"""What exports say of themselves: it can be read back, and the files are what they were for everybody else."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image

from relucert_core.citation import bibtex, in_csv, in_png, in_svg, made_by, version
from relucert_core.datasets.points_csv import points_from_csv, points_to_csv
from relucert_core.figures.canvas import PngCanvas, SvgCanvas

ABOUT = made_by('import relucert_core as rc\nprint("<&>", 0.5 <= 1, "∞")', network="ab12", point="cd34")


def test_digests_stand_beside_version_command_and_citation():
    assert list(ABOUT) == ["version", "command", "python", "digests", "cite"]
    assert ABOUT["digests"] == "network ab12, point cd34"
    assert "digests" not in made_by("relucert models")


def test_csv_says_it_in_comments_and_our_reader_and_numpys_pass_over_them():
    points, labels = np.array([[0.1, 0.2], [0.3, -0.4]]), np.array([0, 1])
    text = in_csv(points_to_csv(points, labels), ABOUT)
    back, classes = points_from_csv(text)
    assert np.array_equal(back, points)
    assert np.array_equal(classes, labels)
    assert np.array_equal(
        np.loadtxt(io.StringIO(text), delimiter=",", skiprows=0, usecols=(0, 1), comments=["#", "x"]), points
    )
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    assert next(csv.reader(rows)) == ["x", "y", "class"]
    said = "\n".join(line.removeprefix("# ").removeprefix("  ") for line in text.splitlines() if line.startswith("#"))
    assert ABOUT["command"] in said
    assert f"relucert {version()}" in said
    assert "network ab12" in said
    assert all(line.strip() in said for line in bibtex().splitlines())


def test_svg_says_it_in_its_metadata():
    canvas = SvgCanvas(40, 30, "#ffffff")
    canvas.polyline([(0, 0), (40, 30)], "#000000", 2)
    root = ET.fromstring(in_svg(canvas.data(), ABOUT))
    assert [child.tag.rpartition("}")[2] for child in root] == ["metadata", "rect", "polyline"]
    words = "\n".join(line.strip() for line in root[0].text.splitlines())
    assert all(line.strip() in words for value in ABOUT.values() for line in value.splitlines())


def test_png_says_it_in_text_chunks_and_keeps_its_pixels():
    canvas = PngCanvas(40, 30, "#ffffff", 1)
    canvas.polyline([(0, 0), (40, 30)], "#000000", 2)
    plain, told = (Image.open(io.BytesIO(data)) for data in (canvas.data(), in_png(canvas.data(), ABOUT)))
    told.load()  # checks the sums of all chunks
    assert np.array_equal(np.asarray(plain), np.asarray(told))
    assert told.text == {("Software" if k == "version" else k.capitalize()): v for k, v in ABOUT.items()}
