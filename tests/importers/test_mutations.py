"""Mutated files of networks: read, or refused in a sentence (a short form of `tests.hunt_networks`)."""

import pytest

from tests.hunt_networks import KINDS, hunt


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_raise_no_raw_errors(kind):
    read, refused, failures = hunt(kind, 120, seed=1)
    assert failures == []
    assert refused > 50
    assert read + refused == 120


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutated_files_raise_no_raw_errors(kind):
    assert hunt(kind, 3000, seed=2)[2] == []
