"""The page `lesson` in headless Chromium: it is turned by keys and dragged, and fits the hall and the phone."""

from __future__ import annotations

import re

import pytest

import relucert_core as rc
from pages.lesson import formulas
from pages.lesson.steps import STEPS
from relucert_core.experiments.lesson import LESSON_POINT, lesson_network, walk
from tests.pages import browser

pytestmark = pytest.mark.browser
NUMBERS = range(1, len(STEPS) + 1)
LOOK = """() => {
const all = (selector) => [...document.querySelectorAll(selector)];
const boxes = all('.katex-display, .stMarkdown p, .stBidiComponent').map(e => e.getBoundingClientRect());
const letters = all('.stMarkdown p, .stMarkdown li, h4, .katex').filter(e => e.textContent.trim());
const main = document.querySelector('[data-testid=stMain]');
return {
  bottom: Math.max(...boxes.filter(r => r.width).map(r => r.bottom)),
  letter: Math.min(...letters.map(e => parseFloat(getComputedStyle(e).fontSize))),
  scroll: main.scrollHeight - main.clientHeight,
  errors: all('.katex-error').length,
  wide: all('.katex-display').filter(e => e.scrollWidth > e.clientWidth + 3).length,
}}"""
LOOK_AT_PICTURE = """svg => {
const all = (selector) => [...svg.querySelectorAll(selector)];
const lines = all('[stroke]').filter(e => e.tagName !== 'text' && !e.closest('.relucert-handle'));
const widths = lines.map(e => +(e.getAttribute('stroke-width') ?? 9));
return {
  bottom: svg.getBoundingClientRect().bottom,
  letter: Math.min(...all('text').filter(e => e.textContent).map(e => parseFloat(getComputedStyle(e).fontSize))),
  line: Math.min(...widths.filter(width => width > 0.6)),  // 0.6: the rims of tinted areas, in their own colour
}}"""


def settled(page, number: int) -> None:
    page.get_by_text(f"Step {number} of {len(STEPS)}").wait_for()
    page.locator(".lesson svg").wait_for()


def z_of_first_layer(page) -> str:
    return page.locator(".katex-display").first.inner_text()


TITLE = "Lesson · Relucert"


@pytest.fixture(scope="module")
def page(chromium, app_address):
    """One tab for the tests that look at it in the usual size."""
    with browser.tab(chromium, f"{app_address}/lesson") as opened:
        settled(opened, 1)
        yield opened


def test_steps_turn_by_keyboard(page):
    browser.walk(page, "/lesson", TITLE)
    settled(page, 1)
    page.keyboard.press("ArrowRight")
    settled(page, 2)
    page.get_by_role("button", name="Show me").wait_for()
    page.keyboard.press("PageDown")
    page.wait_for_url("**shown=1**")
    page.locator(".katex-display").first.wait_for()
    page.keyboard.press("PageDown")
    settled(page, 3)
    page.keyboard.press("ArrowLeft")
    settled(page, 2)
    page.keyboard.press("PageUp")
    settled(page, 1)
    page.wait_for_url(lambda url: "step=" not in url)  # the first step is what a bare link means
    assert page.script_errors == []


def test_dragging_u_changes_the_matrices(page):
    browser.walk(page, "/lesson?step=3&shown=1", TITLE)
    settled(page, 3)
    page.locator(".katex-display").first.wait_for()
    before = z_of_first_layer(page)
    box = page.locator(".lesson svg").bounding_box()
    at = [box["x"] + box["width"] * (3 - 0.4) / 6, box["y"] + box["height"] * (3 + 0.6) / 6]
    page.mouse.move(*at)
    page.mouse.down()
    for i in range(1, 21):
        page.mouse.move(at[0] + i * box["width"] * 0.02, at[1])
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_url(re.compile(r"lesson_u=(1\.9|2)"))
    point = tuple(float(v) for v in re.search(r"lesson_u=([-\d.]+)(?:%2C|,)([-\d.]+)", page.url).groups())
    assert abs(point[0] - 2.0) < 0.05
    theta = formulas.num(walk(lesson_network(), point).layers[0].values[0])
    page.locator(".katex-display").first.get_by_text(theta, exact=True).first.wait_for()
    assert z_of_first_layer(page) != before
    page.keyboard.press("r")
    page.wait_for_url(lambda url: "lesson_u" not in url)
    assert page.script_errors == []


def test_the_circle_on_the_screen_is_the_certified_one(page):
    browser.walk(page, "/lesson?step=12&shown=1", TITLE)
    settled(page, 12)
    shapes = page.locator(".lesson svg").evaluate(
        """svg => [...svg.querySelectorAll('circle[fill-opacity]')].filter(c => c.style.display === '')
        .map(c => 6 * c.getAttribute('r') / svg.getAttribute('width'))"""
    )
    assert shapes == [pytest.approx(rc.certify(lesson_network(), LESSON_POINT).radius, rel=1e-6)]
    handle = page.locator(".relucert-handle")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**lesson_u=-0.35**")
    settled(page, 12)


@pytest.mark.slow
def test_lecture_view_of_every_step_fits(chromium, app_address):
    with browser.tab(chromium, f"{app_address}/lesson?present=1", height=720) as page:
        for number in NUMBERS:
            browser.walk(page, f"/lesson?present=1&step={number}&shown=1", TITLE)
            settled(page, number)
            page.locator(".katex-display").first.wait_for()
            page.wait_for_timeout(300)
            seen, drawn = page.evaluate(LOOK), page.locator(".lesson svg").evaluate(LOOK_AT_PICTURE)
            assert max(seen["bottom"], drawn["bottom"]) <= 720, (number, seen, drawn)
            assert min(seen["letter"], drawn["letter"]) >= 20, (number, seen, drawn)
            assert drawn["line"] >= 3, (number, drawn)
            assert (seen["scroll"], seen["errors"], seen["wide"]) == (0, 0, 0), (number, seen)
        assert page.script_errors == []


def test_on_a_phone_only_the_formulas_scroll_sideways(chromium, app_address):
    with browser.tab(chromium, f"{app_address}/lesson", width=390, height=844, has_touch=True) as page:
        for number in (1, 5, 9, 15):
            browser.walk(page, f"/lesson?step={number}&shown=1", TITLE)
            settled(page, number)
            page.locator(".katex-display").first.wait_for()
            assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 1
            out = page.evaluate(
                "[...document.querySelectorAll('.katex-display, .stMarkdown, h1, h4')]"
                ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
            )
            assert out == 0
