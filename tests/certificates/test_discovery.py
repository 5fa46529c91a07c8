"""A certificate is one file: what defines ENTRY in certificates/ or search/ is in the registry, menus and command."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

import relucert_core as rc
from relucert_core import registry
from relucert_core.certificates.result import UNPLACED
from relucert_core.cli import main

CONTRIBUTING = (Path(__file__).resolve().parents[2] / ".github" / "CONTRIBUTING.md").read_text(encoding="utf8")
TOY = CONTRIBUTING.split("<!-- certificate -->\n```python\n")[1].split("```")[0]


@pytest.fixture
def with_a_toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> registry._Registry:
    """The registry as it is with one more file, toy.py, beside the certificates."""
    (tmp_path / "toy.py").write_text(TOY, encoding="utf8")
    package = importlib.import_module("relucert_core.certificates")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "relucert_core.certificates.toy", raising=False)
    fresh = registry._Registry()
    monkeypatch.setattr(registry, "CERTIFICATES", fresh)
    return fresh


def test_one_file_is_enough(with_a_toy, capsys):
    assert set(with_a_toy) == {*rc.CERTIFICATES, "toy"}
    net, images = rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0][:2]
    toy, whole = rc.certify(net, images, method="toy"), rc.certify(net, images, method="lipschitz")
    assert (toy.radius == whole.radius / 2).all()
    command = ["certify", "--model", "mnist-20-20-20", "--data", "mnist-sample", "--first", "1", "--method", "toy"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "toy"


def test_menus_list_it_after_the_other_bounds_and_before_the_estimate(with_a_toy):
    names = list(with_a_toy)
    assert names.index("exact") < names.index("toy") < names.index("clever")


def test_every_place_is_its_own():
    places = [entry.place for entry in rc.CERTIFICATES.values()]
    assert places == sorted(places)
    taken = [place for place in places if place != UNPLACED]
    assert len(set(taken)) == len(taken)
    assert next(iter(rc.CERTIFICATES)) == "simplex"
    assert list(rc.CERTIFICATES)[-1] == "clever"  # an estimate stands after all bounds
