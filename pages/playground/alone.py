"""The playground's picture as a web page of its own: one file with its own drawing and script, which works offline."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pages.playground import engine, words
from pages.playground.scene import Scene
from pages.playground.setup import View
from pages.shared.plane import answer_at, true_distance
from relucert_core.figures.overlay import overlay_look
from relucert_core.planar.preview import encode
from relucert_core.words import down

_HERE = Path(__file__).parent
_SCRIPTS = (
    _HERE.parent / "shared/plane_core.js",
    _HERE.parent / "shared/plane_draw.js",
    _HERE / "legend.js",
    _HERE / "live.js",
    _HERE / "alone.js",
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ margin: 0 auto; max-width: 760px; padding: 1rem; }}
body {{ font-family: sans-serif; color: {text}; background: {ground}; }}
pre {{ white-space: pre-wrap; }}
svg.plane {{ width: 100%; height: auto; max-height: 86vh; display: block; }}
.relucert-handle {{ cursor: grab; }}
.numbers {{ display: flex; gap: 2rem; }} .numbers span {{ display: block; }} .numbers b {{ font-size: 2rem; }}
</style></head><body>
<h1>{title}</h1>
<p>Drag u, click anywhere, or use the arrow keys.</p>
<svg class="plane" role="group" aria-label="The plane of the network, with a point u that can be moved"></svg>
<div class="live"><p class="headline"></p><div class="numbers">
<div class="safe"><span>Safe radius</span><b></b></div><div class="true"><span>True distance</span><b></b></div></div>
<p class="case"></p></div>
<p class="certified">Certified by Python at u = ({x:g}, {y:g}): safe radius {safe}; true distance {true}.</p>
<p class="preview" hidden>The numbers are this browser's preview; certified is only what Python computes.</p>
<p>After Singla and Feizi, Robustness Certificates Against Adversarial Examples for ReLU Networks (2019).
Made with Relucert.</p>
<details><summary>How this was made, and how to cite it</summary><pre>{about}</pre></details>
<script>
const PLANE = {data};
{script}
</script></body></html>
"""


def stand_alone(scene: Scene, view: View, about: Sequence[str]) -> str:
    """The page: the picture with everything that is drawn, its title, legend and numbers, and u to drag.

    about: lines that it says of its making.
    """
    answer = answer_at(scene.net, scene.plane, view.point)
    layers = frozenset(view.layers) - {"attacks"} - (set() if scene.net.depth == 2 else {"boundary"})
    figure = engine.figure_of(scene.plane, scene.look, layers, view.colouring, scene.setup, view.view)
    data = {
        "traces": [_trace(trace) for trace in figure.data],
        "geometry": engine.geometry_of(scene.plane),
        "legend": engine.legend_of(scene.plane, scene.look, layers, view.colouring, scene.setup),
        "look": overlay_look(scene.theme),
        "sentences": words.SENTENCES,
        "show": sorted(layers),
        "u": list(view.point),
        "view": list(view.view or scene.plane.box.ravel().tolist()),
    }
    return _PAGE.format(
        title=html.escape(title(scene)),
        about=html.escape("\n".join(about)),
        text=scene.theme.text,
        ground=scene.theme.background,
        x=view.point[0],
        y=view.point[1],
        safe=down(answer.simplex.radius),
        true=true_distance(answer),
        data=json.dumps(data, allow_nan=False).replace("</", "<\\/"),
        script="\n".join(path.read_text("utf8") for path in _SCRIPTS),
    )


def title(scene: Scene) -> str:
    """What the page is called: the preset, or the data, and the network."""
    preset = engine.presets().get(scene.setup.preset)
    of = preset.title if preset else "points of one's own" if scene.setup.own else scene.setup.dataset
    shape = "-".join(map(str, (scene.net.inputs, *scene.net.widths, scene.net.classes)))
    return f"The plane of a {shape} network: {of}"


def _trace(trace: Any) -> dict[str, Any]:
    """A trace of the figure for the script: its kind, colours and points (x, y) in float32 with gaps."""
    xy = encode(np.column_stack([trace.x, trace.y]).astype(np.float32))
    if trace.mode == "markers":
        return {"kind": "points", "colour": trace.marker.color, "symbol": trace.marker.symbol, "xy": xy}
    if trace.mode == "none":
        return {"kind": "fill", "colour": trace.fillcolor, "xy": xy}
    opacity = 1.0 if trace.opacity is None else trace.opacity
    return {"kind": "line", "colour": trace.line.color, "width": trace.line.width, "opacity": opacity, "xy": xy}
