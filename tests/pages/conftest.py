from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import relucert_core as rc
from pages.digits import engine
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


def _read_here(data, name, *, files=None, seconds=None, memory=None, **about):
    """`read_apart` without the process of its own."""
    return rc.read_network(data, name=name, files=files, **about)


@pytest.fixture(autouse=True)
def read_here(request, monkeypatch):
    """Files are read in this process, which is quicker; `read_apart` asks for the process apart."""
    if "read_apart" not in request.fixturenames:
        monkeypatch.setattr("relucert_core.importers.apart.read_apart", _read_here)


@pytest.fixture
def read_apart():
    """Files are read in a process apart, as a visitor's are."""


CERTIFICATES = ("simplex", "decision-boundary", "crown-ada")
ATTACKS = ("deepfool",)


@pytest.fixture(autouse=True)
def few_methods(request, monkeypatch):
    """Digits opened without a browser is answered by few methods, which is quicker; `every_method` asks for all."""
    if "every_method" in request.fixturenames:
        return
    all_certificates, all_attacks = engine.certificates_for, engine.attacks_for
    monkeypatch.setattr(
        engine, "certificates_for", lambda net, norm: [e for e in all_certificates(net, norm) if e.name in CERTIFICATES]
    )
    monkeypatch.setattr(engine, "attacks_for", lambda norm: [e for e in all_attacks(norm) if e.name in ATTACKS])


@pytest.fixture
def every_method():
    """All certificates and attacks of the registry."""
    assert len(rc.CERTIFICATES) > len(CERTIFICATES)


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
