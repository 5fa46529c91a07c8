"""What the wheel and the sdist carry: the package with app and assets in it, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile

import pytest

from tests.packaging.environments import ROOT, build, run

APP = ("app.py", "pages", "assets", ".streamlit/config.toml")


def files(*places: str) -> set[str]:
    """The files of the checkout under some places that git knows or would take; skips where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *places]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("This is no git checkout.")
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the wheel, without its metadata."""
    names = zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))).namelist()
    return {name for name in names if not name.split("/")[0].endswith(".dist-info")}


def test_the_wheel_is_the_package_with_app_and_assets_inside(wheel):
    assert wheel == files("relucert_core") | {f"relucert_core/{name}" for name in files(*APP)}


def test_the_wheel_has_what_a_checkout_has_to_offer(wheel):
    for name in ("py.typed", "app.py", ".streamlit/config.toml", "pages/__init__.py", "assets/presets/figure1.json"):
        assert f"relucert_core/{name}" in wheel
    assert sum(name.endswith(".safetensors") for name in wheel) >= 13


def test_the_sdist_builds_the_same_wheel(wheel, tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert (source / "tests" / "packaging" / "test_wheel.py").is_file()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=source)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {name for name in names if not name.split("/")[0].endswith(".dist-info")} == wheel
