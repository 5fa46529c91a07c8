"""The playground's page of its own: small, complete, offline, with a point to drag whose numbers are Python's."""

from __future__ import annotations

import re

import pytest

import relucert_core as rc
from pages.playground.alone import stand_alone
from pages.playground.scene import Scene
from pages.playground.setup import View, setup_of
from pages.shared.plane import plane_of
from relucert_core.experiments.showcase import SHOWCASE, load_run
from relucert_core.figures.theme import LIGHT
from relucert_core.words import down
from tests.pages.playground.test_browser import middle


def page_of(name, **view):
    entry = SHOWCASE[name]
    net, setup = load_run(entry.file).network, setup_of(entry, name)
    look = View(point=entry.point, **view)
    scene = Scene(net, None, plane_of(net), setup, look, ("light", False), LIGHT, "c")
    return stand_alone(scene, look, ["version: relucert <9>"])


def test_it_is_small_and_asks_for_nothing():
    for name in ("figure-1a", "many"):
        page = page_of(name)
        assert len(page.encode()) < 1_000_000
        assert "plotly" not in page.lower()
        assert "relucert &lt;9&gt;" in page
        assert not re.search(r"(src|href)\s*=|url\(|import\s*\(|fetch\(|XMLHttpRequest", page)


@pytest.mark.browser
def test_u_is_dragged_without_a_network(chromium, tmp_path):
    file = tmp_path / "plane.html"
    file.write_text(page_of("figure-1a"), "utf8")
    context = chromium.new_context(viewport={"width": 900, "height": 1100}, offline=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    net, u = load_run("moons-figure").network, SHOWCASE["figure-1a"].point
    radius = page.locator(".safe b")
    assert radius.inner_text() == down(rc.certify(net, u).radius, 3)
    assert page.locator(".certified").is_visible()
    legend = page.locator("svg[aria-label^=Legend]").get_attribute("aria-label")
    assert all(word in legend for word in ("class 1", "faces of layer 2", "u's region", "safe circle", "true distance"))
    assert page.locator("svg.plane path[fill='#F0E442']").count() == 1, "u's region"
    x, y = middle(page, ".relucert-handle .dot")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y + 90, steps=5)
    page.mouse.up()
    place = page.locator(".relucert-handle").get_attribute("aria-label")
    moved = tuple(float(v) for v in re.findall(r"-?\d+\.\d+", place)[:2])
    assert abs(moved[0] - u[0]) > 0.2
    seen = float(radius.inner_text())
    assert seen == pytest.approx(rc.certify(net, moved).radius, abs=2e-3)
    assert page.locator(".preview").is_visible()
    assert not page.locator(".certified").is_visible()
    assert not errors
    page.screenshot(path=str(tmp_path / "plane.png"))
    context.close()
