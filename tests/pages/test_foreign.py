"""In Chromium: a stranger's link makes the browser fetch nothing of his, and what he wrote is shown as text."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pages.shared.shell import PAGES
from tests.helpers import rest_slow
from tests.hunt_links import STATES
from tests.pages.browser import settled, tab_of

pytestmark = pytest.mark.browser
HOST = "foreign.invalid"
MARKUP = f"![a](http://{HOST}/x.png) <img src='http://{HOST}/y.png'> [click](http://{HOST}/)"


@pytest.mark.parametrize("entry", rest_slow(PAGES, 1), ids=lambda entry: entry.url)
def test_every_parameter_of_every_page_is_text(entry, chromium, app_address):
    """One page in the quick suite, as all say it in the same way; without a browser `test_links` looks at each."""
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    link = urlencode(dict.fromkeys(STATES[entry.url].parameters.values(), MARKUP))
    with tab_of(context, f"{app_address}/{'' if entry is PAGES[0] else entry.url}?{link}") as page:
        sentence = page.get_by_text("The link was put right").first
        sentence.wait_for()
        settled(page)
        assert f"![a](http:\u2060//{HOST}" in sentence.inner_text()
        assert page.locator(f"[src*='{HOST}'], [href*='{HOST}']").count() == 0
        assert page.script_errors == []
    context.close()
    assert app_address in asked[0]
    assert [url for url in asked if f"//{HOST}" in url.partition("?")[0]] == []
