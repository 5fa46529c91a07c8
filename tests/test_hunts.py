"""A little of each hunt with the other tests, and all of it with the slow ones."""

from __future__ import annotations

import pytest

from tests import hunt_best, hunt_commands, hunt_law


def test_the_law_holds_and_no_method_fails():
    found = hunt_law.hunt(2, seed=0)
    assert not found.faults, "\n".join(found.faults[:5])
    assert found.positive > 10
    assert found.attacks > 10


def test_odd_command_lines_end_in_a_sentence():
    codes, faults = hunt_commands.hunt(6, seed=0)
    assert not faults, "\n".join(faults[:5])
    assert codes[2] > 1


@pytest.mark.slow
def test_the_law_holds_on_five_hundred_networks():
    found = hunt_law.hunt(500, seed=1, seconds=1500)
    assert not found.faults, "\n".join(found.faults[:5])


@pytest.mark.slow
def test_a_hundred_and_fifty_command_lines():
    codes, faults = hunt_commands.hunt(150, seed=1)
    assert not faults, "\n".join(faults[:5])
    assert codes[0] > 20


@pytest.mark.slow
def test_the_best_attack_is_near_the_nearest_point_known():
    median, worst = hunt_best.hunt("mnist-20-20-20", 25, first=20, seconds=10.0, kept=None)
    assert median <= hunt_best.MEDIAN
    assert worst <= hunt_best.WORST


@pytest.mark.parametrize(
    ("code", "out", "err", "words"),
    [
        ("ValueError: x", "", "", "ends with"),
        (0, "Traceback (most recent call last)", "", "traceback"),
        (2, "", "", "without a word"),
        (2, "", "x" * 301, "301 characters"),
        (2, "a line", "a sentence of words.", "before a refusal"),
    ],
)
def test_the_hunt_sees_what_is_wrong(code, out, err, words):
    assert words in hunt_commands.wrong_with(code, out, err)


def test_the_hunt_lets_what_is_right_pass():
    assert hunt_commands.wrong_with(0, "lines", "Warning: a sentence.") == ""
    assert hunt_commands.wrong_with(2, "", "usage: relucert\na sentence of words.") == ""
