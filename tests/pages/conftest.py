from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.pages import browser

os.environ["RELUCERT_WORKERS"] = "0"  # what is tested without a browser computes in this process; `browser.server` says
ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Methods that improve as long as they run get little time in tests without a browser."""
    monkeypatch.setattr("pages.shared.engine.AUTOMATIC_SECONDS", 0.05)
    monkeypatch.setattr("pages.digits.live.SECONDS", 0.0)


@pytest.fixture(scope="session")
def app_address(tmp_path_factory):
    """A server that keeps its runs for itself. All browser tests share one: `tests.scheduling` sees to it."""
    browser.require_browser()
    if run := os.environ.get("PYTEST_XDIST_TESTRUNUID"):
        (tmp_path_factory.getbasetemp().parent / f"the server of {run}").touch(exist_ok=False)
    runs = str(tmp_path_factory.mktemp("runs"))
    with browser.server(**os.environ | {"RELUCERT_RUNS": runs}) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    browser.require_browser()
    with browser.chromium() as opened:
        yield opened
