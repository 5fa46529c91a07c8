"""The experiments page in headless Chromium: marks that are looked at and clicked, a run stopped and gone on with."""

from __future__ import annotations

import contextlib
import re

import pytest

from relucert_core.experiments.store import shipped_record
from tests.pages import browser

pytestmark = pytest.mark.browser
OWN = "Show this machine's run instead of the stored one"


def test_a_mark_shows_its_digit_and_a_click_opens_it(chromium, app_address):
    panel = shipped_record("figure-2a").panels[0]
    with browser.tab(chromium, f"{app_address}/experiments?experiments_show=Figure+2a") as page:
        chart = f".st-key-experiments_figure-2a-{panel.network} .js-plotly-plot"
        mark = page.locator(f"{chart} .scatterlayer .point").nth(40)
        mark.wait_for()
        box = mark.bounding_box()
        picture = page.locator(f"{chart} .relucert-mark-digit")
        for _ in range(40):  # the listener comes a moment after the chart
            page.mouse.move(box["x"] - 9, box["y"] - 40)
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_timeout(250)
            if picture.count() and picture.is_visible():
                break
        assert picture.get_attribute("src").startswith("data:image/png")
        words = page.locator(f"{chart} .hoverlayer").text_content()
        image = int(re.search(r"image (\d+):", words).group(1))
        page.mouse.down()
        page.mouse.up()
        page.wait_for_url(re.compile(r"/digits\?"))
        page.wait_for_url(lambda url: f"digits_image={image}" in url and f"digits_net={panel.network}" in url)
        assert not page.script_errors


def test_a_run_is_shown_as_it_comes_can_be_stopped_and_goes_on(chromium, app_address):
    late, many = pytest.importorskip("playwright.sync_api").TimeoutError, "experiments_images_figure-2a=30"
    with browser.tab(chromium, f"{app_address}/experiments?experiments_show=Figure+2a&{many}") as page:
        page.get_by_text("Run it again on this machine").click()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text(re.compile(r"This machine's own run: [1-9]\d? of 30 images")).wait_for()
        stop, switch = page.get_by_role("button", name="Stop", exact=True), page.get_by_text(OWN)
        for _ in range(6):  # a press that meets the page just as it is drawn anew with another image is lost
            if stop.count():
                stop.click()  # there is one
            with contextlib.suppress(late):
                switch.wait_for(timeout=10_000)
                break
        page.get_by_role("button", name="Go on", exact=True).wait_for()
        page.get_by_text(re.compile(r"This machine's own run: [1-9]\d? of 30 images")).wait_for()
        switch.wait_for()
        assert not page.script_errors
