"""Small products run on one thread: the setting is made before NumPy is imported, and gives way to the user's own."""

import subprocess
import sys

import pytest

from relucert_core.threads import SETTINGS, spare_threads

_APP = """
import os, sys
for name in {names}: os.environ.pop(name, None)
import streamlit.web.bootstrap
import pages.shared.shell
print("numpy" in sys.modules, [os.environ.get(name) for name in {names}])
"""


def test_what_the_user_says_stands():
    environment = {"OPENBLAS_NUM_THREADS": "4"}
    spare_threads(environment)
    assert environment == {**SETTINGS, "OPENBLAS_NUM_THREADS": "4"}


@pytest.mark.parametrize("names", [list(SETTINGS)])
def test_the_app_says_it_before_numpy_is_there(names):
    code = _APP.format(names=names)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stdout.split("\n")[0] == f"False {list(SETTINGS.values())}", found.stderr
