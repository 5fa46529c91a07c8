"""One state for a page: a wish is told from the echo of what the page wrote itself; one write is one new address."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pages.shared import state as module
from pages.shared.fields import number, switch
from pages.shared.state import PageState
from relucert_core.ranges import Range


@dataclass(frozen=True)
class Fields:
    """Two fields."""

    n: int = number(0, Range(0, 9, whole=True), "n")
    on: bool = switch("On")


class Address(dict):
    """The browser's address as a run of the script sees it, and how often it was written."""

    writes = 0

    def from_dict(self, link):
        self.writes += 1
        self.clear()
        self.update(link)


@pytest.fixture
def browser(monkeypatch):
    """The address, a clock, and whether the run comes from Back or Forward."""
    address = Address()
    address.now, address.back = 100.0, False
    address.mounted = []
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("streamlit.query_params", address)
    monkeypatch.setattr("streamlit.warning", lambda *_, **__: None)
    monkeypatch.setattr(module.time, "monotonic", lambda: address.now)
    monkeypatch.setattr(module, "_went_back_or_forward", lambda: address.back)
    monkeypatch.setattr(module, "_ADDRESS", lambda key, data: address.mounted.append(data))
    return address


PAGE, OTHER = PageState("page", Fields, "p_"), PageState("other", Fields, "o_")


def run(browser, link=None, change=None, *, back=False, page=PAGE):
    """One run of the script: the message's address, a click's change, and what is shown then."""
    if link is not None:
        browser.clear()
        browser.update(link)
    browser.back = back
    if change:
        page.change(**change)
    page.open()
    page.write()
    return page.now.n


def test_the_first_link_is_taken_and_a_click_writes_once(browser):
    assert run(browser, {"p_n": "3", "stray": "x"}) == 3
    assert browser.writes == 0, "the address says it already"
    assert run(browser, change={"n": 4}) == 4
    assert browser == {"p_n": "4"}
    assert browser.writes == 1
    assert run(browser) == 4
    assert browser.writes == 1


def test_a_click_before_the_new_address_has_arrived_is_an_echo(browser):
    run(browser, {})
    run(browser, {}, {"n": 1})
    assert run(browser, {}, {"n": 2}) == 2
    assert run(browser, {"p_n": "1"}, {"on": True}) == 2
    assert browser["p_n"] == "2"
    writes = browser.writes
    assert run(browser, {"p_n": "1"}) == 2, "the browser was told already"
    assert browser.writes == writes


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_back_is_a_wish_at_once(browser, seconds):
    run(browser, {})
    run(browser, {}, {"n": 1})
    run(browser, {"p_n": "1"}, {"n": 2})
    browser.now += seconds
    assert run(browser, {"p_n": "1"}, back=True) == 1
    assert run(browser, {}, back=True) == 0, "the first view, whose link is empty"
    assert run(browser, {"p_n": "2"}, back=True) == 2
    assert browser.writes == 2


def test_a_prepared_link_is_a_wish(browser):
    run(browser, {})
    run(browser, {}, {"n": 1})
    assert run(browser, {"p_n": "7"}) == 7


def test_the_menu_finds_the_view_as_it_was_and_replaces_the_entry(browser):
    run(browser, {})
    run(browser, {}, {"n": 5})
    run(browser, {}, page=OTHER)
    writes = browser.writes
    assert run(browser, {}) == 5
    assert browser.writes == writes
    assert browser.mounted[-1]["new"] == "?p_n=5"
    assert run(browser, {"p_n": "5"}, {"n": 6}) == 6
    assert browser == {"p_n": "6"}


def test_what_is_out_of_range_is_put_right_with_one_sentence(browser, monkeypatch):
    said = []
    monkeypatch.setattr("streamlit.warning", lambda text, **_: said.append(text))
    assert run(browser, {"p_n": "9" * 310, "p_on": "![a](http://x)"}) == 9
    assert len(said) == 1
    assert "http://" not in said[0]
    assert browser == {"p_n": "9"}
    assert run(browser) == 9
    assert len(said) == 1


def test_present_stays_in_the_address(browser):
    run(browser, {"present": "1"})
    run(browser, change={"n": 2})
    assert browser == {"present": "1", "p_n": "2"}


def test_a_drag_under_way_writes_nothing(browser):
    run(browser, {})
    for n in (1, 2, 3):
        PAGE.change(n=n)
        PAGE.open()
        PAGE.write(under_way=True)
    assert browser.writes == 0
    PAGE.write()
    assert browser.writes == 1
    assert browser == {"p_n": "3"}


def test_an_answer_that_was_lost_is_sent_again_a_few_times(browser):
    run(browser, {})
    run(browser, change={"n": 4})
    new, old = dict(browser), {}
    sent = browser.writes

    def tick(link):
        browser.clear()
        browser.update(link)
        return PAGE.lost()

    assert not tick(old), "it may be under way"
    for more in range(1, 4):
        browser.now += module.LOST_SECONDS + 0.1
        assert tick(old)
        run(browser, old)
        assert PAGE.now.n == 4
        assert browser.writes == sent + more
    browser.now += 100
    assert not tick(old), "this browser does not take it"
    run(browser, new, change={"n": 5})
    assert not tick(browser.copy())
    browser.now += 100
    assert not tick(old), "it has had the address once: this is no loss"
