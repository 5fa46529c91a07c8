"""A visit's uploads are limited in all: the file that goes beyond is refused in a sentence, and is not counted."""

from __future__ import annotations

import pytest

from pages.shared import uploads
from relucert_core.errors import InvalidInput


def test_the_sum_counts_and_a_refused_file_does_not(monkeypatch):
    state = {}
    monkeypatch.setattr(uploads.st, "session_state", state)
    monkeypatch.setenv("RELUCERT_UPLOADS", "2")
    uploads.count_upload(2**20)
    with pytest.raises(InvalidInput, match="may upload 2 MB in all"):
        uploads.count_upload(2**20 + 1)
    uploads.count_upload(2**20)
    with pytest.raises(InvalidInput):
        uploads.count_upload(1)
    monkeypatch.delenv("RELUCERT_UPLOADS")
    uploads.count_upload(2**30)


def test_a_file_that_is_read_again_counts_once(monkeypatch):
    monkeypatch.setattr(uploads.st, "session_state", {})
    monkeypatch.setenv("RELUCERT_UPLOADS", "1")
    for _ in range(3):
        uploads.count_upload(2**19, "a file")
    uploads.count_upload(2**19, "another")
    with pytest.raises(InvalidInput):
        uploads.count_upload(1, "a third")
    with pytest.raises(InvalidInput):
        uploads.count_upload(1, "a third")
