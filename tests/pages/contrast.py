"""The contrast of every piece of text on a page, computed from the styles that the browser applies (WCAG 2, AA)."""

from __future__ import annotations

from typing import Any

WALK = """() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    if (text.startsWith("color(srgb")) return [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1];
    return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = (c) => { const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const chain = (node) => { const all = []; for (; node; node = parent(node)) all.push(node); return all; };
  const found = [];
  const look = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) look(node.shadowRoot);
      if (node.closest("svg, [aria-hidden='true'], style, script, .stTooltipIcon")) continue;
      const own = [...node.childNodes].filter((n) => n.nodeType === 3);
      const words = own.map((n) => n.textContent.trim()).join(" ").trim();
      const box = node.getBoundingClientRect();
      const seen = node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!words || box.width < 2 || box.height < 2 || !seen) continue;
      const line = chain(node);
      if (line.some((n) => getComputedStyle(n).clipPath !== "none")) continue;
      const style = getComputedStyle(node);
      const middle = [box.x + box.width / 2, box.y + box.height / 2];
      const holds = (b) => b.left <= middle[0] && middle[0] <= b.right && b.top <= middle[1] && middle[1] <= b.bottom;
      const under = (one) => one === node || one.clientWidth > 200 || holds(one.getBoundingClientRect());
      let ground = [255, 255, 255, 1];
      for (const one of line.filter(under).reverse()) {
        ground = over(parse(getComputedStyle(one).backgroundColor), ground);
      }
      const fade = line.reduce((part, one) => part * Number(getComputedStyle(one).opacity), 1);
      const ink = parse(style.color);
      const shown = over([...ink.slice(0, 3), ink[3] * fade], ground);
      const [a, b] = [light(shown), light(ground)].sort((x, y) => y - x);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      found.push({ ratio: (a + 0.05) / (b + 0.05), needed: large ? 3 : 4.5, words: words.slice(0, 60) });
    }
  };
  look(document);
  return found;
}"""


def pale(page: Any) -> list[str]:
    """The words whose contrast is too small, with their ratio; fails when the page has no words."""
    found = page.evaluate(WALK)
    assert len(found) > 10, "there are words on the page"
    return sorted({f"{one['ratio']:.2f} {one['words']}" for one in found if one["ratio"] < one["needed"]})
