"""In Chromium: each page has a title of its own, and its headings descend one level at a time; cold deep links work."""

from __future__ import annotations

import itertools

import pytest

from pages.shared.shell import PAGES
from tests.pages import browser
from tests.pages.browser import settled

pytestmark = pytest.mark.browser
LEVELS = """() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h2, h3, h4, h5, h6)')]
  .map(heading => Number(heading.tagName[1]))"""


def wait_for_the_end(page, entry):
    """Until the page has been drawn once, whole, with the title of `entry`."""
    page.wait_for_function("title => document.title === title", arg=f"{entry.title} · Relucert")
    page.locator("[data-testid=stMain] h1").first.wait_for()
    settled(page)


def levels_descend(page):
    levels = page.evaluate(LEVELS)
    return levels[:1] == [1] and levels.count(1) == 1 and all(b <= a + 1 for a, b in itertools.pairwise(levels))


@pytest.mark.slow  # test_accessible looks at the title and the headings of each page
def test_titles_and_headings(chromium, app_address):
    """One visitor goes through the menu, as most do."""
    with browser.tab(chromium, app_address) as page:
        for entry in PAGES:
            page.get_by_test_id("stSidebarNav").get_by_text(entry.title, exact=True).click()
            wait_for_the_end(page, entry)
            assert levels_descend(page), entry.title
        assert page.script_errors == []


@pytest.mark.slow
def test_titles_and_headings_in_a_lecture_hall(chromium, app_address):
    own = chromium.new_context(viewport={"width": 1280, "height": 720})
    for entry in PAGES:
        with browser.tab_of(own, f"{app_address}/{'' if entry is PAGES[0] else entry.url}?present=1") as page:
            if entry.url == "playground":
                page.locator(".relucert-handle .dot").wait_for()  # the picture and its numbers, no heading
                assert page.title() == f"{entry.title} · Relucert"
            else:
                wait_for_the_end(page, entry)
                assert levels_descend(page), entry.title
    own.close()


def deep_link(chromium, entry, visitors):
    """Visitors of a new server who come by a deep link: no dialog, the whole menu, and the link is kept."""
    with browser.server() as address:
        for _ in range(visitors):
            with browser.tab(chromium, f"{address}/{entry.url}?present=0") as page:
                wait_for_the_end(page, entry)
                menu = page.get_by_test_id("stSidebarNav").inner_text().split("\n")
                assert [line for line in menu if line in {e.title for e in PAGES}] == [e.title for e in PAGES]
                assert page.get_by_role("dialog").count() == 0
                assert page.url.endswith("?present=0")
                assert page.script_errors == []


@pytest.mark.slow  # a server of its own
def test_the_first_two_visitors_of_a_server_may_come_by_a_deep_link(chromium):
    deep_link(chromium, next(entry for entry in PAGES if entry.url == "lesson"), 2)


@pytest.mark.slow  # a server for each
@pytest.mark.parametrize("entry", PAGES[1:], ids=lambda entry: entry.url)
def test_the_first_visitor_of_a_server_may_come_by_any_deep_link(chromium, entry):
    deep_link(chromium, entry, 1)
