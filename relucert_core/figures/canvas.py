"""Two plain canvases with the same strokes: SVG text, and a PNG drawn by Pillow. Units are pixels, y points down.

Plotly's own export needs a browser; the command line and the download buttons must do without.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any, Protocol

from PIL import Image, ImageColor, ImageDraw, ImageFont

Point = tuple[float, float]
_NO_GLYPH = str.maketrans({"−": "-", "≥": ">=", "≤": "<=", "×": "x", "–": "-"})  # not in Pillow's own font
_SUPERSCRIPT = re.compile(r"<sup>(.*?)</sup>")
_SMALL, _RISE = 0.7, 0.35  # size and height of a superscript
_INFINITY = 1.0  # width of the sign of infinity
_RGBA = re.compile(r"rgba\((\d+),\s*(\d+),\s*(\d+),\s*([\d.]+)\)")


class Canvas(Protocol):
    """What figures are drawn on. Colours are "#rrggbb" or "rgba(r,g,b,a)"; "" draws nothing."""

    def polygon(self, points: Sequence[Point], fill: str, stroke: str = "", width: float = 1.0) -> None:
        """A closed shape."""

    def polyline(self, points: Sequence[Point], stroke: str, width: float, dash: Sequence[float] = ()) -> None:
        """An open line; `dash`: lengths of strokes and gaps."""

    def text(
        self, at: Point, words: str, colour: str, size: float, *, anchor: str = "start", turned: bool = False
    ) -> None:
        """Words whose middle height is at `at`; anchor "start", "middle" or "end"; `turned` runs upward.

        Words may hold <sup>...</sup>, which is raised and smaller; nothing else is markup.
        """

    def data(self) -> bytes:
        """The finished file."""


def text_width(words: str, size: float) -> float:
    """About how wide words of `size` pixels are."""
    return sum(_length(letters, share * size) for letters, share, _ in _pieces(words))


class SvgCanvas:
    """SVG 1.1 with system fonts."""

    def __init__(self, width: int, height: int, background: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="Source Sans Pro, Helvetica, Arial, sans-serif">',
            f'<rect width="{width}" height="{height}" fill="{background}"/>',
        ]

    def polygon(self, points: Sequence[Point], fill: str, stroke: str = "", width: float = 1.0) -> None:
        """See `Canvas`."""
        line = f' stroke="{stroke}" stroke-width="{_short(width)}"' if stroke else ""
        self._parts.append(f'<polygon points="{_path(points)}" fill="{fill or "none"}"{line}/>')

    def polyline(self, points: Sequence[Point], stroke: str, width: float, dash: Sequence[float] = ()) -> None:
        """See `Canvas`."""
        dashes = f' stroke-dasharray="{" ".join(map(_short, dash))}"' if dash else ""
        look = f'fill="none" stroke="{stroke}" stroke-width="{_short(width)}"{dashes}'
        self._parts.append(f'<polyline points="{_path(points)}" {look}/>')

    def text(
        self, at: Point, words: str, colour: str, size: float, *, anchor: str = "start", turned: bool = False
    ) -> None:
        """See `Canvas`."""
        x, y = _short(at[0]), _short(at[1])
        turn = f' transform="rotate(-90 {x} {y})"' if turned else ""
        place = f'x="{x}" y="{y}" dy="0.35em" text-anchor="{anchor}"{turn}'
        self._parts.append(f'<text {place} font-size="{_short(size)}" fill="{colour}">{_spans(words, size)}</text>')

    def data(self) -> bytes:
        """See `Canvas`."""
        return "\n".join([*self._parts, "</svg>\n"]).encode()


class PngCanvas:
    """A picture of `scale` times the size, drawn twice as large as that and made smaller, so that edges are smooth."""

    def __init__(self, width: int, height: int, background: str, scale: int = 2) -> None:
        self._size = (width * scale, height * scale)
        self._times = 2 * scale
        self._image = Image.new("RGB", (width * self._times, height * self._times), background)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def polygon(self, points: Sequence[Point], fill: str, stroke: str = "", width: float = 1.0) -> None:
        """See `Canvas`."""
        scaled = self._scaled(points)
        if fill:
            self._draw.polygon(scaled, fill=_colour(fill))
        if stroke:
            self._draw.line([*scaled, scaled[0]], fill=_colour(stroke), width=self._line(width), joint="curve")

    def polyline(self, points: Sequence[Point], stroke: str, width: float, dash: Sequence[float] = ()) -> None:
        """See `Canvas`."""
        for piece in _dashed(points, dash):
            self._draw.line(self._scaled(piece), fill=_colour(stroke), width=self._line(width), joint="curve")

    def text(
        self, at: Point, words: str, colour: str, size: float, *, anchor: str = "start", turned: bool = False
    ) -> None:
        """See `Canvas`."""
        size *= self._times
        width = text_width(words, size)
        place = (at[0] * self._times, at[1] * self._times)
        if not turned:
            shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width
            _write(self._draw, (place[0] - shift, place[1]), words, size, _colour(colour))
            return
        long, high = math.ceil(width) + 4, round(size * 1.5)
        label = Image.new("L", (long, high))
        _write(ImageDraw.Draw(label), (2, high / 2), words, size, 255)
        label = label.rotate(90, expand=True)
        corner = (round(place[0] - high / 2), round(place[1] - long / 2))
        self._image.paste(Image.new("RGB", label.size, _colour(colour)[:3]), corner, label)

    def data(self) -> bytes:
        """See `Canvas`."""
        buffer = io.BytesIO()
        self._image.resize(self._size, Image.Resampling.BOX).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._times, y * self._times) for x, y in points]

    def _line(self, width: float) -> int:
        return max(1, round(width * self._times))


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _pieces(words: str) -> list[tuple[str, float, float]]:
    """Letters that stand together, their size and how far they are raised, as shares of the words' size."""
    parts = [(part, index % 2 == 1) for index, part in enumerate(_SUPERSCRIPT.split(words))]
    return [(part, *((_SMALL, _RISE) if raised else (1.0, 0.0))) for part, raised in parts if part]


