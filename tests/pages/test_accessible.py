"""In Chromium: axe and the contrast of every word on all pages, in light and dark, at rest and driven; keys in view.

axe says what is wrong with roles, names, order and places of focus; contrast is computed from styles (`contrast.py`),
as axe passes what is disabled, hovered or cut off.
"""

from __future__ import annotations

import itertools

import pytest

from pages.shared.shell import PAGES
from tests.pages import browser
from tests.pages.contrast import pale

pytestmark = pytest.mark.browser
OPEN = """() => document.querySelectorAll("[data-testid=stExpander] details:not([open]) > summary")
  .forEach((one) => one.click())"""
LEVELS = """() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h2, h3, h4, h5, h6)')]
  .map((heading) => Number(heading.tagName[1]))"""
FOCUS = """() => { const one = document.activeElement, style = getComputedStyle(one);
  return [one.dataset.testid, style.outlineStyle, parseFloat(style.outlineWidth), style.outlineColor]; }"""
VIEWS = {  # of other pages their plain address
    "start": "/",
    "playground": "/playground?pg_epoch=x",
    "lesson": "/lesson?step=4",
    "digits": "/digits?digits_net=mnist-20-20-20",
}


def faults(page) -> list[str]:
    """What axe calls serious or worse, headings out of order, and pale words."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], "elementRef": False}).response["violations"]
    grave = [v for v in found if v["impact"] in ("serious", "critical") or v["id"] == "heading-order"]
    words = [f"{v['id']}: {v['nodes'][0]['html'][:300]}" for v in grave]
    levels = page.evaluate(LEVELS)
    if levels[:1] != [1] or levels.count(1) != 1 or any(b > a + 1 for a, b in itertools.pairwise(levels)):
        words.append(f"headings {levels}")
    return words + pale(page)


def wait_for_the_end(page) -> None:
    page.get_by_text("After Singla and Feizi").wait_for(timeout=2 * browser.PATIENCE)
    browser.settled(page)


def drive_playground(page, found) -> None:
    """Hover over buttons, and give a file that cannot be read."""
    assert page.get_by_role("button", name="Step", exact=True).is_disabled()
    for name in ("Train again", "Rewind"):
        page.get_by_role("button", name=name).hover()
        page.wait_for_timeout(300)
        found[f"{name} hovered"] = pale(page)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "p.csv", "mimeType": "text/csv", "buffer": b"1,2,3,4\n"}
    )
    page.get_by_text("Line 1 has 4 values").wait_for()
    browser.settled(page)
    found["an error"] = pale(page)


def drive_lesson(page, found) -> None:
    """A wrong answer, and the answer."""
    page.get_by_role("button", name="Show me").click()
    page.get_by_test_id("stAlertContentInfo").wait_for()
    browser.settled(page)
    found["an answer"] = faults(page)


GROUND = {"dark": "rgb(15, 19, 26)", "light": "rgb(255, 255, 255)"}


def drive_digits(page, found) -> None:
    """The figures have the colours of the page."""
    ground, paper = browser.ground_and_paper(page)
    found["colours"] = [] if ground == GROUND[scheme_of(page)] and paper.startswith(ground[:-1]) else [ground, paper]


def scheme_of(page) -> str:
    return "dark" if page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches") else "light"


RING = {"dark": "rgb(122, 167, 255)", "light": "rgb(36, 89, 196)"}


def drive_start(page, found) -> None:
    """Tab through the menu: what has the focus without a ring of the theme's colour."""
    page.get_by_test_id("stSidebarNavLink").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")  # the keyboard brought it here, so it has to be seen
    seen = []
    for _ in PAGES:
        seen.append(page.evaluate(FOCUS))
        page.keyboard.press("Tab")
    wanted = ["stSidebarNavLink", "solid", 3, RING[scheme_of(page)]]
    found["the menu by keyboard"] = [one for one in seen if one != wanted]


DRIVEN = {"start": drive_start, "playground": drive_playground, "lesson": drive_lesson, "digits": drive_digits}


@pytest.fixture(scope="module", params=["dark", pytest.param("light", marks=pytest.mark.slow)])
def page(request, app_address, chromium):
    """One tab for all pages, as a visitor has it who walks through the app: a fifth of the work of a tab for each."""
    with browser.tab(chromium, app_address, color_scheme=request.param) as opened:
        wait_for_the_end(opened)
        yield opened


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url)
def test_axe_contrast_headings_and_focus(entry, page):
    found = {}
    browser.walk(page, VIEWS.get(entry.url, f"/{entry.url}"), f"{entry.title} · Relucert")
    wait_for_the_end(page)
    page.evaluate(OPEN)
    page.wait_for_timeout(300)
    browser.settled(page)
    found["all open"] = faults(page)
    if entry.url in DRIVEN:
        DRIVEN[entry.url](page, found)
    assert page.script_errors == []
    assert not {state: words for state, words in found.items() if words}
