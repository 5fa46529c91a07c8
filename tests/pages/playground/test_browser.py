"""A stranger in Chromium: opens the page, drags the point, trains on spirals, scrubs through time, shares the link.

Frames a second and the time to Python's number are noted (run with -rP to read them); they depend on the machine, so
that only gross failures are asserted here. The processor time of a move is asserted in test_playground.py.
"""

from __future__ import annotations

import io
import time
from xml.etree import ElementTree

import pytest
from PIL import Image

from relucert_core.datasets.points_word import unpack_points
from relucert_core.experiments.showcase import load_run
from relucert_core.importers.safetensors_file import load_network
from relucert_core.planar import planar_complex
from relucert_core.planar.preview import frames_data
from tests.pages import browser
from tests.pages.javascript import PAGES

pytestmark = pytest.mark.browser
START = """() => { const s = window.relucertCount = { frames: 0, begun: performance.now() };
  const tick = () => { s.frames++; s.next = requestAnimationFrame(tick); }; tick(); }"""
STOP = """() => { const s = window.relucertCount; cancelAnimationFrame(s.next);
  return 1000 * s.frames / (performance.now() - s.begun); }"""
AXES = "() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range"
POINT = ".relucert-handle .dot"
RADIUS = "[data-testid=stMetricValue]"
CHANGED = """before => {
  const shown = document.querySelector('[data-testid=stMetricValue]');
  return shown !== null && shown.innerText !== before; }"""


def ready(page):
    page.wait_for_selector(POINT)
    page.wait_for_function("() => document.querySelector('.st-key-pg_words')?.dataset.live === ''")


def middle(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, dx, dy, steps=60):
    """Drag the point; frames a second while it moves, and seconds until Python's number is there."""
    x, y = middle(page, POINT)
    before = page.locator(RADIUS).first.inner_text()
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(START)
    for i in range(1, steps + 1):
        page.mouse.move(x + dx * i / steps, y + dy * i / steps)
    rate = page.evaluate(STOP)
    begun = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(CHANGED, arg=before)
    return rate, time.perf_counter() - begun


def axis_range(page):
    return page.evaluate("() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)")


def test_a_stranger_drags_trains_scrubs_and_shares(app_address, chromium):
    with browser.tab(chromium, f"{app_address}/playground") as page:
        ready(page)
        rate, wait = drag(page, -110, 40)
        print(f"41 regions: {rate:.0f} frames a second while dragging, Python's number after {1000 * wait:.0f} ms")
        assert rate > 5
        page.wait_for_url("**pg_point=*")
        zoomed_drag(page)
        train_on_spirals(page)
        rate = scrub(page)
        print(f"scrubbing: {rate:.0f} frames a second")
        assert rate > 3
        shared, number = page.url, page.locator(RADIUS).first.inner_text()
        assert "pg_dataset=spirals" in shared
        assert "pg_epoch=" in shared
        assert not page.script_errors
    with browser.tab(chromium, shared) as page:
        page.get_by_text("Training finished").wait_for(timeout=2 * browser.PATIENCE)
        page.wait_for_function(
            "(number) => document.querySelector('[data-testid=stMetricValue]')?.innerText === number", arg=number
        )


def zoomed_drag(page):
    """The zoom stays when the point moves."""
    x, y = middle(page, ".js-plotly-plot .nsewdrag")
    full = axis_range(page)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function(
        "(width) => { const r = document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range;"
        " return r[1] - r[0] < 0.95 * width; }",
        arg=full[1] - full[0],
    )
    near = axis_range(page)
    before = page.locator(RADIUS).first.inner_text()
    page.mouse.click(x + 40, y - 30)
    page.wait_for_function(CHANGED, arg=before)
    # The link carries the range in six digits, and the figure may be drawn anew from it.
    assert axis_range(page) == pytest.approx(near, rel=1e-4)


def train_on_spirals(page):
    page.get_by_text("Data", exact=True).click()
    page.get_by_text("Spirals", exact=True).click()
    browser.settled(page)  # a button that is being drawn anew may lose the click
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("Training finished").or_(page.get_by_role("button", name="Pause", exact=True)).first.wait_for()
    page.get_by_text("Training finished").wait_for(timeout=2 * browser.PATIENCE)
    page.wait_for_selector("input[type=range][aria-label^=Time]")


def scrub(page):
    """Drag the time handle back; the frames a second meanwhile. The figure follows when it is let go."""
    box = page.locator("input[type=range][aria-label^=Time]").bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, height)
    page.mouse.down()
    page.evaluate(START)
    for i in range(40):
        page.mouse.move(box["x"] + box["width"] * (1 - i / 60) - 8, height)
    rate = page.evaluate(STOP)
    page.locator("canvas.relucert-time").wait_for(state="attached")
    page.mouse.up()
    page.wait_for_url("**pg_epoch=*")
    page.wait_for_function("() => !document.querySelector('canvas.relucert-time')")
    ready(page)
    return rate


