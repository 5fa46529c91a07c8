"""Back and Forward in Chromium: each view is one step, on every page; reload and sharing keep the view."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.pages.browser import settled, tab_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a walk takes half a minute, there and back
SMALL = "digits_net=mnist-20-20-20"


@pytest.fixture(scope="module")
def context(chromium):
    """One visitor for all walks."""
    own = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield own
    own.close()


def query(page: Any) -> str:
    return page.url.partition("?")[2]


class Walk:
    """Acts on a page, expects one new entry of the history for each act, and walks through them afterwards."""

    def __init__(self, page: Any, shown: Callable[[Any], str]) -> None:
        self.page, self.shown = page, shown
        settled(page)
        self.views = [(query(page), shown(page))]

    def act(self, act: Callable[[], Any]) -> None:
        """Do it; the view and its link are new, and the history is longer by one."""
        before, length = self.views[-1], self.page.evaluate("history.length")
        act()
        self.page.wait_for_function("old => location.search.slice(1) !== old", arg=before[0])
        settled(self.page)
        self.views.append((query(self.page), self.shown(self.page)))
        assert self.views[-1] != before
        assert self.page.evaluate("history.length") == length + 1

    def expect(self, view: tuple[str, str]) -> None:
        """Wait until this view is there."""
        link, shown = view
        for _ in range(300):
            if query(self.page) == link and self.shown(self.page) == shown:
                break
            self.page.wait_for_timeout(100)
        settled(self.page)
        assert (query(self.page), self.shown(self.page)) == view

    def there_and_back(self) -> None:
        """Back through all views, forward again, and a reload of the last one."""
        for view in self.views[-2::-1]:
            self.page.go_back()
            self.expect(view)
        for view in self.views[1:]:
            self.page.go_forward()
            self.expect(view)
        self.page.reload()
        self.expect(self.views[-1])
        assert self.page.script_errors == []


def lit(page: Any) -> str:
    """The chosen button of the first group."""
    buttons = page.get_by_test_id("stButtonGroup").first.locator("button")
    return str(
        buttons.evaluate_all(
            "all => all.filter(b => b.ariaChecked === 'true' || b.ariaPressed === 'true' "
            "|| /Active$/.test(b.getAttribute('kind'))).map(b => b.innerText).join()"
        )
    )


def choose(page: Any, text: str) -> Callable[[], Any]:
    return lambda: page.get_by_test_id("stButtonGroup").first.get_by_text(text, exact=True).click()


def test_experiments(context, app_address):
    with tab_of(context, f"{app_address}/experiments") as page:
        page.get_by_text("What the paper shows").first.wait_for()
        walk = Walk(page, lit)
        walk.act(choose(page, "Figure 2a"))
        walk.act(choose(page, "Table 1"))
        walk.there_and_back()


def test_lesson(context, app_address):
    with tab_of(context, f"{app_address}/lesson") as page:
        page.get_by_text("Step 1 of").wait_for()

        def shown(page: Any) -> str:
            point = page.get_by_label("x₁ of u").last.input_value()
            return f"{page.get_by_text(re.compile('^Step [0-9]+ of')).inner_text()} {point}"

        walk = Walk(page, shown)
        walk.act(page.get_by_role("button", name="Next").click)
        walk.act(page.get_by_role("button", name="Show me").click)
        box = page.locator(".plane svg").bounding_box()
        walk.act(lambda: page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"]))
        walk.act(lambda: drag(page, ".plane .relucert-handle", -80, 60))
        walk.there_and_back()


def drag(page: Any, selector: str, dx: float, dy: float) -> None:
    """Drag in many small moves: one step of the history all the same."""
    box = page.locator(selector).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=25)
    page.mouse.up()


def test_start(context, app_address):
    with tab_of(context, app_address) as page:
        page.locator(".live .relucert-handle").wait_for()
        page.get_by_text("A real digit, certified").wait_for()

        def shown(page: Any) -> str:
            return str(page.locator(".live .relucert-handle").get_attribute("aria-label"))

        walk = Walk(page, shown)
        walk.act(page.locator(".live button.b").click)
        walk.act(lambda: drag(page, ".live .relucert-handle", 60, -30))
        walk.there_and_back()


def test_digits(context, app_address):
    with tab_of(context, f"{app_address}/digits?{SMALL}") as page:
        page.get_by_text("After Singla and Feizi").wait_for()

        def shown(page: Any) -> str:
            pressed = page.locator(".strip button[aria-pressed='true']")
            return f"{lit(page)} {pressed.evaluate_all('all => all.map(b => b.dataset.index).join()')}"

        page.locator(".strip button[aria-pressed='true']").wait_for()
        walk = Walk(page, shown)
        walk.act(page.locator(".strip button[data-index='4']").click)
        walk.act(choose(page, "Upload"))
        walk.there_and_back()


def test_beyond(context, app_address):
    with tab_of(context, f"{app_address}/beyond") as page:
        page.locator(".slice canvas.over").first.wait_for()
        page.get_by_text("After Singla and Feizi").wait_for()

        def shown(page: Any) -> str:
            return f"{lit(page)} {page.locator('h1, h2, h3').nth(1).inner_text()}"

        walk = Walk(page, shown)
        walk.act(choose(page, "Why the certificate is small"))
        walk.act(choose(page, "What the exact answer looks like"))
        page.locator(".slice canvas.over").first.focus()
        walk.act(lambda: page.keyboard.press("+"))
        walk.there_and_back()


def test_playground(context, app_address):
    with tab_of(context, f"{app_address}/playground") as page:
        page.locator(".relucert-handle .dot").wait_for()

        def shown(page: Any) -> str:
            x, y = (page.get_by_label(name).last.input_value() for name in ("u, x", "u, y"))
            return f"{lit(page)} {x} {y}"

        walk = Walk(page, shown)
        walk.act(lambda: drag(page, ".relucert-handle .dot", -90, 40))
        walk.act(choose(page, "Plain"))
        page.wait_for_selector("input[type=range][aria-label^=Time]")
        settled(page)
        walk.act(lambda: scrub(page))
        walk.act(lambda: drag(page, ".relucert-handle .dot", 50, 30))
        walk.there_and_back()


def scrub(page: Any) -> None:
    """Drag the time handle: one step."""
    handle = page.locator("input[type=range][aria-label^=Time]")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, height)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], height, steps=20)
    page.mouse.up()


def test_the_menu_is_one_step_too_and_finds_the_view_as_it_was(context, app_address):
    with tab_of(context, f"{app_address}/experiments") as page:
        menu = page.get_by_test_id("stSidebarNav")
        page.get_by_text("What the paper shows").first.wait_for()
        walk = Walk(page, lit)
        walk.act(choose(page, "Table 1"))
        menu.get_by_text("Lesson").click()
        page.get_by_text("Step 1 of").wait_for()
        menu.get_by_text("Experiments").click()
        page.wait_for_url("**/experiments?experiments_show=table-1")
        assert page.evaluate("history.length") == 5  # blank, experiments, table 1, lesson, table 1
        page.go_back()
        page.get_by_text("Step 1 of").wait_for()
        page.go_back()
        page.get_by_text("What the paper shows").first.wait_for()
        walk.expect(walk.views[-1])
