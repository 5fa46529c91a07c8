"""AA everywhere: text against its ground in light and dark, with disabled, hovered and warning states."""

from __future__ import annotations

import pytest

from tests.pages import browser
from tests.pages.contrast import pale

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_every_word_stands_out_in_every_state(scheme, app_address, chromium):
    found = {}
    with browser.tab(chromium, f"{app_address}/playground?pg_epoch=x", color_scheme=scheme) as page:
        page.get_by_text("The link was put right").wait_for()
        page.get_by_text("Case (", exact=False).first.wait_for()
        page.get_by_role("button", name="Step", exact=True).wait_for()
        browser.settled(page)
        assert page.get_by_role("button", name="Step", exact=True).is_disabled()
        found["at rest, with a warning and disabled buttons"] = pale(page)
        for name in ("Train again", "Rewind"):
            page.get_by_role("button", name=name).hover()
            page.wait_for_timeout(400)
            found[f"{name} hovered"] = pale(page)
        page.get_by_text("Data", exact=True).click()
        page.get_by_text("A click").first.wait_for(state="attached")
        page.locator("[data-testid=stFileUploaderDropzone]").first.wait_for()
        page.locator("input[type=file]").first.set_input_files(
            {"name": "p.csv", "mimeType": "text/csv", "buffer": b"1,2,3,4\n"}
        )
        page.get_by_text("Line 1 has 4 values").wait_for()
        browser.settled(page)
        found["an error"] = pale(page)
        page.goto(f"{app_address}/lesson?step=4")
        page.get_by_role("button", name="Check my answer").wait_for()
        browser.settled(page)
        found["a question"] = pale(page)
        page.get_by_role("button", name="Show me").click()
        page.get_by_test_id("stAlertContentInfo").wait_for()
        browser.settled(page)
        found["an answer"] = pale(page)
    assert not {state: words for state, words in found.items() if words}
