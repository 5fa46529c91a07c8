"""Settings by environment: the links of a server's imprint are https or mailto, and shown as text."""

from __future__ import annotations

import pytest

from relucert_core.errors import InvalidInput
from relucert_core.places.settings import ImprintLink, imprint
from tests.pages.helpers import open_page, texts

HTTPS, MAIL = "https://example.org/imprint?lang=en#us", "mailto:us@example.org"


def test_links_are_read():
    assert imprint({}) == ()
    text = f" Imprint = {HTTPS} | Write to us={MAIL} |"
    assert imprint({"RELUCERT_IMPRINT": text}) == (ImprintLink("Imprint", HTTPS), ImprintLink("Write to us", MAIL))


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org",
        f"={HTTPS}",
        "Imprint=http://example.org",
        "Imprint=javascript:alert(1)",
        "Imprint=data:text/html,x",
        "Imprint=https://example.org/a b",
        "Imprint=https://example.org/)![x](https://evil.org/",
        "Imprint=mailto:us",
        "Imprint=//example.org",
    ],
)
def test_other_addresses_are_refused(text):
    with pytest.raises(InvalidInput, match=r"https://\.\.\. or Words=mailto"):
        imprint({"RELUCERT_IMPRINT": text})


def test_the_foot_of_a_page_has_them_as_text(monkeypatch):
    monkeypatch.setenv("RELUCERT_IMPRINT", f"![x](https://evil.org) **Imprint**={HTTPS}")
    at = open_page()
    assert not at.exception
    shown = texts(at)
    assert f"]({HTTPS})" in shown
    assert "**Imprint**" not in shown
    assert "![x](https://evil.org)" not in shown
    monkeypatch.setenv("RELUCERT_IMPRINT", "Imprint=ftp://example.org")
    at = open_page()
    assert not at.exception
    assert "RELUCERT" in at.error[0].value
