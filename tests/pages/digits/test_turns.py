"""First words before pictures."""

from __future__ import annotations

import threading
import time

import pytest

from pages.digits.turns import FirstWords


def test_nobody_waits_where_nobody_comes() -> None:
    words = FirstWords()
    begun = time.monotonic()
    with words.under_way():
        pass
    assert words.let_pass()
    assert time.monotonic() - begun < 0.5


def test_pictures_wait_until_the_last_first_words_stand() -> None:
    words, order = FirstWords(), list[str]()
    there, may = threading.Event(), threading.Event()

    def other() -> None:
        with words.under_way():
            there.set()
            may.wait(10)
            order.append("first words")

    def mine() -> None:
        assert words.let_pass(10)
        order.append("pictures")

    runs = [threading.Thread(target=run) for run in (other, mine)]
    runs[0].start()
    assert there.wait(10)
    runs[1].start()
    time.sleep(0.05)
    assert order == []
    may.set()
    for run in runs:
        run.join(10)
    assert order == ["first words", "pictures"]


def test_a_run_that_was_ended_holds_nobody_up_and_no_wait_is_long() -> None:
    words = FirstWords()
    with pytest.raises(KeyboardInterrupt), words.under_way():
        raise KeyboardInterrupt
    assert words.let_pass()
    with words.under_way():
        assert not words.let_pass(0.01)
