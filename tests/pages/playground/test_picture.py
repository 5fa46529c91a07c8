"""The playground's picture under hand and pointer: scroll, zoom, legend, names, words at the pointer, live numbers."""

from __future__ import annotations

import math
import random

import pytest

from relucert_core.experiments.showcase import SHOWCASE, load_run
from relucert_core.figures.plane_legend import plane_legend
from relucert_core.figures.theme import LIGHT
from relucert_core.planar import planar_complex
from relucert_core.planar.preview import preview_data
from relucert_core.words import down
from tests.pages import browser, javascript
from tests.pages.playground.test_browser import POINT, axis_range, middle, ready

BOX = ((-1.25, 1.25), (-1.25, 1.25))
PURE = """
  const view = (p, q, z) => { const c = centreOfZoom(p, q, z); return [c, c + (q - c) / z]; };
  const geometry = readGeometry(data.geometry);
  return {
    numbers: data.numbers.map((v) => shortNumber(v)),
    zooms: data.zooms.map(([p, q, z]) => view(p, q, z)),
    boxes: data.marks.map((wanted) => placeLabels(wanted, [[140, 140, 172, 172]], [0, 0, 400, 400])),
    probes: data.points.map((p) => probeAt(geometry, data.u, p, data.box, 0.004, new Set(["polyhedra", "decision"]))),
  };
"""


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.browser
def test_numbers_zoom_names_and_words_at_the_pointer():
    """The browser's functions against Python's numbers, geometry by hand, and the exact subdivision."""
    rng = random.Random(5)
    numbers = [10 ** rng.uniform(-9, 7) for _ in range(400)] + [0.37, 1.0, 999.999, 0.1, 12345.0, 0.001, 0.0, 100.0]
    zooms = [[rng.random(), rng.random(), math.exp(rng.uniform(-0.1, 0.1))] for _ in range(200)]
    marks = [
        [
            {"spot": [150 + rng.uniform(-30, 30), 150 + rng.uniform(-30, 30)], "width": 60, "height": 16}
            for _ in range(n)
        ]
        for n in (1, 3, 3, 3, 5)
    ]
    plane = planar_complex(load_run("moons-figure").network, BOX)
    points = [[rng.uniform(-1.2, 1.2), rng.uniform(-1.2, 1.2)] for _ in range(60)]
    data = {
        "numbers": numbers, "zooms": zooms, "marks": marks, "geometry": preview_data(plane), "points": points,
        "u": [0.1, 0.35], "box": [-1.25, 1.25, -1.25, 1.25],
    }  # fmt: skip
    files = ["shared/plane_core.js", "shared/plane_draw.js", "playground/gestures.js", "playground/probe.js"]
    seen = javascript.run(files, PURE, data)
    assert seen["numbers"] == [down(v, 3) for v in numbers]
    for (p, q, _), (centre, after) in zip(zooms, seen["zooms"], strict=True):
        margin = min(0.08, q, 1 - q)
        assert margin - 1e-9 <= after <= 1 - margin + 1e-9, "u stays in view"
        if 0.1 < p + (q - p) < 0.9 and abs(p - q) < 0.3 and abs(centre - p) > 1e-9:
            assert after == pytest.approx(margin, abs=1e-6) or after == pytest.approx(1 - margin, abs=1e-6)
    for boxes in seen["boxes"]:
        assert all(boxes)
        taken = [*boxes, [140, 140, 172, 172]]
        assert not [1 for i, a in enumerate(taken) for b in taken[:i] if overlap(a, b)]
    faces = [probe["words"] for probe in seen["probes"] if probe["words"][0].startswith("Face")]
    regions = [probe["words"] for probe in seen["probes"] if "egion" in probe["words"][0]]
    assert len(regions) > 20
    assert faces or any("nearest face: neuron" in words[1] for words in regions)
    home = int(plane.locate([[0.1, 0.35]])[0])
    for point, probe in zip(points, seen["probes"], strict=True):
        if "egion" in probe["words"][0]:
            assert (probe["words"][0].startswith("u's own")) == (int(plane.locate([point])[0]) == home)


def test_the_legend_names_everything_that_is_drawn():
    plane = planar_complex(load_run("moons-figure").network, BOX)
    labels = SHOWCASE["figure-1a"].run.points()[1]
    layers = frozenset(
        {"classes", "polyhedra", "decision", "data", "region", "circle", "exact", "extension", "attacks"}
    )

    def said(**more):
        settings = {"layers": layers, "colouring": "layer", "data": labels} | more
        return [item["text"] for item in plane_legend(plane, LIGHT, **settings)]

    assert said() == [
        "class 0", "class 1", "faces of layer 1", "faces of layer 2", "decision boundary", "u", "u's region",
        "what limits the circle", "safe circle (certified)", "true distance", "linear extension", "attack and its way",
    ]  # fmt: skip
    assert said(layers=frozenset({"decision"})) == ["decision boundary"]
    slope = next(text for text in said(colouring="slope") if "slope" in text)
    low, high = (float(word) for word in slope.removeprefix("local slope, from ").split(" to "))
    assert 0 < low < high


LIVE = "() => document.querySelector('.st-key-pg_words')?.dataset.live === '1'"
PANEL = ".st-key-pg_pick .live"


