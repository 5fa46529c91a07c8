"""Runs the components' plain functions on data: in Node where there is one, else in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.pages import browser

PAGES = Path(__file__).resolve().parents[2] / "pages"


def run(files: list[str], body: str, data: Any) -> Any:
    """The value of the function body `body`, in which `data` is given and the files' functions are known."""
    source = "\n".join((PAGES / name).read_text(encoding="utf8") for name in files)
    script = f"{source}\nconst answer = ((data) => {{ {body} }})(given);"
    node = shutil.which("node")
    if node:
        program = (
            "const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
            f"{script}\nprocess.stdout.write(JSON.stringify(answer));"
        )
        done = subprocess.run(
            [node, "-e", program], input=json.dumps(data), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    browser.require_browser()
    with browser.chromium() as opened:
        page = opened.new_page()
        return page.evaluate(f"(given) => {{ {script}\nreturn JSON.parse(JSON.stringify(answer)); }}", data)
