"""A server of the app and a headless Chromium to look at it with, for tests marked `browser`."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds: the machine may be busy
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-gpu-compositing",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def require_browser() -> None:
    """Skip with the reason when there is no browser; fail instead where one is required."""
    reason = _missing()
    if not reason:
        return
    if os.environ.get("CI") == "true" or os.environ.get("RELUCERT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"A browser is required here, but {reason}.")
    pytest.skip(f"No browser test: {reason}.")


def _missing() -> str:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return "" if _executable() or _playwright_own() else "there is no Chromium on this machine"


def _executable() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _playwright_own() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).is_file()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(start: Sequence[str | Path] = (), folder: Path = ROOT, **environment: str) -> Iterator[str]:
    """A fresh server of the app on a free port; gives its address.

    start: another command that serves it, run in `folder` with this environment (as it is, if none is given).
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    command = [*map(str, start), "--port", str(port)] if start else command
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    settings = {**(environment or os.environ), "RELUCERT_WORKERS": "2"}
    settings["RELUCERT_JOB_SECONDS"] = "1"  # the other tests' pages share the cores
    process = subprocess.Popen(command, cwd=folder, env=settings, **quiet)
    address = f"http://127.0.0.1:{port}"
    try:
        if not answers(address, 60):
            pytest.fail("The app's server did not answer within a minute.")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def answers(address: str, seconds: float) -> bool:
    """Wait until the server at an address is ready, at most so long; is it?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            if answer.status == 200:
                return True
        time.sleep(0.2)
    return False


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def tab(browser: Any, address: str, *, width: int = 1280, height: int = 900, **context: Any) -> Iterator[Any]:
    """A page at `address` in a context of its own; errors of its scripts are collected in `page.script_errors`."""
    own = browser.new_context(viewport={"width": width, "height": height}, **context)
    try:
        with tab_of(own, address) as page:
            yield page
    finally:
        own.close()


@contextlib.contextmanager
def tab_of(context: Any, address: str) -> Iterator[Any]:
    """A page in a context that has others too: what they have fetched and compiled need not be fetched again."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.script_errors = []
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))
    try:
        page.goto(address)
        yield page
    finally:
        page.close()


def walk(page: Any, address: str, title: str) -> None:
    """To another address of the app as Back and Forward go, without loading it anew, until it has the title."""
    go = "to => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate', { state: {} })); }"
    page.evaluate(go, address)
    page.wait_for_function("title => document.title === title", arg=title)
    settled(page)


def ground_and_paper(page: Any) -> tuple[str, str]:
    """The colours of Digits and of the first figure on it."""
    ground = page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    paper = page.locator(".st-key-digits_line .main-svg").first.evaluate("e => e.style.background")
    return ground, paper.replace("rgba", "rgb")


@contextlib.contextmanager
def sized(page: Any, width: int, height: int) -> Iterator[Any]:
    """The same page in a window of another size, as long as it lasts."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": height})
    try:
        yield page
    finally:
        page.set_viewport_size(before)


_CALM = """quiet => {
  const now = performance.now(), here = location.href;
  const runs = document.querySelector("[data-test-script-state='notRunning']") === null;
  if (runs || window.relucertHere !== here) { window.relucertHere = here; window.relucertCalm = now; }
  return now - window.relucertCalm > quiet; }"""


def settled(page: Any) -> None:
    """Until no script has run, and the address has stayed as it is, for a quarter of a second."""
    page.evaluate("() => { window.relucertHere = ''; }")
    page.wait_for_function(_CALM, arg=250, polling=50)


def swipe(page: Any, x: float, y: float, right: float, down: float) -> None:
    """One finger put down at (x, y), moved so many pixels in twelve steps, and lifted."""
    hand = page.context.new_cdp_session(page)
    for i in range(13):
        place = {"x": x + right * i / 12, "y": y + down * i / 12}
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": [place]})
        page.wait_for_timeout(20)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)
