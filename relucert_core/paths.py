"""Where assets and app lie, in a checkout and installed, and where the user's own files go.

In a checkout `assets/`, `pages/` and `app.py` lie beside the package; in an installed one they lie inside it, so that
site-packages gets one folder. Nothing depends on the working folder, nor on HOME.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = (PACKAGE / "assets").is_dir()
ROOT = PACKAGE if INSTALLED else PACKAGE.parent

APP = ROOT / "app.py"
PAGES = ROOT / "pages"

ASSETS = ROOT / "assets"
DIGITS = ASSETS / "mnist"
RESULTS = ASSETS / "experiments"
NETWORKS = ASSETS / "networks"
PRESETS = ASSETS / "presets"
RECORDS = ASSETS / "records"


def home() -> Path:
    """The user's home folder; the system's folder for temporary files where there is none, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor an entry in the list of users
        return Path(tempfile.gettempdir())


def user_cache() -> Path:
    """Relucert's folder among the caches that the user's system provides for."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache")
    return base / "relucert"
