"""The package as a researcher has it: the wheel, installed elsewhere, used from another folder and without HOME."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import relucert_core as rc
from relucert_core.datasets.idx import idx_bytes
from tests.packaging.environments import Environment, build, run, without_home
from tests.pages import browser

EVERY_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from relucert_core import paths

assert paths.INSTALLED
for page in sys.argv[1:]:
    at = AppTest.from_file(str(paths.APP), default_timeout=300).switch_page(page).run()
    assert not at.exception, (page, at.exception)
    assert at.title or at.markdown, page
    print(page)
import pages
assert pages.__file__.startswith(str(paths.ROOT)), pages.__file__
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("installed")
    environment = Environment(folder / "environment with spaces")
    environment.install(build("wheel", folder))
    return environment


@pytest.fixture
def relucert(installed: Environment, tmp_path: Path) -> Callable[..., str]:
    """Runs the command in a folder of its own; gives what it prints."""
    return lambda *arguments: run(installed.scripts / "relucert", *arguments, cwd=tmp_path)


def test_site_packages_get_one_folder(installed):
    names = {path.name for path in installed.site.iterdir() if not path.name.endswith((".dist-info", ".pth"))}
    assert names == {"relucert_core"}


def test_it_certifies_as_the_checkout_does(relucert, tmp_path):
    relucert("certify", "--model", "mnist-20-20-20", "--data", "mnist-sample", "--first", "3", "--out", "radii.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "radii.jsonl").read_text(encoding="utf8").splitlines()]
    here = rc.certify(rc.load_model("mnist-20-20-20"), rc.mnist_sample()[0][:3]).radius
    assert [line["radius"] for line in lines] == here.tolist()


@pytest.mark.slow
def test_the_command_and_the_module_are_the_same(installed, relucert, tmp_path):
    module = installed.python, "-m", "relucert_core"
    assert relucert("--version") == run(*module, "--version", cwd=tmp_path) == f"relucert {rc.__version__}\n"
    assert relucert("models") == run(*module, "models", cwd=tmp_path)
    assert relucert("--help").startswith("usage: relucert ")
    assert run(*module, "--help", cwd=tmp_path).startswith("usage: python -m relucert_core ")


@pytest.mark.slow
def test_it_trains_a_recipe(relucert, tmp_path):
    images, labels = rc.mnist_sample()
    pixels = (images * 255).round().astype("uint8").reshape(-1, 28, 28)
    for stem, rows in (("train", slice(0, 300)), ("t10k", slice(300, 500))):
        (tmp_path / f"{stem}-images-idx3-ubyte").write_bytes(idx_bytes(pixels[rows]))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(idx_bytes(labels[rows].astype("uint8")))
    said = relucert("train", "--recipe", "mnist-20-20-20", "--data", ".", "--out", "own.safetensors")
    assert "test accuracy" in said
    card = json.loads((tmp_path / "own.json").read_text(encoding="utf8"))
    assert card["architecture"] == [784, 20, 20, 20, 10]
    assert card["test_accuracy"] > 0.3
    net = rc.load_network(tmp_path / "own.safetensors")
    assert net.widths == (20, 20, 20)


@pytest.mark.slow
def test_every_page_opens(installed, tmp_path):
    from pages.shared.shell import PAGES

    paths = [entry.path for entry in PAGES]
    assert run(installed.python, "-c", EVERY_PAGE, *paths, cwd=tmp_path).splitlines() == paths


@pytest.mark.slow
@pytest.mark.browser
def test_the_app_takes_a_cold_deep_link_and_keeps_its_settings(installed, tmp_path):
    """The first visitor of a fresh server, in an empty folder and without HOME, comes by a link to a view."""
    browser.require_browser()
    command = [installed.scripts / "relucert", "app", "--headless"]
    with (
        browser.server(command, tmp_path, **without_home()) as address,
        browser.chromium() as chromium,
        browser.tab(chromium, f"{address}/lesson?step=3") as page,
    ):
        page.get_by_role("heading", level=1).first.wait_for()
        page.get_by_role("link", name="Playground").first.wait_for()
        assert "step=3" in page.url
        assert "Page not found" not in page.content()
        background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert background == "rgb(255, 255, 255)"  # the theme of .streamlit/config.toml
        assert page.locator("[data-testid=stAppDeployButton]").count() == 0  # its toolbar: no Deploy button
        assert not page.script_errors