@pytest.mark.browser
def test_wheel_words_and_numbers_follow_the_hand(app_address, chromium):
    query = "pg_layers=classes~polyhedra~decision~data~region~circle~exact~attacks"
    with browser.tab(chromium, f"{app_address}/playground?{query}", height=700) as page:
        ready(page)
        page.locator(".relucert-name").first.wait_for(state="attached")
        names = page.locator(".relucert-name").evaluate_all(
            "all => all.map(n => { const b = n.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; })"
        )
        assert len(names) >= 2
        assert not [1 for i, a in enumerate(names) for b in names[:i] if overlap(a, b)]
        page.evaluate("() => { document.querySelector('.js-plotly-plot').dataset.mine = '1'; }")
        the_wheel_scrolls_and_zooms_with_ctrl(page)
        assert page.locator(".js-plotly-plot[data-mine]").count() == 1, "the figure stays mounted"
        page.evaluate("() => document.querySelector('.stMain').scrollTo(0, 0)")
        x, y = middle(page, ".st-key-pg_chart .nsewdrag")
        page.mouse.move(x, y)
        page.locator(".relucert-tip text", has_text="from u").or_(
            page.locator(".relucert-tip text", has_text="neuron")
        ).first.wait_for()
        the_numbers_are_live(page)
        the_time_slider_is_live(page)
        assert not page.script_errors


def the_wheel_scrolls_and_zooms_with_ctrl(page):
    full = axis_range(page)
    x, y = middle(page, ".st-key-pg_chart .nsewdrag")
    page.mouse.move(x, y)
    page.mouse.wheel(0, 160)
    page.wait_for_function("() => document.querySelector('.stMain').scrollTop > 60")
    assert axis_range(page) == full
    page.evaluate("() => document.querySelector('.stMain').scrollTo(0, 0)")
    box = page.locator(".st-key-pg_chart .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)
    page.keyboard.down("Control")
    for _ in range(12):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    page.wait_for_function(
        "(width) => { const r = document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range;"
        " return r[1] - r[0] < 0.6 * width; }", arg=full[1] - full[0],
    )  # fmt: skip
    low, high = axis_range(page)
    assert low < SHOWCASE["figure-1a"].point[0] < high, "u is in view, though the corner was zoomed"


def the_numbers_are_live(page):
    x, y = middle(page, POINT)
    page.mouse.move(x, y)
    page.mouse.down()
    shown = set()
    for step in (20, 40, 60):
        page.mouse.move(x + step, y - step / 2)
        page.wait_for_function(LIVE)
        page.wait_for_timeout(60)
        shown.add(page.locator(f"{PANEL} .safe b").inner_text())
        assert "Case (" in page.locator(f"{PANEL} .case").inner_text()
    assert len(shown) == 3, "the large numbers follow"
    assert "preview" in page.locator(PANEL).inner_text().lower()
    assert not page.locator(".st-key-pg_words").is_visible(), "nothing stale stands beside them"
    last = page.locator(f"{PANEL} .safe b").inner_text()
    page.mouse.up()
    ready(page)
    assert page.locator("[data-testid=stMetricValue]").first.inner_text() == last, "Python finds the same number"


def the_time_slider_is_live(page):
    page.locator("input[type=range][aria-label^=Time]").scroll_into_view_if_needed()
    box = page.locator("input[type=range][aria-label^=Time]").bounding_box()
    height, shown = box["y"] + box["height"] / 2, set()
    page.mouse.move(box["x"] + box["width"] - 8, height)
    page.mouse.down()
    for share in (0.6, 0.3, 0.05):
        page.mouse.move(box["x"] + box["width"] * share, height)
        page.wait_for_function(LIVE)
        page.wait_for_timeout(60)
        shown.add(page.locator(f"{PANEL} .safe b").inner_text())
    assert len(shown) >= 2
    page.mouse.up()
    page.wait_for_url("**pg_epoch=*")
    ready(page)


@pytest.mark.slow
@pytest.mark.browser
def test_on_a_phone_a_swipe_scrolls_and_the_numbers_stand_under_the_picture(app_address, chromium):
    phone = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
    with browser.tab(chromium, f"{app_address}/playground", **phone) as page:
        ready(page)
        browser.settled(page)
        full = axis_range(page)
        page.locator(".st-key-pg_chart .nsewdrag").scroll_into_view_if_needed()
        before = page.evaluate("() => document.querySelector('.stMain').scrollTop")
        box = page.locator(".st-key-pg_chart .nsewdrag").bounding_box()
        browser.swipe(page, box["x"] + 60, box["y"] + box["height"] - 40, 0, -165)
        assert page.evaluate("() => document.querySelector('.stMain').scrollTop") > before + 80
        assert axis_range(page) == full
        scrolled = page.evaluate("() => document.querySelector('.stMain').scrollTop")
        x, y = middle(page, ".relucert-handle .dot")
        browser.swipe(page, x, y, 44, -55)
        page.wait_for_url("**pg_point=*")
        moved = middle(page, ".relucert-handle .dot")
        assert math.dist(moved, (x + 44, y - 55)) < 3, "u goes where the finger goes"
        assert page.evaluate("() => document.querySelector('.stMain').scrollTop") == scrolled
        picture = page.locator(".st-key-pg_chart").bounding_box()
        numbers = page.locator("[data-testid=stMetricValue]").first.bounding_box()
        assert picture["y"] >= -30, "the picture is in view"
        assert picture["y"] + picture["height"] <= numbers["y"] < 844 - 40, "and so are the numbers, under it"
        assert not page.script_errors
