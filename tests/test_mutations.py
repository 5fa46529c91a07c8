"""Every reader of foreign bytes on mutated files; the whole hunt is `python -m tests.hunt_files`."""

from __future__ import annotations

from pathlib import Path

import pytest

from relucert_core.errors import InvalidInput
from relucert_core.importers.safetensors_file import load_network
from tests.mutations import READERS, hunt

HEADERS = sorted((Path(__file__).parent / "data" / "headers").glob("*.safetensors"))


@pytest.mark.parametrize("name", READERS)
def test_mutated_files_are_read_or_refused_in_one_sentence(name):
    found = hunt(name, 150, seed=1)
    assert not found.faults, "\n".join(found.faults[:5])
    assert found.refused > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_three_thousand_mutated_files(name):
    found = hunt(name, 3000)
    assert not found.faults, "\n".join(found.faults[:5])


@pytest.mark.parametrize("path", HEADERS, ids=lambda p: p.stem)
def test_hostile_headers_get_one_sentence(path):
    """Shapes of null, text, lists, NaN and 1e999 took the page away."""
    with pytest.raises(InvalidInput, match="no weight matrix") as caught:
        load_network(path, activation="relu")
    assert len(str(caught.value)) < 300


def test_there_are_hostile_headers():
    assert len(HEADERS) == 5
