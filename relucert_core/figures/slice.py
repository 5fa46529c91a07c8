"""A slice through the input space: what the browser draws it from, and the same picture as an SVG or PNG file.

The class areas are a picture of pixels, each exactly the class at its centre; polyhedra and boundary are exact lines
over it. Circles are drawn around the origin of the plane.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from relucert_core.figures.digits import digit_png
from relucert_core.figures.theme import Theme

if TYPE_CHECKING:
    from relucert_core.experiments.slices import SlicePlane, SliceView

STEPS = 65_535  # of a coordinate across the picture
SIDE = 640
EDGE_OPACITY = 0.5
_MORE = ("#7f868f", "#882255", "#6a4c1e")  # for classes past the palette: grey, wine, brown
_TINT = {"light": 0.3, "dark": 0.45}
_CORNER = 84  # pixels a side of the digits at the corners
DASHES: dict[str, tuple[float, ...]] = {"first": (4, 4), "lower": (), "upper": (9, 6), "exact": (9, 6)}


@dataclass(frozen=True)
class Circle:
    """A circle around the origin: its radius, its kind (a key of DASHES) and its words."""

    radius: float
    kind: str
    words: str


@dataclass(frozen=True)
class Spot:
    """A marked point of the plane: coordinates and a short name."""

    s: float
    t: float
    words: str


def viewer_data(view: SliceView, theme: Theme, plane: SlicePlane | None = None) -> dict[str, Any]:
    """What the viewer needs of a view: the class picture as PNG, edges and boundary in 16-bit steps, the plane.

    `plane` (three vectors as float32) lets the browser show the digit under the pointer.
    """
    data: dict[str, Any] = {
        "half": view.half,
        "picture": _data_url(class_png(view, theme)),
        "classes": _encode(view.classes),
        "side": len(view.classes),
        "edges": _encode(_quantised(view.edges, view.half)),
        "segments": _encode(_quantised(view.segments, view.half)),
        "exact": view.complex is not None,
    }
    if plane is not None:
        data["vectors"] = _encode(np.stack([plane.origin, plane.u, plane.v]).astype("<f4"))
    return data


def class_png(view: SliceView, theme: Theme) -> bytes:
    """The class areas in the theme's tints, the top row at t = half."""
    from PIL import Image

    colours = np.array([_mixed(theme, k) for k in range(256)], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colours[view.classes[::-1]]).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def edge_width(count: int) -> float:
    """How wide the edges of the polyhedra are drawn, in pixels: the more there are, the thinner."""
    return 1.3 if count < 600 else 0.9 if count < 4000 else 0.55 if count < 20_000 else 0.35


def slice_svg(
    view: SliceView, theme: Theme, circles: Sequence[Circle], spots: Sequence[Spot], plane: SlicePlane | None = None
) -> bytes:
    """The slice as an SVG file of SIDE x SIDE pixels; with `plane`, of 784 inputs, digits stand at the corners."""
    picture = _data_url(class_png(view, theme))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}" viewBox="0 0 {SIDE} {SIDE}" '
        'font-family="Source Sans Pro, Helvetica, Arial, sans-serif">',
        f'<image width="{SIDE}" height="{SIDE}" preserveAspectRatio="none" href="{picture}"/>',
        _edges_svg(view, theme),
        f'<path d="{_path(view.segments, view.half)}" fill="none" stroke="{theme.boundary}" stroke-width="2.6"/>',
    ]
    middle, scale = SIDE / 2, SIDE / (2 * view.half)
    for circle in circles:
        strokes = " ".join(f"{n:g}" for n in DASHES[circle.kind])
        dash = f' stroke-dasharray="{strokes}"' if strokes else ""
        parts.append(
            f'<circle cx="{middle}" cy="{middle}" r="{circle.radius * scale:.2f}" fill="none" '
            f'stroke="{kind_colour(theme, circle.kind)}" stroke-width="3"{dash}><title>{circle.words}</title></circle>'
        )
    if plane is not None and len(plane.origin) == 784:
        parts += [_corner_image(plane, view.half, x, y) for x in (-1, 1) for y in (-1, 1)]
    for spot in spots:
        x, y = middle + spot.s * scale, middle - spot.t * scale
        if 0 <= x <= SIDE and 0 <= y <= SIDE:
            parts.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="5" fill="{theme.text}" stroke="{theme.background}"/>')
            parts.append(
                f'<text x="{x + 9:.2f}" y="{y - 7:.2f}" font-size="16" fill="{theme.text}">{spot.words}</text>'
            )
    return "\n".join([*parts, "</svg>\n"]).encode()


