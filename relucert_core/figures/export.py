"""A figure of ours as an SVG or PNG file, without a browser.

Draws what our charts of experiments are made of: scatter traces (lines and markers), rectangles and lines as shapes,
annotations without arrows, two axes with their tick labels, and the legend below. Other parts of plotly are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from relucert_core.citation import in_png, in_svg
from relucert_core.errors import Unsupported
from relucert_core.figures.canvas import Canvas, PngCanvas, Point, SvgCanvas, text_width

WIDTH = 860
_DASHES = {"solid": (), "dot": (2, 4), "dash": (8, 5), "dashdot": (8, 4, 2, 4), "longdash": (14, 5)}
_TAG = re.compile(r"<(?!/?sup>)[^>]*>")
_POWER = re.compile(r"\^(-?\d+)")
_BAR = 0.28  # half the thickness of an arm of the crosses


def to_svg(figure: go.Figure, width: int = WIDTH) -> bytes:
    """The figure as an SVG file."""
    parts = _Parts.of(figure, width)
    return _draw(parts, SvgCanvas(width, parts.height, parts.background))


def to_png(figure: go.Figure, width: int = WIDTH, scale: int = 2) -> bytes:
    """The figure as a PNG file of `scale` times the width."""
    parts = _Parts.of(figure, width)
    return _draw(parts, PngCanvas(width, parts.height, parts.background, scale))


def exported(figure: go.Figure, kind: str, about: Mapping[str, str]) -> bytes:
    """The figure as a file, "svg" or "png", that says how it was made (`citation.made_by`)."""
    return in_svg(to_svg(figure), about) if kind == "svg" else in_png(to_png(figure), about)


@dataclass(frozen=True)
class _Parts:
    """A figure's plain dictionaries, and the box (left, top, right, bottom) of its plot in pixels."""

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    box: tuple[float, float, float, float]
    height: int
    font: float
    text: str
    background: str
    legend: list[list[dict[str, Any]]]

    @classmethod
    def of(cls, figure: go.Figure, width: int) -> _Parts:
        plain = figure.to_plotly_json()
        traces, layout = plain["data"], plain["layout"]
        look = figure.layout.template.layout
        font = float(look.font.size)
        for trace in traces:
            if trace.get("type", "scatter") != "scatter":
                raise Unsupported(f"A {trace['type']} trace cannot be exported without a browser; scatter traces can.")
        named = [t for t in traces if t.get("name") and t.get("showlegend", True)] if layout.get("showlegend") else []
        rows = _legend_rows(named, width - 20, font)
        left = 14 + 1.6 * font + _tick_space(layout["yaxis"], font)
        foot = 3.6 * font + 1.7 * font * len(rows)
        height = int(layout["height"] + 1.7 * font * len(rows))
        box = (left, 14.0, width - 16.0, height - foot)
        return cls(traces, layout, box, height, font, look.font.color, look.paper_bgcolor, rows)

    def x(self, value: float, paper: bool = False) -> float:
        """The pixel of a horizontal coordinate, of the axis or (paper) a share of the plot."""
        low, high = (0.0, 1.0) if paper else self.layout["xaxis"]["range"]
        return self.box[0] + (value - low) / (high - low) * (self.box[2] - self.box[0])

    def y(self, value: float, paper: bool = False) -> float:
        """The pixel of a vertical coordinate."""
        low, high = (0.0, 1.0) if paper else self.layout["yaxis"]["range"]
        return self.box[3] - (value - low) / (high - low) * (self.box[3] - self.box[1])

    def place(self, part: dict[str, Any], x: str, y: str) -> Point:
        """The point of a shape or annotation by the names of its coordinates."""
        return self.x(part[x], part.get("xref") == "paper"), self.y(part[y], part.get("yref") == "paper")


def _draw(parts: _Parts, canvas: Canvas) -> bytes:
    for shape in parts.layout.get("shapes", ()):
        _shape(parts, canvas, shape)
    _axes(parts, canvas)
    for trace in parts.traces:
        _trace(parts, canvas, trace)
    for note in parts.layout.get("annotations", ()):
        at = parts.place(note, "x", "y")
        anchor = {"left": "start", "right": "end"}.get(note.get("xanchor", ""), "middle")
        shifted = (at[0] + note.get("xshift", 0), at[1] - note.get("yshift", 0))
        canvas.text(shifted, plain_text(note["text"]), parts.text, parts.font, anchor=anchor)
    _legend(parts, canvas)
    return canvas.data()


def _shape(parts: _Parts, canvas: Canvas, shape: dict[str, Any]) -> None:
    (x0, y0), (x1, y1) = parts.place(shape, "x0", "y0"), parts.place(shape, "x1", "y1")
    line = shape.get("line", {})
    if shape["type"] == "rect":
        canvas.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], shape["fillcolor"])
    else:
        canvas.polyline([(x0, y0), (x1, y1)], line["color"], line["width"], _DASHES[line.get("dash", "solid")])