@pytest.mark.slow  # a stranger drags as well, and without a browser test_page asserts what a move costs
def test_drag_with_many_regions(app_address, chromium):
    with browser.tab(chromium, f"{app_address}/playground?pg_preset=many") as page:
        ready(page)
        rate, wait = drag(page, 90, -60)
        print(f"6,516 regions: {rate:.0f} frames a second while dragging, Python's number after {1000 * wait:.0f} ms")
        assert rate > 5
        assert not page.script_errors


@pytest.fixture(scope="module")
def page(app_address, chromium):
    """One tab for the tests that train nothing."""
    with browser.tab(chromium, app_address) as opened:
        opened.wait_for_selector(POINT)
        yield opened


def test_arrow_keys_move_the_point_and_the_first_page_is_alive(page):
    browser.walk(page, "/", "Start · Relucert")
    page.wait_for_selector(POINT)
    handle = page.locator(".relucert-handle")
    before = handle.get_attribute("transform")
    handle.focus()
    page.keyboard.press("ArrowRight")
    moved = "([node, before]) => node.getAttribute('transform') !== before"
    page.wait_for_function(moved, arg=[handle.element_handle(), before])
    page.get_by_role("button", name="Case (b)").click()
    page.get_by_text("limited by neuron 4 of layer 2").wait_for()
    page.wait_for_url("**start_u=*")
    boxes = page.locator("text[class^=label-]").evaluate_all(
        "all => all.filter(n => n.style.display !== 'none').map(n => {"
        " const b = n.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; })"
    )
    assert len(boxes) == 3
    x, y = (float(v) for v in handle.get_attribute("transform")[10:].split(")")[0].split(","))
    boxes.append([x - 12, y - 12, x + 12, y + 12])
    hit = [
        1 for i, a in enumerate(boxes) for b in boxes[:i] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert not hit, "no word over another or over u"
    ring = page.locator(".over circle[stroke-dasharray]").evaluate_all(
        "all => all.filter(n => n.style.display !== 'none').map(n => [n.cx, n.cy, n.r].map(v => v.baseVal.value))"
    )
    assert ring
    assert all(cx - r > 0 and cx + r < 720 and cy - r > 0 and cy + r < 430 for cx, cy, r in ring), "nothing is cut"
    page.locator(".st-key-card_lesson").scroll_into_view_if_needed()
    card = page.locator(".st-key-card_lesson").bounding_box()
    page.mouse.click(card["x"] + card["width"] - 12, card["y"] + card["height"] - 10)
    page.wait_for_url("**/lesson*")
    assert not page.script_errors


def saved(page, tmp_path, name):
    """Press a button of the downloads; the file's bytes."""
    with page.expect_download() as coming:
        page.get_by_role("button", name=name).first.click()
    path = tmp_path / coming.value.suggested_filename
    coming.value.save_as(path)
    return path.read_bytes()


def test_pictures_and_network_are_saved_by_click(page, tmp_path):
    browser.walk(page, "/playground", "Playground · Relucert")
    ready(page)
    page.get_by_text("Download", exact=True).click()
    drawing = ElementTree.fromstring(saved(page, tmp_path, "SVG"))
    assert drawing.tag.endswith("svg")
    assert [node for node in drawing.iter() if node.tag.endswith("circle")], "the circles come along"
    image = Image.open(io.BytesIO(saved(page, tmp_path, "PNG")))
    assert min(image.size) >= 300
    assert len(image.convert("RGB").getcolors(10**6)) > 20
    digest = load_run("moons-figure").network.digest
    assert digest in next(node.text for node in drawing.iter() if node.tag.endswith("metadata"))
    image.load()  # the sums of all chunks are right
    assert digest in image.text["Comment"]
    assert "singla2019robustness" in image.text["Comment"]
    assert not [node for node in drawing.iter() if "grip" in node.get("class", "")], "no ring to drag by"
    said = "".join(drawing.itertext())
    assert "safe circle (certified)" in said
    assert "decision boundary" in said
    assert float(drawing.get("height")) > float(drawing.get("width")), "the legend is under the plane, not cut"
    alone = saved(page, tmp_path, "HTML").decode("utf8")
    assert "<title>The plane of a 2-8-6-2 network: Figure 1 (a)</title>" in alone
    net = load_network(saved(page, tmp_path, "safetensors"))
    assert net == load_run("moons-figure").network
    assert not page.script_errors


def test_a_click_adds_a_point_and_undo_and_redo_are_back_and_forward(page):
    browser.walk(page, "/playground", "Playground · Relucert")
    ready(page)
    page.get_by_text("Data", exact=True).click()
    page.get_by_text("Add a point", exact=True).click()
    page.locator(".js-plotly-plot[data-mode=add]").wait_for()
    ready(page)
    page.locator(".js-plotly-plot .nsewdrag").first.scroll_into_view_if_needed()
    x, y = middle(page, ".js-plotly-plot .nsewdrag")
    page.mouse.click(x + 60, y + 60)
    page.get_by_text("501 points of your own").wait_for()
    page.wait_for_url("**pg_own=*")
    ready(page)
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("points of your own.").wait_for(state="detached")
    page.wait_for_function("() => !location.search.includes('pg_own')")
    ready(page)
    page.get_by_role("button", name="Redo").click()
    page.wait_for_url("**pg_own=*")
    page.get_by_text("501 points of your own").wait_for()
    page.get_by_text("The points have changed since this training").wait_for()
    page.get_by_text("Draw points", exact=True).click()
    page.locator(".js-plotly-plot[data-mode=draw]").wait_for()
    ready(page)
    page.get_by_label("Class of new points").fill("2")
    page.get_by_label("Class of new points").press("Enter")
    browser.settled(page)
    page.locator(".js-plotly-plot .nsewdrag").first.scroll_into_view_if_needed()
    x, y = middle(page, ".js-plotly-plot .nsewdrag")
    view = page.evaluate(AXES)
    page.mouse.move(x - 100, y + 90)
    page.mouse.down()
    page.mouse.move(x + 40, y + 90, steps=20)
    page.mouse.up()
    page.wait_for_function("() => !document.body.innerText.includes('501 points of your own')")
    browser.settled(page)
    points, labels = unpack_points(page.evaluate("() => new URLSearchParams(location.search).get('pg_own')"))
    drawn = points[labels == 2]
    assert len(points) == 501 + len(drawn)
    assert (labels != 2).sum() == 501, "the others keep their classes"
    assert 8 <= len(drawn) <= 12, "one every 14 pixels"
    assert drawn[:, 1].max() - drawn[:, 1].min() < 0.02
    assert page.evaluate(AXES) == view, "the plane does not move under a stroke"
    assert not page.script_errors


@pytest.mark.slow  # test_page drives the same without a browser
def test_clicks_on_an_empty_plane_draw_and_the_second_class_starts_the_training(app_address, chromium):
    with browser.tab(chromium, f"{app_address}/playground") as page:
        ready(page)
        page.get_by_text("Data", exact=True).click()
        page.get_by_role("button", name="Start with an empty plane").click()
        page.get_by_text("The plane is empty").wait_for()
        page.locator(".js-plotly-plot[data-mode=draw]").wait_for()
        ready(page)
        for ink, dx in (("0", -60), ("1", 60)):
            page.get_by_label("Class of new points").fill(ink)
            page.get_by_label("Class of new points").press("Enter")
            browser.settled(page)
            page.locator(".js-plotly-plot .nsewdrag").first.scroll_into_view_if_needed()
            x, y = middle(page, ".js-plotly-plot .nsewdrag")
            page.mouse.click(x + dx, y + dx)
            page.get_by_text("All points are of class 0" if ink == "0" else "Training finished").wait_for()
        points, labels = unpack_points(page.evaluate("() => new URLSearchParams(location.search).get('pg_own')"))
        assert labels.tolist() == [0, 1]
        assert points[0, 0] < 0 < points[1, 0]
        assert not page.script_errors


MOUNT = """([source, html, data, leave]) => {
  document.body.innerHTML = `<div class="st-key-here"><div class="js-plotly-plot"><div class="svg-container"
    style="width:90px;height:90px"></div></div></div><div class="mount">${html}</div>`;
  const axis = { _offset: 0, _length: 90, d2p: (x) => 45 * (x + 1) };
  document.querySelector(".js-plotly-plot")._fullLayout = { xaxis: axis, yaxis: axis };
  const component = new Function(`${source.replace("export default function", "return function")}`)();
  const end = component({ data, parentElement: document.querySelector(".mount"), setStateValue() {} });
  if (leave) end();
  return new Promise((done) => setTimeout(() => done(document.querySelectorAll("canvas").length), 300));
}"""


def test_a_time_slider_that_goes_leaves_no_picture_behind(chromium):
    """While a network trains the slider stands elsewhere than afterwards; its last picture must not come late."""
    net = load_run("moons-figure").network
    data = frames_data([planar_complex(net, ((-1, 1), (-1, 1)))], [7])
    look = {"background": "white", "edge": "gray", "boundary": "black", "classes": ["red", "blue"], "line": 1}
    data = {"target": "here", "frames": data, "run": "a", "epoch": 7, "points": None, "live": True, "look": look}
    source = "\n".join((PAGES / name).read_text("utf8") for name in ("shared/plane_core.js", "playground/timeline.js"))
    html = (PAGES / "playground/timeline.html").read_text("utf8")
    page = chromium.new_page()
    assert page.evaluate(MOUNT, [source, html, data, False]) == 1, "it draws"
    assert page.evaluate(MOUNT, [source, html, data, True]) == 0
    page.close()
