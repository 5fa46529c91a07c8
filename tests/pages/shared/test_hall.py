"""The lecture hall's view: its way out, its list of keys, and the code that brings it to phones."""

from __future__ import annotations

import re

import pytest

from pages.shared.hall import KEYS, code_of
from pages.shared.shell import PAGES
from tests.pages import browser

FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def test_every_page_lists_its_keys():
    assert set(KEYS) == {entry.url for entry in PAGES}
    assert all(KEYS.values())


def test_the_code_is_a_square_with_its_three_finders():
    rows = code_of("http://localhost:8501/playground?pg_preset=many&pg_point=0.3~0.2")
    side = len(rows)
    assert {len(row) for row in rows} == {side}
    assert (side - 21) % 4 == 0, "a size of the standard"
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        assert [row[left : left + 7] for row in rows[top : top + 7]] == FINDER
    assert code_of("x" * 5000) == [], "too long for any code: none is shown"
    assert code_of("http://a/?b=1") != code_of("http://a/?b=2")


@pytest.mark.browser
def test_hint_keys_code_and_the_way_out(app_address, chromium):
    link = f"{app_address}/?start_u=0.25~0.2"
    with browser.tab(chromium, f"{link}&present=1", height=720) as page:
        hint = page.get_by_text("Esc leaves this view")
        hint.wait_for()
        hint.wait_for(state="hidden", timeout=8000)
        page.keyboard.press("1")
        page.wait_for_url("**start_u=0.1~0.35*")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        assert "cases (a) and (b) of Figure 1" in dialog.inner_text()
        page.wait_for_function(
            "() => [...document.querySelectorAll('*')].map(n => n.shadowRoot?.querySelector('.qr')?.dataset.address)"
            ".some(a => a?.includes('start_u=0.1~0.35') && !a.includes('present'))"
        )
        path = dialog.locator(".qr path").get_attribute("d")
        address = dialog.locator(".qr").get_attribute("data-address")
        drawn = {(int(x), int(y)) for x, y in re.findall(r"M(\d+),(\d+)h1v1h-1z", path)}
        rows = code_of(address)
        assert drawn == {(x, y) for y, row in enumerate(rows) for x, bit in enumerate(row) if bit == "1"}
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        page.keyboard.press("Escape")
        page.wait_for_function("() => !location.search.includes('present')")
        page.get_by_test_id("stSidebar").wait_for()
        assert not page.script_errors


@pytest.mark.slow
@pytest.mark.browser
def test_a_phone_has_a_button_to_leave_by(app_address, chromium):
    with browser.tab(
        chromium, f"{app_address}/?present=1", width=390, height=844, has_touch=True, is_mobile=True
    ) as page:
        page.get_by_role("button", name="Leave this view").tap()
        page.wait_for_url(lambda address: "present" not in address)
        page.get_by_role("heading", level=1).wait_for()


@pytest.mark.slow
@pytest.mark.browser
def test_the_gallery_on_digits_and_the_slice_on_beyond_fit_the_hall(app_address, chromium):
    over = "main => main.scrollHeight - main.clientHeight"
    with browser.tab(chromium, f"{app_address}/digits?digits_net=mnist-20-20-20&present=1", height=720) as page:
        page.get_by_role("heading", name="Reads 7").wait_for()
        page.get_by_role("button", name="Test image 2, a 1").click()
        page.get_by_role("heading", name="Reads 1").wait_for()
        browser.settled(page)
        assert "digits_image=2" in page.url
        # While methods answer, a bar has a line of its own.
        page.wait_for_function(
            "() => { const m = document.querySelector('[data-testid=stMain]');"
            " return m.scrollHeight - m.clientHeight <= 0; }"
        )
        assert page.get_by_test_id("stMain").evaluate(over) <= 0
        beside = page.locator(".st-key-digits_strip").bounding_box()
        assert beside["x"] > 280, "the gallery stands beside the digit"
        assert beside["y"] + beside["height"] < 370
        browser.walk(page, "/beyond?present=1", "Beyond · Relucert")
        page.get_by_role("heading", name="Reads 7").wait_for()
        slice_, chart = page.locator(".slice canvas").first, page.locator(".js-plotly-plot").first
        slice_.wait_for()
        chart.wait_for()
        browser.settled(page)
        assert slice_.bounding_box()["x"] > chart.bounding_box()["x"] + 500, "one beside the other"
        assert page.get_by_test_id("stMain").evaluate(over) <= 0