def _axes(parts: _Parts, canvas: Canvas) -> None:
    left, top, right, bottom = parts.box
    grid = parts.layout["template"]["layout"]["xaxis"]["gridcolor"]
    canvas.polyline([(left, top), (left, bottom), (right, bottom)], grid, 1)
    for value, words in _ticks(parts.layout["xaxis"]):
        canvas.polyline([(parts.x(value), bottom), (parts.x(value), bottom + 4)], grid, 1)
        x = min(parts.x(value), right + 12 - text_width(words, parts.font) / 2)  # stays on the page
        canvas.text((x, bottom + 4 + 0.7 * parts.font), words, parts.text, parts.font, anchor="middle")
    for value, words in _ticks(parts.layout["yaxis"]):
        canvas.polyline([(left - 4, parts.y(value)), (left, parts.y(value))], grid, 1)
        canvas.text((left - 8, parts.y(value)), words, parts.text, parts.font, anchor="end")
    across, up = (parts.layout[axis].get("title", {}).get("text", "") for axis in ("xaxis", "yaxis"))
    canvas.text(((left + right) / 2, bottom + 2.4 * parts.font), across, parts.text, parts.font, anchor="middle")
    canvas.text((0.9 * parts.font, (top + bottom) / 2), up, parts.text, parts.font, anchor="middle", turned=True)


def _ticks(axis: dict[str, Any]) -> list[tuple[float, str]]:
    if axis.get("visible") is False or "tickvals" not in axis:
        return []
    return [(value, plain_text(text)) for value, text in zip(axis["tickvals"], axis["ticktext"], strict=True)]


def _tick_space(axis: dict[str, Any], font: float) -> float:
    return max((text_width(words, font) for _, words in _ticks(axis)), default=0.0)


def _trace(parts: _Parts, canvas: Canvas, trace: dict[str, Any]) -> None:
    points = [(parts.x(x), parts.y(y)) for x, y in zip(trace["x"], trace["y"], strict=True)]
    if "lines" in trace["mode"] and len(points) > 1:
        _line(canvas, points, trace["line"])
    if "markers" in trace["mode"]:
        for point, symbol in zip(points, _symbols(trace["marker"], len(points)), strict=True):
            _marker(canvas, point, trace["marker"] | {"symbol": symbol})


def _symbols(look: dict[str, Any], count: int) -> list[str]:
    """The marker of each of so many points: one for all, or one each."""
    return [look["symbol"]] * count if isinstance(look["symbol"], str) else list(look["symbol"])


def _line(canvas: Canvas, points: list[Point], look: dict[str, Any]) -> None:
    shape = look.get("shape", "linear")
    if shape != "linear":
        steps = list(pairwise(points))
        corners = [(b[0], a[1]) if shape == "hv" else (a[0], b[1]) for a, b in steps]
        points = [p for pair in zip(points, corners, strict=False) for p in pair] + [points[-1]]
    canvas.polyline(points, look["color"], look["width"], _DASHES[look.get("dash", "solid")])


def _marker(canvas: Canvas, at: Point, look: dict[str, Any]) -> None:
    name, size = str(look["symbol"]), float(look["size"]) / 2
    outline = [(at[0] + size * x, at[1] + size * y) for x, y in marker_outline(name.removesuffix("-open"))]
    if name.endswith("-open"):
        canvas.polygon(outline, "", look["color"], float(look.get("line", {}).get("width", 1.5)))
    else:
        canvas.polygon(outline, look["color"])


def marker_outline(symbol: str) -> list[Point]:
    """The corners of a marker that fills the square [-1, 1] x [-1, 1], y down."""
    b = _BAR
    cross = [(-b, -1), (b, -1), (b, -b), (1, -b), (1, b), (b, b), (b, 1), (-b, 1), (-b, b), (-1, b), (-1, -b), (-b, -b)]
    r = math.sqrt(0.5)
    outlines = {
        "triangle-right": [(-0.8, -1.0), (1.0, 0.0), (-0.8, 1.0)],
        "cross": cross,
        "x": [(r * (x - y), r * (x + y)) for x, y in cross],
        "diamond": [(0, -1.1), (1.1, 0), (0, 1.1), (-1.1, 0)],
        "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        "circle": [(0.95 * math.cos(t * math.pi / 8), 0.95 * math.sin(t * math.pi / 8)) for t in range(16)],
    }
    if symbol not in outlines:
        raise Unsupported(f"The marker {symbol!r} cannot be exported; those that can are {', '.join(outlines)}.")
    return [(float(x), float(y)) for x, y in outlines[symbol]]


def plain_text(text: str) -> str:
    """Text without plotly's tags but <sup>, in which powers stand."""
    return _POWER.sub(r"<sup>\1</sup>", _TAG.sub("", text.replace("<br>", " ")))


def _legend_rows(named: list[dict[str, Any]], width: float, font: float) -> list[list[dict[str, Any]]]:
    """The legend's entries in rows that fit."""
    rows: list[list[dict[str, Any]]] = []
    used = width
    for trace in named:
        size = _entry_width(trace, font)
        if used + size > width:
            rows.append([])
            used = 0.0
        rows[-1].append(trace)
        used += size
    return rows


def _entry_width(trace: dict[str, Any], font: float) -> float:
    return text_width(plain_text(trace["name"]), font) + 3.2 * font


def _legend(parts: _Parts, canvas: Canvas) -> None:
    for row, entries in enumerate(parts.legend):
        x = 20.0
        y = parts.box[3] + 4.2 * parts.font + 1.7 * parts.font * row
        for trace in entries:
            if "lines" in trace["mode"]:
                _line(canvas, [(x, y), (x + 1.4 * parts.font, y)], {**trace["line"], "shape": "linear"})
            if "markers" in trace["mode"]:
                look = {**trace["marker"], "symbol": _symbols(trace["marker"], 1)[0], "size": 0.8 * parts.font}
                _marker(canvas, (x + 0.7 * parts.font, y), look)  # the first one's symbol, as plotly does
            canvas.text((x + 1.9 * parts.font, y), plain_text(trace["name"]), parts.text, parts.font)
            x += _entry_width(trace, parts.font)
