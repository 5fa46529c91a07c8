"""Fingers on the playground's plane, sent to Chromium as a phone's screen sends them."""

from __future__ import annotations

import math

import pytest

from tests.pages import browser

pytestmark = pytest.mark.browser
HANDLE = ".relucert-handle .dot"
PLANE = ".js-plotly-plot .nsewdrag"
RANGE = "() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"
MARK = "() => { document.querySelector('.js-plotly-plot').relucertMark = 1; }"
MARKED = "() => document.querySelector('.js-plotly-plot').relucertMark === 1"
SCROLLED = "() => document.querySelector('[data-testid=stMain]').scrollTop"
IN_THE_PLANE = f"""() => {{
  const [u, plane] = ["{HANDLE}", "{PLANE}"].map((name) => document.querySelector(name).getBoundingClientRect());
  return [u.x - plane.x, u.y - plane.y];
}}"""
ANSWERED = "() => document.querySelector('.st-key-pg_words')?.dataset.live === ''"
STEPS = 12


def touch(cdp, kind, *points):
    cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def stroke(cdp, *ways):
    """One finger along each way, given by its two ends, all at a time."""
    for count in range(1, len(ways) + 1):  # one after the other, as fingers come
        touch(cdp, "touchStart", *[start for start, _ in ways[:count]])
    for i in range(1, STEPS + 1):
        now = [tuple(a + (b - a) * i / STEPS for a, b in zip(*way, strict=True)) for way in ways]
        touch(cdp, "touchMove", *now)
    touch(cdp, "touchEnd")


def middle(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def width(page):
    low, high = page.evaluate(RANGE)
    return high - low


def test_two_fingers_zoom_one_scrolls_and_a_drag_keeps_the_figure(app_address, chromium):
    phone = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
    with browser.tab(chromium, f"{app_address}/playground", **phone) as page:
        page.wait_for_selector(HANDLE)
        page.wait_for_function(ANSWERED)
        browser.settled(page)
        cdp = page.context.new_cdp_session(page)
        full = width(page)
        page.evaluate(MARK)

        x, y = middle(page, PLANE)
        stroke(cdp, ((x - 30, y), (x - 90, y)), ((x + 30, y), (x + 90, y)))
        page.wait_for_function(f"(most) => {{ const r = ({RANGE})(); return r[1] - r[0] < most; }}", arg=0.7 * full)
        page.wait_for_url("**pg_view=*")  # half a second after the last of it
        browser.settled(page)
        near = width(page)
        assert full / 4 < near < full / 1.5, "three times as far apart; the browser smooths what fingers do"
        assert page.evaluate("() => visualViewport.scale") == 1, "the plane is zoomed, not the page"

        before, start = page.locator("[data-testid=stMetricValue]").first.inner_text(), middle(page, HANDLE)
        stroke(cdp, (start, (start[0] - 25, start[1] - 20)))
        page.wait_for_function(
            "before => document.querySelector('[data-testid=stMetricValue]')?.innerText !== before", arg=before
        )
        page.wait_for_function(ANSWERED)
        assert math.dist(middle(page, HANDLE), (start[0] - 25, start[1] - 20)) < 4
        assert width(page) == pytest.approx(near, rel=1e-4), "the zoom is kept"
        assert page.evaluate(MARKED), "and the figure itself"
        assert page.evaluate(SCROLLED) == 0, "a finger on the handle does not scroll"

        left, bottom = x - 120, y + 120
        point = page.evaluate(IN_THE_PLANE)
        stroke(cdp, ((left, bottom), (left, bottom - 200)))
        page.wait_for_function(f"() => ({SCROLLED})() > 100")
        assert width(page) == pytest.approx(near, rel=1e-4)
        assert page.evaluate(IN_THE_PLANE) == pytest.approx(point, abs=1), "u stays where it was"
        assert page.evaluate(MARKED)
        assert not page.script_errors
