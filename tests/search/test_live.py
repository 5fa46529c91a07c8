"""The front door of the searches: one function, whatever else of the package was imported."""

import importlib
import itertools
import subprocess
import sys

import pytest

import relucert_core as rc
from relucert_core.attacks import ATTACKS
from relucert_core.registry import CERTIFICATES
from relucert_core.search.ledger import BRANCHING, LOOK_AROUND, POLISH, RAYS, WALK


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


@pytest.mark.parametrize("method", ["exact", "semidefinite", "neighbours"])
def test_every_improvement_carries_the_name_of_the_method_that_made_it(method):
    net, images = rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0]
    steps = list(rc.search(net, images[5], method=method, max_regions=600))
    known = {*CERTIFICATES, *ATTACKS, BRANCHING, LOOK_AROUND, POLISH, RAYS, WALK}
    for step in steps:
        assert step.lower_by in known
        assert (step.upper_by in known) == (step.witness is not None)
    for before, after in itertools.pairwise(steps):
        assert after.lower > before.lower or after.lower_by == before.lower_by
        assert after.upper < before.upper or after.upper_by == before.upper_by
    own = {"exact": BRANCHING, "semidefinite": "semidefinite", "neighbours": WALK}[method]
    assert own in {name for step in steps for name in (step.lower_by, step.upper_by)}
    assert steps[0].lower_by == "simplex"


def test_the_search_by_the_semidefinite_bound_counts_its_iterations_and_knows_its_norm():
    net, images = rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0]
    last = list(rc.search(net, images[5], method="semidefinite", max_regions=30))[-1]
    assert 0 < last.regions <= 30
    with pytest.raises(rc.Unsupported, match="semidefinite search is made for norm 2"):
        rc.search(net, images[5], norm=1, method="semidefinite")