def _edges_svg(view: SliceView, theme: Theme) -> str:
    look = f'stroke="{theme.text}" stroke-opacity="{EDGE_OPACITY}" stroke-width="{edge_width(len(view.edges))}"'
    return f'<path d="{_path(view.edges, view.half)}" fill="none" {look}/>'


def slice_png(view: SliceView, theme: Theme, circles: Sequence[Circle], spots: Sequence[Spot]) -> bytes:
    """The slice as a PNG file of twice SIDE pixels, without the digits at the corners."""
    from PIL import Image

    from relucert_core.figures.canvas import PngCanvas

    canvas = PngCanvas(SIDE, SIDE, theme.background, scale=2)
    tints = Image.open(io.BytesIO(class_png(view, theme))).convert("RGB")
    canvas._image.paste(tints.resize(canvas._image.size, Image.Resampling.NEAREST))
    faint = theme.shades(theme.text, EDGE_OPACITY)
    for ends in _pixels(view.edges, view.half):
        canvas.polyline([tuple(ends[0]), tuple(ends[1])], faint, edge_width(len(view.edges)))
    for ends in _pixels(view.segments, view.half):
        canvas.polyline([tuple(ends[0]), tuple(ends[1])], theme.boundary, 2.6)
    angles = np.linspace(0, 2 * np.pi, 181)
    middle, scale = SIDE / 2, SIDE / (2 * view.half)
    for circle in circles:
        reach = circle.radius * scale
        line = [(middle + reach * float(np.cos(a)), middle - reach * float(np.sin(a))) for a in angles]
        canvas.polyline(line, kind_colour(theme, circle.kind), 3, DASHES[circle.kind])
    for spot in spots:
        x, y = middle + spot.s * scale, middle - spot.t * scale
        if 0 <= x <= SIDE and 0 <= y <= SIDE:
            dot = [(x + 5 * float(np.cos(a)), y + 5 * float(np.sin(a))) for a in angles[::10]]
            canvas.polygon(dot, theme.text, theme.background)
            canvas.text((x + 9, y - 9), spot.words, theme.text, 16)
    return canvas.data()


def kind_colour(theme: Theme, kind: str) -> str:
    """The hue of a circle: that of its bound."""
    return {"upper": theme.upper, "exact": theme.exact}.get(kind, theme.lower)


def _corner_image(plane: SlicePlane, half: float, x: int, y: int) -> str:
    png = _data_url(digit_png(plane.point(x * half, y * half), scale=3))
    left, top = (4 if x < 0 else SIDE - _CORNER - 4), (4 if y > 0 else SIDE - _CORNER - 4)
    return f'<image x="{left}" y="{top}" width="{_CORNER}" height="{_CORNER}" href="{png}"/>'


def class_tint(theme: Theme, index: int) -> str:
    """The colour of the area of class `index`, as "#rrggbb"."""
    return "#" + "".join(f"{level:02x}" for level in _mixed(theme, index))


def _mixed(theme: Theme, index: int) -> list[int]:
    """A class's colour over the background, as bytes."""
    share = _TINT[theme.name]
    rest = index - len(theme.classes)
    colour = _MORE[rest % len(_MORE)] if rest >= 0 else theme.class_colour(index)
    pairs = zip(_rgb(colour), _rgb(theme.background), strict=True)
    return [round(share * a + (1 - share) * b) for a, b in pairs]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _quantised(lines: np.ndarray, half: float) -> np.ndarray:
    return np.rint(np.clip((lines + half) / (2 * half), 0, 1) * STEPS).astype("<u2")


def _pixels(lines: np.ndarray, half: float) -> np.ndarray:
    return (lines * (1, -1) + half) * (SIDE / (2 * half))


def _path(lines: np.ndarray, half: float) -> str:
    rows = np.round(_pixels(lines, half), 2).reshape(-1, 4)
    return "".join(f"M{a:g} {b:g}L{c:g} {d:g}" for a, b, c, d in rows.tolist())


def _encode(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
