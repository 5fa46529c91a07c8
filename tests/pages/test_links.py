"""No link takes a page down: those that once did, and some odd ones for every page (a long hunt: hunt_links)."""

from __future__ import annotations

import itertools

import pytest

from tests import hunt_links as hunt
from tests.helpers import quick_and_slow
from tests.pages.helpers import open_page


@pytest.fixture
def soon():
    with hunt.impatient():
        yield


@pytest.mark.parametrize(("page", "link"), hunt.KNOWN, ids=lambda value: str(value)[:40])
def test_links_that_took_a_page_down_are_put_right(page, link, soon):
    at = hunt.opened(page, link)
    assert hunt.wrong_with(at, link) == ""
    fine = link.get("pg_epochs") == "3000" or link.get("pg_size") == "5000" or link.get("pg_noise") == "0.6"
    assert len(at.warning) == (not fine), "what was put right is said in one sentence; these three are in range now"


@pytest.mark.parametrize("links", quick_and_slow(15, 300))
def test_some_odd_links(links, soon):
    sessions = {}
    for page, link in itertools.islice(hunt.random_links(11), links):
        at = hunt.opened(page, link, sessions.get(page))
        assert hunt.wrong_with(at, link) == "", (page, link)
        sessions[page] = at


@pytest.mark.parametrize("page", list(hunt.STATES))
def test_what_a_stranger_wrote_is_text(page, soon):
    """Every parameter holds a picture of his: it is named in a sentence, and no address of his is whole anywhere."""
    markup = "![a](http://foreign.invalid/x.png) <img src='http://foreign.invalid/y.png'>"
    at = open_page(page, **dict.fromkeys(hunt.STATES[page].parameters.values(), markup))
    assert not at.exception
    said = "\n".join(
        str(one.value) for kind in (at.warning, at.markdown, at.caption, at.info, at.error) for one in kind
    )
    assert "http\\:\u2060\\/\\/foreign" in said
    assert "http://foreign.invalid" not in said
