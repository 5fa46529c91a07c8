"""In Chromium: each page has a title of its own, and its headings descend one level at a time; cold deep links work."""

from __future__ import annotations

import itertools

import pytest

from pages.shared.shell import PAGES
from tests.pages import browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # minutes in all: run with -m slow on a quiet machine
LEVELS = """() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h2, h3, h4, h5, h6)')]
  .map(heading => Number(heading.tagName[1]))"""
ADDRESS = {entry: "" if entry is PAGES[0] else entry.url for entry in PAGES}


def wait_for_the_end(page):
    """Until the page has been drawn once, whole."""
    page.locator("[data-testid=stMain] h1").first.wait_for()
    page.wait_for_timeout(500)
    page.locator("[data-test-script-state='notRunning']").wait_for(state="attached")


@pytest.mark.parametrize("query", ["", "?present=1"])
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url)
def test_title_and_headings(chromium, app_address, entry, query):
    with browser.tab(chromium, f"{app_address}/{ADDRESS[entry]}{query}") as page:
        if query and entry.url == "playground":
            page.locator(".relucert-handle .dot").wait_for()  # the lecture view is the picture and its numbers
        else:
            wait_for_the_end(page)
            levels = page.evaluate(LEVELS)
            assert levels[0] == 1
            assert levels.count(1) == 1
            assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        page.wait_for_function("title => document.title === title", arg=f"{entry.title} · Relucert")


@pytest.mark.parametrize("entry", PAGES[1:], ids=lambda entry: entry.url)
def test_the_first_visitor_of_a_server_may_come_by_a_deep_link(chromium, entry):
    """And the second one too: no dialog, the whole menu, and the link is kept."""
    with browser.server() as address:
        for _ in range(2):
            with browser.tab(chromium, f"{address}/{entry.url}?present=0") as page:
                wait_for_the_end(page)
                assert page.title() == f"{entry.title} · Relucert"
                menu = page.get_by_test_id("stSidebarNav").inner_text().split("\n")
                assert [line for line in menu if line in {e.title for e in PAGES}] == [e.title for e in PAGES]
                assert page.get_by_role("dialog").count() == 0
                assert page.url.endswith("?present=0")
                assert page.script_errors == []
