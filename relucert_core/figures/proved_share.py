"""How much of the distance can be proved: the median share of the nearest attack's distance, by method and network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from relucert_core.figures.theme import Theme, figure_of
from relucert_core.words import down

_SYMBOLS = ("triangle-right", "diamond", "circle", "square")
_SHADES = (1.0, 0.6, 0.8, 0.45)


def proved_share(
    shares: Mapping[str, Mapping[str, float]], titles: Mapping[str, str], order: Sequence[str], theme: Theme
) -> go.Figure:
    """A mark for each network and method. shares: network -> method -> share in [0, 1]; order: methods, bottom to top.

    titles: what networks and methods are called.
    """
    rows = [method for method in order if any(method in found for found in shares.values())]
    traces = [
        {
            "type": "scatter",
            "name": titles.get(network, network),
            "x": [100 * found[method] for method in rows if method in found],
            "y": [titles.get(method, method) for method in rows if method in found],
            "text": [down(100 * found[method]) for method in rows if method in found],
            "mode": "markers",
            "marker": {
                "symbol": _SYMBOLS[i % len(_SYMBOLS)],
                "size": theme.font,
                "color": theme.shades(theme.lower, _SHADES[i % len(_SHADES)]),
                "line": {"width": 1, "color": theme.text},
            },
            "hovertemplate": "%{y}: %{text} %<extra>" + titles.get(network, network) + "</extra>",
        }
        for i, (network, found) in enumerate(shares.items())
    ]
    return figure_of(
        theme,
        traces,
        height=int((4.4 + 2.1 * len(rows) + 1.6 * len(shares)) * theme.font),
        showlegend=True,
        legend={"orientation": "v", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 8, "r": 2 * theme.font, "t": 8, "b": 3.6 * theme.font},
        xaxis={
            "range": [-2, 102],
            "tickvals": [0, 25, 50, 75, 100],
            "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
            "title": {"text": "of the nearest attack's distance (L2), median", "font": {"color": theme.text}},
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": [titles.get(method, method) for method in rows],
            "fixedrange": True,
            "automargin": True,
        },
    )
