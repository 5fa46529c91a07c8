"""Signed 28x28 values (differences, weights) in diverging colours with their scale."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from relucert_core.figures.digits import SIDE
from relucert_core.figures.theme import Theme, figure_of


def signed_picture(values: np.ndarray, theme: Theme, low_label: str, high_label: str, height: int = 250) -> go.Figure:
    """784 signed values as a square picture: 0 is the page's colour, the ends of the scale are +-max |value|.

    `low_label` and `high_label` say in a word what negative and positive mean; the scale carries them.
    """
    square = np.asarray(values, dtype=np.float64).reshape(SIDE, SIDE)
    largest = float(np.abs(square).max())
    limit = largest if largest > 0 else 1.0
    scale = {
        "thickness": 12,
        "len": 0.92,
        "tickvals": [-limit, 0, limit],
        "ticktext": [f"−{limit:.2g} {low_label}", "0", f"+{limit:.2g} {high_label}"],
        "tickfont": {"size": max(12, theme.font - 2), "color": theme.text},
        "outlinecolor": theme.grid,
    }
    picture = {
        "type": "heatmap",
        "z": square.astype(np.float32),
        "zmin": -limit,
        "zmax": limit,
        "colorscale": theme.diverging,
        "colorbar": scale,
        "hovertemplate": "row %{y}, column %{x}: %{z:.3g}<extra></extra>",
    }
    axis = {"visible": False, "constrain": "domain", "fixedrange": True}
    return figure_of(
        theme,
        [picture],
        height,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        xaxis=axis,
        yaxis=axis | {"autorange": "reversed", "scaleanchor": "x"},
    )
