"""Colours and sizes of what the browser draws over a plane: the point, its region, the circles, the attacks."""

from __future__ import annotations

from typing import Any

from relucert_core.figures.theme import PURPLE, VERMILION, Theme


def overlay_look(theme: Theme) -> dict[str, Any]:
    """The look of the overlay, ready for JSON; `tint` is the opacity of class areas where the browser draws them."""
    return {
        "text": theme.text,
        "background": theme.background,
        "lower": theme.lower,
        "exact": theme.exact,
        "upper": theme.upper,
        "region": theme.region,
        "boundary": theme.boundary,
        "face": PURPLE,
        "neuron": VERMILION,
        "edge": theme.face,
        "line": theme.line,
        "font": theme.font,
        "tint": 0.2 if theme.name == "light" else 0.26,
        "classes": [theme.class_colour(k) for k in range(10)],
    }
