"""Nothing jumps while a page loads: the browser's own measure of layout shift, of whole visits."""

from __future__ import annotations

import pytest

from tests.helpers import rest_slow
from tests.pages import browser

pytestmark = pytest.mark.browser
VISITS = 3  # on a busy machine a style sheet may come late once
_WATCH = """() => {
  window.relucertShift = 0;
  window.relucertJumps = [];
  const place = rect => [rect.x, rect.y, rect.width, rect.height].map(Math.round).join(" ");
  const words = source => {
    const node = source.node && (source.node.closest ? source.node : source.node.parentElement);
    const key = node && node.closest("[class*=st-key-]");
    return `${(key || node || {}).className}: ${place(source.previousRect)} to ${place(source.currentRect)}`;
  };
  const frame = source => source.node && source.node.parentElement
    && source.node.parentElement.classList.contains("stAppViewContainer");
  const add = list => list.getEntries().forEach(entry => {
    if (entry.sources.some(frame)) return;  // at a server's first visit the menu moves the framework's empty frame
    window.relucertShift += entry.value;
    window.relucertJumps.push(...entry.sources.map(words));
  });
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
}"""
PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
DESKTOP = {"width": 1280, "height": 720}
CASES = [(path, view) for view in (PHONE, DESKTOP) for path in ("/digits", "/", "/playground")]


def jumps(chromium, address: str, view: dict) -> tuple[float, list[str]]:
    """The layout shift of one visit, until its page has run to the end, and what jumped."""
    with browser.tab(chromium, "about:blank", **view) as page:
        page.add_init_script(f"({_WATCH})()")
        page.goto(address)
        page.get_by_text("After Singla and Feizi").wait_for()
        browser.settled(page)
        return page.evaluate("[window.relucertShift, window.relucertJumps]")


@pytest.mark.parametrize(("path", "view"), rest_slow(CASES, 1))
def test_nothing_jumps_while_a_page_loads(path, view, chromium, app_address):
    found: list[str] = []
    for _ in range(VISITS):
        shift, found = jumps(chromium, f"{app_address}{path}", view)
        print(f"{path} at {view['width']} pixels: layout shift {shift:.3f}")
        if shift < 0.05:
            return
    pytest.fail("\n".join(found))
