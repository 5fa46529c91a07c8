"""The shipped networks: each is the one its card describes, and as good as it says."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relucert_core.datasets.mnist import mnist_sample
from relucert_core.errors import DataUnavailable, InvalidInput
from relucert_core.importers import shipped
from relucert_core.importers.safetensors_file import load_network
from relucert_core.importers.shipped import list_models, load_card, load_model
from relucert_core.registry import certify
from relucert_core.training.recipes import RECIPES, recipe_data
from tests.datasets.test_mnist import FULL_SET, needs_full_set

CARDS = {card.name: card for card in list_models()}
LEAST_ACCURACY = {
    "mnist-gt5-1024": 0.985,
    "mnist-1024-512": 0.978,
    "mnist-1024-512-regularised": 0.965,
    "mnist-20-20-20": 0.94,
    "mnist-40-40-40": 0.96,
    "mnist-256-256": 0.985,
    "mnist-5x100": 0.98,
    "mnist-conv": 0.985,
}


def test_the_shipped_recipes_are_what_is_shipped():
    assert set(CARDS) == {name for name, recipe in RECIPES.items() if recipe.shipped}
    assert set(LEAST_ACCURACY) == set(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_card_describes_the_file(name):
    card, net, recipe = CARDS[name], load_model(name), RECIPES[name]
    data = (shipped.NETWORKS / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == card.sha256
    assert (net.inputs, *net.widths, net.classes) == card.architecture == recipe.widths
    assert len(card.classes) == net.classes
    assert card.classes == recipe.classes
    assert net.stored_dtype == "float32"
    assert net.name == name
    assert set(card.versions) >= {"python", "torch", "numpy"}
    assert card.licence
    assert card.seed == recipe.seed
    assert load_model(name) is net


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n == "mnist-conv" else ()) for n in CARDS])
def test_accuracy_on_the_sample_fits_the_card(name):
    """On 1,000 images the share may differ from the card's by chance: by less than 2.5 % here."""
    images, digits = mnist_sample()
    labels = np.array([-1 if label is None else label for label in RECIPES[name].labels])[digits]
    kept = labels >= 0
    found = (load_model(name)(images[kept]).argmax(1) == labels[kept]).mean()
    assert abs(found - CARDS[name].test_accuracy) < 0.025
    assert CARDS[name].test_accuracy >= LEAST_ACCURACY[name]


@needs_full_set
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n == "mnist-conv" else ()) for n in CARDS])
def test_accuracy_on_the_test_set_is_the_cards(name):
    points, labels = recipe_data(RECIPES[name], "test", FULL_SET)
    found = (load_model(name).logits(points.double()).argmax(1) == labels).double().mean().item()
    assert found == pytest.approx(CARDS[name].test_accuracy, abs=2e-4)


def median_certified(name):
    return float(np.median(certify(load_model(name), mnist_sample()[0][:200], method="simplex", norm=2).radius))


def test_regularised_network_is_thirty_times_safer():
    """Certified radii on the first 200 test images, wrongly classified ones included; the accuracy is on its card."""
    plain, regularised = (median_certified(f"mnist-1024-512{suffix}") for suffix in ("", "-regularised"))
    assert regularised >= 30 * plain, f"{regularised / plain:.1f} times"
    for name, median in (("mnist-1024-512", plain), ("mnist-1024-512-regularised", regularised)):
        (written,) = CARDS[name].measured.values()
        assert written == pytest.approx(median, rel=2e-3)


def test_five_is_left_out():
    recipe = RECIPES["mnist-gt5-1024"]
    assert recipe.labels[5] is None
    assert [recipe.classes[c] for c in recipe.labels if c is not None] == ["< 5"] * 5 + ["> 5"] * 4


@pytest.mark.parametrize("name", ["mnist", "../mnist-1024-512", "mnist-1024-512.safetensors", "", "*", "mnist-3x1024"])
def test_other_names_are_refused(name):
    with pytest.raises(InvalidInput, match="mnist-1024-512"):
        load_model(name)
    with pytest.raises(InvalidInput):
        load_card(name)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    card = CARDS["mnist-20-20-20"]
    shipped.write_model(load_model(card.name), card, tmp_path / "mine.safetensors")
    monkeypatch.setattr(shipped, "NETWORKS", tmp_path)
    assert load_network(tmp_path / "mine.safetensors").digest == load_model("mine").digest
    load_model.cache_clear()
    (tmp_path / "mine.safetensors").write_bytes((tmp_path / "mine.safetensors").read_bytes()[:-4] + b"1234")
    with pytest.raises(DataUnavailable, match="mine"):
        load_model("mine")


def test_written_card_comes_back(tmp_path, monkeypatch):
    card = CARDS["mnist-20-20-20"]
    path = tmp_path / f"{card.name}.safetensors"
    written = shipped.write_model(load_model(card.name), card, path)
    assert written == replace(card, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(shipped, "NETWORKS", tmp_path)
    assert list_models() == [written]


def test_assets_stay_small():
    assets = Path(shipped.NETWORKS).parent
    assert sum(path.stat().st_size for path in assets.rglob("*") if path.is_file()) < 25e6


def test_cards_cost_no_compiler():
    """Importing data and importers loads no compiler, no picture library and no solver."""
    script = """
import sys
import relucert_core.datasets.mnist, relucert_core.datasets.pictures
assert "torch" not in sys.modules and "PIL" not in sys.modules and "scipy" not in sys.modules
import relucert_core.importers.shipped
assert "torch._dynamo" not in sys.modules and "PIL" not in sys.modules and "cvxpy" not in sys.modules
"""
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
