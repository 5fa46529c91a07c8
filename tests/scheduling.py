"""Which process runs which test: a file stays in one process, the browser tests share one, the long files come first.

A file's networks, pages and servers are then made once and not once a process. The browser tests mostly wait: the other
two processes keep two cores busy meanwhile. Files are told apart by their paths, as groups by marks need attributes of
pytest that are gone since 9.2 (pytest-xdist 3.8 wrote them into the tests' names, and found none).
"""

from __future__ import annotations

import functools
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
# What takes twenty seconds or more begins before the rest, so that the processes end together.
LONG = (
    "pages/playground/test_page.py",
    "pages/shared/test_own_network.py",
    "certificates/test_registry.py",
    "pages/digits/test_page.py",
    "attacks/test_attacks.py",
    "pages/test_one_headline.py",
    "test_layers.py",
    "search/test_exact.py",
    "certificates/test_linear_bounds.py",
    "search/test_neighbours.py",
    "pages/lesson/test_page.py",
    "pages/experiments/test_page.py",
    "jobs/test_loop.py",
    "importers/test_door.py",
    "certificates/test_quadratic.py",
    "test_kinds_of_numbers.py",
)


@functools.cache
def _has_browser_tests(file: str) -> bool:
    return file.startswith("tests/pages/") and "pytest.mark.browser" in (ROOT / file).read_text(encoding="utf8")


def scope(nodeid: str) -> str:
    """What stays together with a test: its file, all browser tests of the pages, or all tests of the wheel."""
    file = nodeid.split("::")[0]
    if file.startswith("tests/packaging/"):
        return "wheel"
    return "browser" if _has_browser_tests(file) else file


def rank(nodeid: str) -> int:
    """The tests of a lower rank begin earlier."""
    name = scope(nodeid).removeprefix("tests/")
    if name == "browser":
        return 0
    return 1 + LONG.index(name) if name in LONG else 1 + len(LONG)


class ByFile(LoadScopeScheduling):
    """Hands whole scopes to the processes, in the order in which they were collected (--no-loadscope-reorder)."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