def _spans(words: str, size: float) -> str:
    """Words as SVG text; what is raised goes down again at the next letters."""
    spans, height = "", 0.0
    for letters, share, rise in _pieces(words):
        if rise == height == 0.0:
            spans += escape(letters)
            continue
        place = f'dy="{_short((height - rise) * size)}" font-size="{_short(share * size)}"'
        spans += f"<tspan {place}>{escape(letters)}</tspan>"
        height = rise
    return spans


def _length(letters: str, size: float) -> float:
    """The width of letters without markup; the sign of infinity is drawn, not set."""
    set_letters = letters.replace("∞", "").translate(_NO_GLYPH)
    return float(_font(round(size)).getlength(set_letters)) + letters.count("∞") * _INFINITY * size


def _write(draw: ImageDraw.ImageDraw, at: Point, words: str, size: float, colour: Any) -> None:
    """Words from the left, their middle height at `at`."""
    x, y = at
    for letters, share, rise in _pieces(words):
        for part in re.split("(∞)", letters):
            place = (x, y - rise * size)
            if part == "∞":
                draw.line(_infinity(place, share * size), fill=colour, width=max(1, round(0.08 * share * size)))
            else:
                draw.text(place, part.translate(_NO_GLYPH), font=_font(round(share * size)), fill=colour, anchor="lm")
            x += _length(part, share * size)


def _infinity(at: Point, size: float) -> list[Point]:
    """The sign of infinity, which Pillow's own font lacks: a lemniscate, somewhat higher, from the left middle `at`."""
    reach, centre = 0.43 * size, at[0] + _INFINITY / 2 * size
    turns = [2 * math.pi * i / 64 for i in range(65)]
    waist = [(math.cos(t), 1.3 * math.sin(t) * math.cos(t), 1 + math.sin(t) ** 2) for t in turns]
    return [(centre + reach * x / w, at[1] + reach * y / w) for x, y, w in waist]


def _colour(text: str) -> tuple[int, ...]:
    match = _RGBA.fullmatch(text)
    if match is None:
        return ImageColor.getrgb(text)
    return (*(int(match[i]) for i in (1, 2, 3)), round(255 * float(match[4])))


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _dashed(points: Sequence[Point], dash: Sequence[float]) -> list[list[Point]]:
    """A line cut into its strokes."""
    if not dash:
        return [list(points)]
    pieces, current, left, index = [], [points[0]], dash[0], 0
    for start, end in pairwise(points):
        length, gone = math.dist(start, end), 0.0
        while length - gone > left:
            gone += left
            share = gone / length
            at = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            if index % 2 == 0:
                pieces.append([*current, at])
            index, current = index + 1, [at]
            left = dash[index % len(dash)]
        left -= length - gone
        current.append(end)
    return [*pieces, current] if index % 2 == 0 and len(current) > 1 else pieces
