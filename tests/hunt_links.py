"""A hunt for links that take a page down: odd values for every parameter of every page, through the router.

    python -m tests.hunt_links --links 5000 --seed 1 --seconds 600

Each link is opened in a session of its own or in one that has seen others before, in turns. It counts as a find when
the page shows an exception or an error box, when a value that was put right isn't said, or when the link's text comes
back as markup. Finds are printed and the number of them is the exit code (at most 1).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import random
import sys
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

from streamlit.testing.v1 import AppTest

from pages.shared.shell import PAGES
from pages.shared.state import PageState
from tests.pages.helpers import open_page

STATES: dict[str, PageState[Any]] = {
    entry.url: importlib.import_module(f"pages.{entry.url}.state").STATE for entry in PAGES
}
MARKUP = "![a](http://127.0.0.1:9/x.png)"
HUGE = "9" * 310
ODD = (
    "", "0", "1", "-1", "3", "1000", "3000", "5000", "0.6", "inf", "-inf", "nan", "1e9", "1e999", HUGE, "-" + HUGE, "²",
    "true", "false", "x", "<b>x</b>", MARKUP, "http://127.0.0.1:9/", "$x$", "~", "1~2", "1,2", "nan~1", "9~9~9~9",
    "1~0~1~0", "-1~1~-1~1", "end", "all", "\x00", "é", "a" * 3000, "../../etc/passwd", "None", "[]", "0x10", "1_000",
)  # fmt: skip
KNOWN = [
    *(("playground", {"pg_dataset": "moons", f"pg_{name}": HUGE}) for name in ("size", "data_seed", "classes")),
    *(("playground", {"pg_dataset": "moons", f"pg_{name}": HUGE}) for name in ("epochs", "seed", "faces")),
    ("playground", {"pg_dataset": "moons", "pg_epochs": "3000"}),
    ("playground", {"pg_dataset": "moons", "pg_size": "5000"}),
    ("playground", {"pg_dataset": "moons", "pg_noise": "0.6"}),
    ("playground", {"pg_preset": MARKUP}),
    ("beyond", {"beyond_seconds": "inf"}),
    *(("beyond", {f"beyond_{name}": HUGE}) for name in ("seed", "other")),
    ("experiments", {"experiments_images_figure-2b": HUGE}),
]
FINE = {"pg_dataset": "spirals", "pg_preset": "plain", "digits_net": "mnist-20-20-20", "beyond_net": "mnist-20-20-20"}


def random_links(seed: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Without end: a page, and one to three of its parameters with odd values or another field's good one."""
    rng = random.Random(seed)
    while True:
        page = rng.choice(sorted(STATES))
        state = STATES[page]
        names = rng.sample(sorted(state.parameters.values()), k=min(rng.randint(1, 3), len(state.parameters)))
        goods = [kind.write(kind.default) for kind in state.kinds.values()]
        link = {name: rng.choice(ODD) if rng.random() < 0.85 else rng.choice(goods) for name in names}
        if page == "playground" and rng.random() < 0.6 and "pg_preset" not in link:
            link.setdefault("pg_dataset", rng.choice(["moons", "spirals", "blobs"]))
        for name in ("digits_net", "beyond_net"):
            if name in state.parameters.values():
                link.setdefault(name, FINE[name])  # the small network answers soon
        yield page, link


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Whatever improves as long as it runs gets little time, and nothing trains by itself."""
    with (
        mock.patch("pages.shared.engine.AUTOMATIC_SECONDS", 0.02),
        mock.patch("pages.beyond.engine.FIRST_LOOK_SECONDS", 0.1),
        mock.patch("pages.beyond.engine.TOY_LOOK_SECONDS", 0.2),
        mock.patch("pages.playground.player.Player.play"),
    ):
        yield


def opened(page: str, link: dict[str, str], at: AppTest | None = None) -> AppTest:
    """The page with this link: in a new session, or in that of `at`."""
    if at is None:
        return open_page(page, **link)
    at.query_params.clear()
    for name, value in link.items():
        at.query_params[name] = value
    return at.run()


def wrong_with(at: AppTest, link: dict[str, str]) -> str:
    """What is wrong with the page, or ""."""
    if at.exception:
        return f"exception: {at.exception[0].value[:200]}"
    if at.error and not at.get("plotly_chart"):
        return f"error box: {at.error[0].value[:200]}"
    if not at.title:
        return "no title"
    texts = [str(e.value) for kind in (at.markdown, at.caption, at.warning, at.info, at.success) for e in kind]
    for value in link.values():
        if len(value) > 8 and any(sign in value for sign in "<[$") and any(value in text for text in texts):
            return f"markup of the link is shown: {value}"
    return ""


def main() -> int:
    """Hunt, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    given = parser.parse_args()
    begun, finds, tried = time.monotonic(), 0, 0
    sessions: dict[str, AppTest] = {}
    with impatient():
        for page, link in [*KNOWN, *(found for found, _ in zip(random_links(given.seed), range(given.links)))]:
            if time.monotonic() - begun > given.seconds:
                break
            at = opened(page, link, sessions.get(page) if tried % 20 else None)
            tried += 1
            problem = wrong_with(at, link)
            if problem:
                finds += 1
                sessions.pop(page, None)
                print(f"{page} {link}: {problem}", flush=True)
            else:
                sessions[page] = at
    print(f"{tried} links, {finds} finds, {time.monotonic() - begun:.0f} s")
    return min(finds, 1)


if __name__ == "__main__":
    sys.exit(main())
