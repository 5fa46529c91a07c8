"""The front door of the searches: one function, whatever else of the package was imported."""

import importlib
import subprocess
import sys

import relucert_core as rc


def test_the_function_stays_where_it_is_promised():
    """Importing a module of the package `search` must not put the package in the place of the function."""
    code = "import relucert_core as rc, relucert_core.search.exact.tree; rc.search(1, 2, norm='x')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Unsupported: norm='x'" in found.stderr


def test_a_search_runs_to_its_end():
    package = importlib.import_module("relucert_core.search")
    net = rc.Network([[[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0], [0.0, 0.0]])
    for found in (package.search, rc.search):
        assert list(found(net, [1.0], norm=2))[-1].status == "exact"
