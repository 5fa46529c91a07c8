"""Links: a wish is told from the echo of what a page wrote itself."""

from __future__ import annotations

import pytest

from pages.shared import link as links

A, B, C = {"x": "a"}, {"x": "b"}, {"x": "c"}


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr(links.time, "monotonic", lambda: now[0])
    return now


def test_the_first_link_is_a_wish_and_none_is_not(clock):
    assert links.changed_by_hand("p", A)
    assert not links.changed_by_hand("p", {})


def test_what_the_page_wrote_is_no_wish(clock):
    links.wrote("p", A)
    assert not links.changed_by_hand("p", A)
    assert links.changed_by_hand("p", B)
    assert links.changed_by_hand("other", A)


def test_a_click_before_the_new_address_has_arrived_is_an_echo(clock):
    links.wrote("p", A)
    links.wrote("p", B)
    links.wrote("p", C)
    assert not links.changed_by_hand("p", A)
    assert not links.changed_by_hand("p", B)


def test_the_browsers_back_is_a_wish(clock):
    links.wrote("p", A)
    links.wrote("p", B)
    clock[0] += links.ECHO_SECONDS + 1
    assert links.changed_by_hand("p", A)
    links.wrote("p", C)
    assert not links.changed_by_hand("p", B)
    assert not links.changed_by_hand("p", C)  # the browser knows it now
    assert links.changed_by_hand("p", B)


def test_only_so_many_are_remembered(clock):
    for i in range(40):
        links.wrote("p", {"x": str(i)})
    assert not links.changed_by_hand("p", {"x": "38"})
    assert links.changed_by_hand("p", {"x": "2"})


class Clicked(BaseException):
    """What Streamlit raises in a script whose visitor has clicked."""


class Address(dict):
    """An address of which only so many changes succeed before the visitor clicks."""

    left = 0

    def _change(self) -> None:
        if not self.left:
            raise Clicked
        self.left -= 1

    def update(self, *pairs: object) -> None:
        self._change()
        super().update(*pairs)

    def __delitem__(self, key: str) -> None:
        self._change()
        super().__delitem__(key)


@pytest.mark.parametrize("changes", range(4))
def test_a_click_between_two_changes_of_the_address_is_an_echo(clock, monkeypatch, changes):
    address = Address({"x": "a", "y": "b", "z": "c", "other": "stays"})
    monkeypatch.setattr("streamlit.query_params", address)
    known, wanted = ("x", "y", "z", "w"), {"x": "new", "w": "d"}
    links.wrote("p", {"x": "a", "y": "b", "z": "c"})
    address.left = changes
    if changes < 3:
        with pytest.raises(Clicked):
            links.write("p", wanted, known)
    else:
        links.write("p", wanted, known)
        assert address == {**wanted, "other": "stays"}
    assert not links.changed_by_hand("p", {key: address[key] for key in known if key in address})
    assert links.changed_by_hand("p", {"x": "by hand"})
