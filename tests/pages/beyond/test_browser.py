"""Beyond in a browser: the digit under the pointer, the morph, zooming by key, stopping a search, and a phone."""

from __future__ import annotations

import re

import pytest

from tests.pages.browser import sized, tab, walk

pytestmark = pytest.mark.browser
WORDS = ".slice .words"
LARGE = "?beyond_net=mnist-1024-512&digits_image=0&beyond_zoom=0.1"


def opened(page):
    page.wait_for_selector(".slice canvas.over")
    page.wait_for_timeout(500)
    return page


def told(page, text: str) -> None:
    """Wait until the line beside the picture says so."""
    page.locator(WORDS).first.filter(has_text=text).wait_for()


@pytest.fixture(scope="module")
def page(chromium, app_address):
    """One tab for the tests that look at it in the usual size."""
    with tab(chromium, f"{app_address}/beyond") as first:
        opened(first)
        yield first


def test_the_pointer_shows_the_digit_and_what_it_is_read_as(page):
    walk(page, "/beyond", "Beyond · Relucert")
    opened(page)
    told(page, "At the centre: the digit, read as 7.")
    canvas = page.locator(".slice canvas.over").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    told(page, "0.4 away in this plane, read as 3")
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    told(page, "Under the pointer")
    for key in "++-+":  # quick steps, of which Python may see the last alone: 0.5 to 0.1
        page.keyboard.press(key)
    page.wait_for_url("**beyond_zoom=0.1**")
    assert page.script_errors == []


def test_the_morph_ends_where_the_answer_changes(page):
    walk(page, "/beyond", "Beyond · Relucert")
    opened(page)
    told = page.locator(".morph output")
    told.filter(has_text="0.194 from the digit, read as 3").wait_for()
    page.locator(".morph input").fill("0")
    told.filter(has_text=re.compile("^0 from the digit, read as 7$")).wait_for()


def test_a_search_is_stopped_by_hand(page):
    walk(page, f"/beyond{LARGE}", "Beyond · Relucert")
    opened(page)
    main = page.locator("[data-testid=stMain]")
    main.get_by_role("button", name="Start").click()
    main.get_by_text("pieces of the ball,").first.wait_for()
    main.get_by_role("button", name="Stop").click()
    main.get_by_text("stopped by hand").first.wait_for()
    main.get_by_role("heading", name="Reads 7. Safe to 0.680; fooled at 0.742 (L2).").wait_for()
    assert page.script_errors == []


def test_nothing_is_wider_than_a_phone(page):
    with sized(page, 390, 844):
        walk(page, "/beyond", "Beyond · Relucert")
        opened(page)
        page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollWidth <= 390")


def test_the_lecture_view_needs_no_scrolling(page):
    with sized(page, 1280, 720):
        for query in ("?present=1", f"{LARGE}&present=1&beyond_show=slice"):
            walk(page, f"/beyond{query}", "Beyond · Relucert")
            page.locator(".morph canvas, .slice canvas.over").first.wait_for()
            page.locator("[data-test-script-state='notRunning']").wait_for()
            page.wait_for_timeout(700)
            page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollHeight <= 720")
