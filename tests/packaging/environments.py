"""Wheels of this checkout, and environments into which they are installed without fetching anything."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("PYTHONPATH", "HOME", "RELUCERT_MNIST", "RELUCERT_RUNS", "XDG_CACHE_HOME")


def without_home() -> dict[str, str]:
    """The environment without HOME and without the settings that could lead back to this checkout."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """What the command prints; AssertionError with all its words unless it ends with 0.

    It runs without HOME and without the settings that could lead it back to this checkout.
    """
    clean = without_home() | environment
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def build(target: str, folder: Path) -> Path:
    """The wheel ("wheel") or the source distribution ("sdist") of this checkout, built into `folder`."""
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder)
    return next(folder.glob("*.whl" if target == "wheel" else "*.tar.gz"))


class Environment:
    """A virtual environment in `folder` that sees the packages of this one, and nothing of this checkout."""

    def __init__(self, folder: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / "python"
        self.site = Path(run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        (self.site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf8")

    def install(self, *arguments: str | Path) -> None:
        """`pip install` without dependencies and without a look at any index."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps", "--no-index"]
        run(*pip, "--no-build-isolation", *arguments)
