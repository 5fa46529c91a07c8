"""One digit, one headline: Start, Digits and Beyond say the same two numbers, and so does the code that they print."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import relucert_core as rc
from relucert_core.words import down, up
from tests.pages.helpers import ROOT, open_page, texts

LARGE, SMALL = "mnist-1024-512", "mnist-20-20-20"
VIEWS = {
    (LARGE, 0): [
        ("start", {}),
        ("digits", {}),
        ("beyond", {"beyond_net": LARGE}),
    ],
    (SMALL, 0): [("digits", {"digits_net": SMALL}), ("beyond", {})],
    (LARGE, 105): [("digits", {"digits_image": "105"}), ("beyond", {"beyond_net": LARGE, "digits_image": "105"})],
}


def the_line(at) -> str:
    """The headline of a page, without the signs of its heading."""
    return next(e.value.lstrip("# ") for e in at.markdown if e.value.startswith("#") and "Reads **" in e.value)


def numbers(line: str) -> list[str]:
    return re.findall(r"\*\*([0-9.]+)\*\*", line)


@pytest.mark.parametrize("digit", VIEWS, ids=lambda digit: f"{digit[0]}-{digit[1]}")
def test_all_pages_say_the_same(digit):
    name, image = digit
    best = rc.best_known(rc.load_model(name), rc.mnist_sample()[0][image], max_seconds=0)
    wanted = [down(best.lower)] if best.exact else [down(best.lower), up(best.upper)]
    for page, query in VIEWS[digit]:
        at = open_page(page, **query)
        assert not at.exception
        found = [number for number in numbers(the_line(at)) if "." in number]
        assert found == wanted, page
        assert len(wanted[0].lstrip("0.")) == 3
        if page == "digits":
            says_why(at, exact=best.exact)
        if not best.exact:
            assert f"one pixel changed by about {100 * float(wanted[0]):.1f} %" in texts(at)


def says_why(at, *, exact: bool) -> None:
    """ "What limits it" begins with the headline: which layer and neurons, or that nothing but the truth does."""
    said = texts(at)
    assert said.index("### The headline") < said.index("### The region around the digit")
    assert ("Only the truth limits it" in said) == exact
    assert ("Most is lost in **layer" in said) == (not exact)
    for table in [t.value for t in at.table if "Part of the loss" in t.value.columns]:
        assert sum(float(part.split()[0]) for part in table["Part of the loss"]) == pytest.approx(100, abs=2)


def test_what_one_page_finds_out_the_others_show_in_that_visit():
    """A digit without a record: Digits works it out, and Beyond opens with those numbers."""
    at = open_page("digits", digits_net=SMALL, digits_image="77")
    first = numbers(the_line(at))
    at.query_params["beyond_net"], at.query_params["digits_image"] = SMALL, "77"
    at.switch_page("pages/beyond/page.py").run()
    found = numbers(the_line(at))
    low = [float(line[1]) for line in (first, found)]
    assert low[1] >= low[0] > 0
    kept = next(iter(at.session_state["best_known"].values()))
    assert float(down(kept.lower)) == low[1]


def code_of(at) -> str:
    """The code that a page prints."""
    return next(e.value for e in at.code if "relucert_core" in e.value and "print(" in e.value)


PRINTED = """
import contextlib, io, json, sys, traceback
for code in json.load(sys.stdin):
    said, wrong = io.StringIO(), ""
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(code, "printed", "exec"), {"__name__": "__main__"})
        except Exception:
            wrong = traceback.format_exc()
    print(json.dumps([said.getvalue(), wrong]))
"""
PAGES = ("start", "digits", "beyond", "playground", "lesson", "experiments")


def test_the_printed_code_prints_the_numbers_of_the_page_from_any_folder(tmp_path):
    """In another process and folder; all six codes in one process, as each imports torch."""
    at = {page: open_page(page) for page in PAGES}
    codes = [code_of(opened) for opened in at.values()]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", PRINTED],
        input=json.dumps(codes),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    for page, line in zip(PAGES, ran.stdout.splitlines(), strict=True):
        said, wrong = json.loads(line)
        assert not wrong, page
        wanted = numbers_of(page, at[page])
        assert wanted, page
        for number in wanted:
            assert re.search(rf"(?<![\w.]){re.escape(number)}(?!\w)", said), (page, number, said)


def numbers_of(page, at) -> list[str]:
    """What its printed code has to print."""
    if page in ("start", "digits", "beyond"):
        return numbers(the_line(at))
    if page == "experiments":
        medians = next(t.value for t in at.table if "Quartiles" in t.value.columns)
        return [value for value in medians["Quartiles"] if value != "-"]
    if page == "playground":
        return [next(m.value for m in at.metric if m.label.startswith("Safe radius"))]
    return re.findall(r"Safe radius ([0-9.]+[0-9])", texts(at))
