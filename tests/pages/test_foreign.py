"""In Chromium: a stranger's link makes the browser fetch nothing of his, and what he wrote is shown as text."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pages.shared.shell import PAGES
from tests.hunt_links import STATES
from tests.pages.browser import settled, tab_of

pytestmark = pytest.mark.browser
HOST = "foreign.invalid"
MARKUP = f"![a](http://{HOST}/x.png) <img src='http://{HOST}/y.png'> [click](http://{HOST}/)"


def test_every_parameter_of_every_page_is_text(chromium, app_address):
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    for entry in PAGES:
        state = STATES[entry.url]
        link = urlencode(dict.fromkeys(state.parameters.values(), MARKUP))
        with tab_of(context, f"{app_address}/{'' if entry is PAGES[0] else entry.url}?{link}") as page:
            sentence = page.get_by_text("The link was put right").first
            sentence.wait_for()
            settled(page)
            assert f"![a](http:\u2060//{HOST}" in sentence.inner_text(), entry.title
            assert page.locator(f"[src*='{HOST}'], [href*='{HOST}']").count() == 0, entry.title
            assert page.script_errors == []
    context.close()
    assert app_address in asked[0]
    assert [url for url in asked if f"//{HOST}" in url.partition("?")[0]] == []
