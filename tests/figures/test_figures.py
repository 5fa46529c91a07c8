"""Figures: places on the paper follow the numbers, colours keep their contrast, pictures keep every pixel."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from relucert_core.figures.axis import DistanceAxis
from relucert_core.figures.digits import digit_png
from relucert_core.figures.number_line import ESTIMATE, LOWER, UPPER, Mark, bounds_chart, number_line
from relucert_core.figures.pictures import signed_picture
from relucert_core.figures.theme import DARK, LIGHT, figure_of, find_theme

THEMES = (LIGHT, DARK)


def mark(value: float, kind: str, named: bool = True) -> Mark:
    return Mark(f"{kind} {value:g}", value, kind, f"{value:g}", named)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_text_and_marks_stand_out(theme):
    assert contrast(theme.text, theme.background) >= 4.5
    assert contrast(theme.text, theme.panel) >= 4.5
    for colour in (theme.lower, theme.upper, theme.exact, theme.estimate):
        assert contrast(colour, theme.background) >= 3


def test_lecture_theme_is_large():
    theme = find_theme("dark", present=True)
    assert theme.font >= 20
    assert theme.line >= 3
    assert theme.background == DARK.background


def test_axis_keeps_the_order_of_numbers():
    values = [0.0, 1e-9, 3e-4, 0.01, 0.7, 1.0, 55.0, math.inf]
    axis = DistanceAxis.for_values(values)
    places = [axis.place(v) for v in values]
    assert places == sorted(set(places))
    assert axis.ends[0] < places[0]
    assert places[-1] < axis.ends[1]
    assert axis.layout(LIGHT, "distance")["ticktext"][0] == "0"
    assert axis.layout(LIGHT, "distance")["ticktext"][-1] == "∞"


def test_axis_without_finite_numbers_still_has_two_decades():
    axis = DistanceAxis.for_values([0.0, math.inf])
    assert axis.high - axis.low >= 2


def test_number_line_parts_meet_at_the_best_bounds():
    marks = [
        mark(0.001, LOWER),
        mark(0.2, LOWER),
        mark(0.9, UPPER),
        mark(0.7, UPPER, False),
        mark(0.5, ESTIMATE, False),
    ]
    figure = number_line(marks, LIGHT, "distance (L2)")
    axis = DistanceAxis.for_values(m.value for m in marks)
    safe, gap, fooled = [trace for trace in figure.data if trace.type == "bar"]
    assert safe.base[0] + safe.x[0] == pytest.approx(axis.place(0.2))
    assert gap.base[0] + gap.x[0] == pytest.approx(axis.place(0.7))
    assert fooled.base[0] + fooled.x[0] == pytest.approx(axis.ends[1])
    names = [note.text for note in figure.layout.annotations if "<b>" in note.text]
    assert len(names) == 3


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [mark(0.0, LOWER)],
        [mark(math.inf, LOWER)],
        [mark(0.0, LOWER), mark(math.inf, UPPER)],
        [mark(0.3, LOWER), mark(0.3, UPPER)],
    ],
    ids=["nothing", "zero", "infinite", "nothing known", "exact"],
)
@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_number_line_takes_the_ends_of_the_axis(marks, theme):
    figure = number_line(marks, theme, "distance")
    left, right = DistanceAxis.for_values(m.value for m in marks).ends
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert sum(bar.x[0] for bar in bars) == pytest.approx(right - left)
    assert all(bar.x[0] >= 0 for bar in bars)


def test_kinds_differ_by_shape_as_well_as_by_colour():
    figure = number_line([mark(0.1, LOWER), mark(1.0, UPPER), mark(0.4, ESTIMATE)], LIGHT, "distance")
    marks = [trace.marker for trace in figure.data if trace.type == "scatter"]
    assert len({m.symbol for m in marks}) == len({m.color for m in marks}) == 3


def test_bounds_chart_has_a_row_and_a_label_for_each():
    marks = [mark(0.0, LOWER), mark(0.1, LOWER), mark(1.0, UPPER), mark(math.inf, UPPER)]
    figure = bounds_chart(marks, DARK, "distance")
    assert len(figure.data) == len(figure.layout.annotations) == len(marks)
    assert {trace.y[0] for trace in figure.data} == {0, -1, -2, -3}


def test_digit_picture_keeps_every_pixel():
    pixels = np.random.default_rng(0).integers(0, 256, 784)
    with Image.open(io.BytesIO(digit_png(pixels / 255.0, scale=3))) as image:
        array = np.asarray(image)
    assert array.shape == (84, 84)
    assert (array[1::3, 1::3].reshape(-1) == pixels).all()


def test_signed_picture_is_centred_on_no_difference():
    values = np.zeros(784)
    values[0], values[783] = -0.2, 0.05
    heat = signed_picture(values, LIGHT, "darker", "lighter").data[0]
    assert heat.zmin == -heat.zmax == -0.2
    assert heat.z[0][0] == pytest.approx(-0.2)
    assert signed_picture(np.zeros(784), LIGHT, "a", "b").data[0].zmax == 1


def test_layout_of_a_figure_can_be_overridden():
    figure = figure_of(LIGHT, [], 100, dragmode="pan")
    assert figure.layout.dragmode == "pan"
    assert figure.layout.height == 100
